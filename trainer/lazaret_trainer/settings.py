"""The worker's configuration, from the environment. Every problem is reported at once; a secret may come from a file (`…_FILE`)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


class SettingsError(ValueError):
    """All that is wrong with the environment."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class S3Settings:
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    evidence_bucket: str
    artifacts_bucket: str


@dataclass(frozen=True, slots=True)
class Settings:
    s3: S3Settings
    temporal_address: str
    temporal_namespace: str
    queue: str
    cache: Path | None
    """Folder of compiled steps; None compiles anew in every process."""
    idle_seconds: float | None
    """The process ends after so long without work; None: never."""


def load(environment: Mapping[str, str]) -> Settings:
    """Reads LAZARET_* variables. Raises SettingsError."""
    source = _Source(environment)
    cache = source.optional("LAZARET_TRAINER_CACHE")
    settings = Settings(
        s3=S3Settings(
            endpoint=source.url("LAZARET_S3_ENDPOINT"),
            region=source.text("LAZARET_S3_REGION", "us-east-1"),
            access_key_id=source.secret("LAZARET_S3_ACCESS_KEY_ID"),
            secret_access_key=source.secret("LAZARET_S3_SECRET_ACCESS_KEY"),
            evidence_bucket=source.text("LAZARET_S3_EVIDENCE_BUCKET"),
            artifacts_bucket=source.text("LAZARET_S3_ARTIFACTS_BUCKET"),
        ),
        temporal_address=source.address("LAZARET_TEMPORAL_ADDRESS"),
        temporal_namespace=source.text("LAZARET_TEMPORAL_NAMESPACE", "default"),
        queue=source.text("LAZARET_TRAINER_QUEUE", "trainer"),
        cache=Path(cache) if cache else None,
        idle_seconds=source.seconds("LAZARET_TRAINER_IDLE_SECONDS"),
    )
    if source.problems:
        raise SettingsError(source.problems)
    return settings


class _Source:
    """Reads one variable after the other and remembers what was wrong."""

    def __init__(self, environment: Mapping[str, str]):
        self._environment = environment
        self.problems: list[str] = []

    def optional(self, name: str) -> str:
        return self._environment.get(name, "").strip()

    def text(self, name: str, default: str = "") -> str:
        value = self.optional(name) or default
        if not value:
            self.problems.append(f"{name}: missing")
        return value

    def secret(self, name: str) -> str:
        """From NAME or from the file NAME_FILE, not both: it would not be clear which one counts."""
        direct, file = self.optional(name), self.optional(f"{name}_FILE")
        if direct and file:
            self.problems.append(f"{name}: given twice, as a value and as {name}_FILE")
        elif file:
            try:
                direct = Path(file).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                self.problems.append(f"{name}_FILE: the file cannot be read")
                return ""
            if not direct:
                self.problems.append(f"{name}_FILE: the file is empty")
        elif not direct:
            self.problems.append(f"{name}: missing (or {name}_FILE)")
        return direct

    def url(self, name: str) -> str:
        value = self.text(name)
        if value:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                self.problems.append(f"{name}: expected http(s)://host[:port]")
        return value

    def seconds(self, name: str) -> float | None:
        value = self.optional(name)
        if not value:
            return None
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not (0 < seconds < math.inf):
            self.problems.append(f"{name}: expected a number of seconds above 0")
        return seconds

    def address(self, name: str) -> str:
        value = self.text(name)
        host, _, port = value.rpartition(":")
        if value and not (host and port.isdigit()):
            self.problems.append(f"{name}: expected host:port")
        return value
