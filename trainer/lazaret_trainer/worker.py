"""The trainer's process: `python -m lazaret_trainer.worker`. Serves the queue, one job at a time, until SIGTERM or SIGINT."""

import asyncio
import logging
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from . import device, logs, settings
from .activity import train_activity
from .idleness import Idleness
from .question_activity import question_activities
from .storage import S3Storage

LOG = logging.getLogger("lazaret_trainer.worker")

GRACE = timedelta(seconds=15)
"""To finish a step and write a checkpoint."""

CONNECT_ATTEMPTS = 60
CONNECT_PAUSE_SECONDS = 1.0
"""A station starts its processes together, and Temporal is not the fastest of them."""


async def serve(configured: settings.Settings, stop: asyncio.Event) -> None:
    """Polls the queue until `stop` is set or nothing came for `idle_seconds`; a job in progress writes a checkpoint and is handed back."""
    identity = f"{socket.gethostname()}-{os.getpid()}"
    client = await _connect(configured, identity, stop)
    if client is None:
        return
    idleness = Idleness()
    storage = S3Storage(configured.s3)
    with ThreadPoolExecutor(1, thread_name_prefix="job") as jobs:
        worker = Worker(
            client,
            task_queue=configured.queue,
            activities=[train_activity(storage, identity), *question_activities(storage)],
            activity_executor=jobs,
            # One device, one job: a second one would wait for the first with its clock running.
            max_concurrent_activities=1,
            max_heartbeat_throttle_interval=timedelta(milliseconds=500),
            default_heartbeat_throttle_interval=timedelta(milliseconds=500),
            graceful_shutdown_timeout=GRACE,
            identity=identity,
            interceptors=[idleness],
        )
        async with worker:
            LOG.info("ready", extra={"queue": configured.queue, "identity": identity, "device": device.describe()})
            await _stopped_or_idle(stop, idleness, configured.idle_seconds)
            LOG.info("stopping")


async def _stopped_or_idle(stop: asyncio.Event, idleness: Idleness, idle_seconds: float | None) -> None:
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(stop.wait())]
    if idle_seconds is not None:
        waits.append(asyncio.ensure_future(idleness.lasts(idle_seconds)))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for waiting in waits:
        waiting.cancel()


async def _connect(configured: settings.Settings, identity: str, stop: asyncio.Event) -> Client | None:
    for attempt in range(1, CONNECT_ATTEMPTS + 1):
        try:
            return await Client.connect(configured.temporal_address, namespace=configured.temporal_namespace, identity=identity)
        except RuntimeError as error:
            if attempt == CONNECT_ATTEMPTS:
                raise
            if attempt % 5 == 1:
                LOG.warning("Temporal does not answer yet", extra={"address": configured.temporal_address, "reason": str(error)[:200]})
        try:
            await asyncio.wait_for(stop.wait(), CONNECT_PAUSE_SECONDS)
            return None
        except TimeoutError:
            continue
    return None


async def _run(configured: settings.Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await serve(configured, stop)


def main() -> None:
    logs.configure()
    try:
        configured = settings.load(os.environ)
    except settings.SettingsError as error:
        for problem in error.problems:
            LOG.error("configuration: %s", problem)
        sys.exit(2)
    device.configure(configured.cache)
    try:
        asyncio.run(_run(configured))
    except RuntimeError as error:
        LOG.error("cannot serve: %s", error)
        sys.exit(1)


if __name__ == "__main__":
    main()
