"""What the station's recovery does with the trainer, at its smallest: one activity, retried."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy


@workflow.defn
class Recovery:
    @workflow.run
    async def run(self, job: dict[str, Any]) -> dict[str, Any]:
        return await workflow.execute_activity(
            "train",
            job,
            task_queue="trainer",
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=timedelta(seconds=2),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=1)),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
