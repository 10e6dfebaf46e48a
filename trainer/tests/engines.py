"""The real Temporal and versitygw on free loopback ports, and trainer workers as processes. Everything started here is stopped here."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TRAINER = Path(__file__).parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lazaret" / "engines"
FOLDER = Path(os.environ.get("LAZARET_ENGINES_DIR") or CACHE)


def engine(name: str) -> str | None:
    cached = FOLDER / name
    return str(cached) if cached.exists() else shutil.which(name)


def missing() -> list[str]:
    return [name for name in ("temporal", "versitygw") if engine(name) is None]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the engine ended at once"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


@contextmanager
def started(command: list[str], cwd: Path | None = None, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    around, null = {**os.environ, **environment}, subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=cwd, env=around, stdout=null, stderr=null)
    try:
        yield process
    finally:
        stop(process)


def asked_to_stop(process: subprocess.Popen[bytes]) -> None:
    """For one that has children of its own."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(20)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Also one that was suspended."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Station:
    environment: dict[str, str]
    s3: subprocess.Popen[bytes]
    folder: Path

    @contextmanager
    def worker(self, log: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / log).open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "lazaret_trainer.worker"], cwd=TRAINER, env={**os.environ, **self.environment}, stderr=stderr
            )
            try:
                yield process
            finally:
                stop(process)

    def log(self, name: str) -> str:
        return (self.folder / name).read_text()


@contextmanager
def station(folder: Path) -> Iterator[Station]:
    """Temporal and S3 with both buckets, and the environment of a worker."""
    s3_port, temporal_port = free_port(), free_port()
    (folder / "root" / "artifacts").mkdir(parents=True)
    (folder / "root" / "evidence").mkdir()
    (folder / "versions").mkdir()
    gateway = [str(engine("versitygw")), "--port", f"127.0.0.1:{s3_port}", "posix"]
    gateway += ["--versioning-dir", str(folder / "versions"), str(folder / "root")]
    server = [str(engine("temporal")), "server", "start-dev", "--headless", "--port", str(temporal_port), "--log-level", "error"]
    with (
        started(gateway, ROOT_ACCESS_KEY="test", ROOT_SECRET_KEY="test-secret") as s3,
        started(server) as temporal,
    ):
        wait_for_port(s3_port, s3)
        wait_for_port(temporal_port, temporal)
        environment = {
            "LAZARET_S3_ENDPOINT": f"http://127.0.0.1:{s3_port}",
            "LAZARET_S3_ACCESS_KEY_ID": "test",
            "LAZARET_S3_SECRET_ACCESS_KEY": "test-secret",
            "LAZARET_S3_EVIDENCE_BUCKET": "evidence",
            "LAZARET_S3_ARTIFACTS_BUCKET": "artifacts",
            "LAZARET_TEMPORAL_ADDRESS": f"127.0.0.1:{temporal_port}",
            "LAZARET_TRAINER_QUEUE": "trainer",
            "LAZARET_TRAINER_CACHE": str(TRAINER / ".cache" / "compiled"),
        }
        yield Station(environment, s3, folder)
