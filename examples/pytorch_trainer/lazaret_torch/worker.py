"""The decorator, and the process around it: a Temporal worker, alone or as the first rank under torchrun."""

import asyncio
import contextvars
import hashlib
import inspect
import json
import os
import platform
import signal
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import Worker
from torch import distributed

from .contract import Failure, Stopped, checked
from .job import CONTROL, Desk, Job, first_rank, identity, share, world_size
from .store import S3Store, Store, key_of, put

Train = Callable[[Job], dict[str, torch.Tensor]]

HEARTBEAT_SECONDS = 0.4
"""The contract asks for one every half second, also while a step is long."""


def trainer(queue: str) -> Callable[[Train], "Trainer"]:
    """Makes a function of a Job a trainer of the queue. Started as a script, `trained.serve()` serves it."""
    return lambda function: Trainer(function, queue)


class Trainer:
    def __init__(self, function: Train, queue: str):
        self._function, self._queue = function, queue
        self.__doc__, self.__name__ = function.__doc__, function.__name__

    def run(self, asked: dict[str, Any], desk: Desk) -> dict[str, Any] | None:
        """One job from its references to its TrainResult; None in ranks other than the first. Raises Failure, Stopped."""
        finished = share(self._finished(asked, desk) if first_rank() else None)
        if finished is not None:
            return finished
        job = Job(asked, desk, _device())
        trained = {name.removeprefix("module."): value for name, value in self._function(job).items()}
        if not first_rank():
            return None
        if job.step < job.steps:
            raise Failure("trainer/bad-job", f"the function ended after {job.step} of {job.steps} steps")
        store = desk.store
        result = {
            "schema": "lazaret.train-result/v1",
            "jobId": asked["jobId"],
            "artifact": put(store, job.graph.with_weights(trained), asked["base"]["mediaType"], asked["base"]["name"]),
            "curve": put(store, json.dumps(job.curve).encode(), "application/json", "curve.json"),
            "steps": job.step,
            "records": job.records,
            "finalLoss": job.curve[-1]["loss"],
            "resumedAtSteps": job.resumed_at_steps,
            "startedAt": job.started_at,
            "finishedAt": datetime.now(UTC).isoformat(),
            "environment": self._environment(job.device),
        }
        store.write(f"checkpoints/{asked['jobId']}/result.json", json.dumps({"job": identity(asked), "result": result}).encode())
        return checked("TrainResult", result)

    def serve(self) -> None:
        """Until SIGTERM or SIGINT. Under torchrun the first rank polls the queue and tells the others of every job."""
        if "RANK" in os.environ:
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
            CONTROL["group"] = distributed.new_group(backend="gloo", timeout=timedelta(days=365))
        store = S3Store()
        if first_rank():
            try:
                asyncio.run(self._poll(store))
            finally:
                share(None)
        else:
            # torchrun tells every rank to stop. The first one decides when: it may be writing a checkpoint that all have to reach.
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, signal.SIG_IGN)
            self.follow(store)
        if distributed.is_initialized():
            distributed.destroy_process_group()

    def follow(self, store: Store) -> None:
        """What the other ranks do: the jobs that the first one takes, until there are no more."""
        while (asked := share(None)) is not None:
            try:
                self.run(asked, Desk(store, "follower"))
            except Stopped:
                continue
            except Failure as failure:
                # All ranks read the same and fail alike; the first one tells.
                print(f"{failure.kind}: {failure}", file=sys.stderr)

    def activity(self, store: Store, worker: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """The activity `train` of the contract."""

        # Cancellation is obeyed between steps: thrown into the thread it would leave half a checkpoint.
        @activity.defn(name="train", no_thread_cancel_exception=True)
        def train(value: dict[str, Any]) -> dict[str, Any]:
            try:
                asked = checked("TrainJob", value)
                nothing = {"step": 0, "steps": asked["budget"]["steps"], "epoch": 0, "loss": None, "checkpointStep": 0}
                latest = [{"jobId": asked["jobId"], "worker": worker, **nothing}]
                with _heart(latest):
                    share(asked)
                    result = self.run(asked, Desk(store, worker, lambda progress: latest.__setitem__(0, progress), _check))
                assert result is not None
                return result
            except Failure as failure:
                raise ApplicationError(str(failure), type=failure.kind, non_retryable=not failure.retryable) from None
            except Stopped as stopped:
                if stopped.keep_work:
                    raise ApplicationError(str(stopped), type="trainer/worker-stopped") from None
                raise CancelledError(str(stopped)) from None

        return train

    async def _poll(self, store: Store) -> None:
        identity = f"{socket.gethostname()}-{os.getpid()}"
        namespace = os.environ.get("LAZARET_TEMPORAL_NAMESPACE", "default")
        client = await Client.connect(os.environ["LAZARET_TEMPORAL_ADDRESS"], namespace=namespace, identity=identity)
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        with ThreadPoolExecutor(1) as jobs:
            worker = Worker(
                client,
                task_queue=os.environ.get("LAZARET_TRAINER_QUEUE", self._queue),
                activities=[self.activity(store, identity)],
                activity_executor=jobs,
                # One set of devices, one job.
                max_concurrent_activities=1,
                # Without it Temporal sends every second heartbeat only, and a lost worker is noticed late.
                max_heartbeat_throttle_interval=timedelta(milliseconds=500),
                graceful_shutdown_timeout=timedelta(seconds=15),
                identity=identity,
            )
            async with worker:
                print(f"ready: queue {worker.task_queue}, {world_size()} devices", file=sys.stderr, flush=True)
                await stop.wait()

    def _finished(self, asked: dict[str, Any], desk: Desk) -> dict[str, Any] | None:
        """The result of a job that was done before: the same job never trains twice."""
        content = desk.store.read("artifacts", f"checkpoints/{asked['jobId']}/result.json")
        if content is None:
            return None
        said = json.loads(content)
        if said.get("job") != identity(asked):
            raise Failure("trainer/bad-job", "another job with this jobId has finished already")
        there = desk.store.read("artifacts", key_of(said["result"]["artifact"]["digest"])) is not None
        return checked("TrainResult", said["result"]) if there else None

    def _environment(self, device: torch.device) -> dict[str, Any]:
        """For the signed provenance: what trained."""
        sources = [Path(inspect.getsourcefile(self._function) or ""), *sorted(Path(__file__).parent.glob("*.py"))]
        code = hashlib.sha256(b"".join(source.read_bytes() for source in sources if source.is_file()))
        return {
            "trainer": f"pytorch: {self.__name__}",
            "codeDigest": f"sha256:{code.hexdigest()}",
            "python": platform.python_version(),
            "packages": {name: metadata.version(name) for name in ("torch", "onnx", "numpy", "temporalio")},
            "device": f"{world_size()} × {torch.cuda.get_device_name(device) if device.type == 'cuda' else 'cpu'}",
        }


def _device() -> torch.device:
    if not torch.cuda.is_available():
        # One thread and the deterministic kernels: the same job gives the same bytes.
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def _check() -> None:
    if activity.is_cancelled():
        raise Stopped("the job was cancelled", keep_work=activity.is_worker_shutdown())
    if activity.is_worker_shutdown():
        raise Stopped("this worker is going down", keep_work=True)


class _heart:  # noqa: N801 - reads as a verb
    """Sends the newest progress until it is left."""

    def __init__(self, latest: list[dict[str, Any]]):
        self._latest, self._over = latest, threading.Event()
        # Temporal finds the activity in the context, which threads do not inherit.
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=(self._beat,), daemon=True)

    def _beat(self) -> None:
        while not self._over.is_set():
            activity.heartbeat(self._latest[0])
            self._over.wait(HEARTBEAT_SECONDS)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
