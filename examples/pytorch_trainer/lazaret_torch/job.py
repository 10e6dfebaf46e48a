"""One training job as the user's function sees it: weights, batches, resume; and what it owes after every step."""

import io
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import torch
from torch import distributed, nn

from .contract import Failure, Stopped
from .inputs import Graph, records
from .store import Store, get


@dataclass
class Desk:
    """What a job needs of the world. Ranks other than the first have only the store."""

    store: Store
    worker: str
    report: Callable[[dict[str, Any]], None] = lambda _: None
    check: Callable[[], None] = lambda: None
    """Raises Stopped."""


@dataclass
class Job:
    """Under torchrun every rank has its own: the same weights, its share of every batch."""

    asked: dict[str, Any]
    desk: Desk
    device: torch.device
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    resumed_at_steps: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.asked["objective"] != "standard" or self.asked.get("options"):
            raise Failure("trainer/bad-job", "this trainer serves the objective standard, without options")
        self.graph = Graph(get(self.desk.store, self.asked["base"]))
        self._features, self._labels = records(self.desk.store, self.asked["dataset"])
        hyperparameters = self.asked["hyperparameters"]
        self.epochs, self.learning_rate, self.seed = (hyperparameters[name] for name in ("epochs", "learningRate", "seed"))
        self.batch_size = min(hyperparameters["batchSize"], len(self._labels))
        if self.batch_size % world_size():
            raise Failure("trainer/bad-job", f"a batch of {self.batch_size} records cannot be shared by {world_size()} devices alike")
        self.steps_per_epoch = len(self._labels) // self.batch_size
        self.steps = self.epochs * self.steps_per_epoch
        if self.steps > self.asked["budget"]["steps"]:
            raise Failure("trainer/budget-exceeded", f"the job takes {self.steps} steps, its budget is {self.asked['budget']['steps']}")
        self.step, self.curve, self._saved = 0, [], 0
        self._spent, self._began = 0.0, time.monotonic()
        torch.manual_seed(self.seed)

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """Of the base model, by the names of the graph's initializers."""
        return self.graph.weights

    @property
    def records(self) -> int:
        return len(self._labels)

    def parallel(self, model: nn.Module) -> nn.Module:
        """The model on this rank's device; under torchrun its gradients are averaged over all ranks."""
        model = model.to(self.device)
        return nn.parallel.DistributedDataParallel(model) if world_size() > 1 else model

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Goes on from the newest checkpoint, if there is one. The rank that reports reads it for all."""
        found = share(self._newest() if first_rank() else None)
        self._model, self._optimizer = model, optimizer
        if found is None:
            return
        model.load_state_dict(found["model"])
        optimizer.load_state_dict(found["optimizer"])
        self.step = self._saved = found["step"]
        self.curve, self.started_at, self._spent = found["curve"], found["startedAt"], found["spentSeconds"]
        self.resumed_at_steps = [*found["resumedAtSteps"], self.step]

    def batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """This rank's share of every batch that is left. Which records come when follows from seed and epoch alone."""
        rank, size = (distributed.get_rank() if world_size() > 1 else 0), self.batch_size // world_size()
        self._between_steps(None)
        while self.step < self.steps:
            epoch, place = divmod(self.step, self.steps_per_epoch)
            order = torch.randperm(self.records, generator=torch.Generator().manual_seed(self.seed * 1_000_003 + epoch))
            rows = order[place * self.batch_size :][rank * size : (rank + 1) * size]
            yield self._features[rows].to(self.device), self._labels[rows].to(self.device)

    def done(self, loss: torch.Tensor) -> None:
        """MUST be called after every step, by every rank: it reports, saves, and obeys a cancellation."""
        mean = loss.detach().clone()
        if world_size() > 1:
            distributed.all_reduce(mean)
            mean /= world_size()
        value = float(mean)
        if not math.isfinite(value):
            raise Failure("trainer/diverged", f"the loss is {value} at step {self.step + 1} of {self.steps}")
        self.step += 1
        self.curve.append({"step": self.step, "epoch": (self.step - 1) // self.steps_per_epoch, "loss": value})
        self._between_steps(value)

    def _between_steps(self, loss: float | None) -> None:
        """The rank that reports decides, and all do the same: a rank that went on alone would wait for the others for ever."""
        verdict = share(self._decided(loss) if first_rank() else None)
        if verdict is not None:
            raise verdict

    def _decided(self, loss: float | None) -> Exception | None:
        if self.step - self._saved >= self.asked["checkpointEverySteps"] and self.step < self.steps:
            self._save()
        epoch = min(self.step, self.steps - 1) // self.steps_per_epoch
        progress = {"step": self.step, "steps": self.steps, "epoch": epoch, "loss": loss, "checkpointStep": self._saved}
        self.desk.report({"jobId": self.asked["jobId"], "worker": self.desk.worker, **progress})
        try:
            self.desk.check()
        except Stopped as stopped:
            if stopped.keep_work and self.step > self._saved:
                self._save()
            return stopped
        spent, budget = self._spent + time.monotonic() - self._began, self.asked["budget"]["seconds"]
        if spent > budget and self.step < self.steps:
            return Failure(
                "trainer/budget-exceeded", f"{spent:.0f} s are spent at step {self.step} of {self.steps}; the budget is {budget:g} s"
            )
        return None

    @property
    def _folder(self) -> str:
        return f"checkpoints/{self.asked['jobId']}/"

    def _save(self) -> None:
        state = {
            # Another data set, model or seed is another job, whatever its id says.
            "job": identity(self.asked),
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "curve": self.curve,
            "startedAt": self.started_at,
            "spentSeconds": self._spent + time.monotonic() - self._began,
            "resumedAtSteps": self.resumed_at_steps,
        }
        file = io.BytesIO()
        torch.save(state, file)
        self.desk.store.write(f"{self._folder}{self.step:08d}.pt", file.getvalue())
        self._saved = self.step
        for key in [key for key in self.desk.store.keys(self._folder) if key.endswith(".pt")][:-2]:
            self.desk.store.delete(key)

    def _newest(self) -> dict[str, Any] | None:
        """Whoever can write to the bucket could put code into a pickle: `weights_only` reads tensors and plain values alone."""
        for key in reversed([key for key in self.desk.store.keys(self._folder) if key.endswith(".pt")]):
            try:
                state = torch.load(io.BytesIO(self.desk.store.read("artifacts", key) or b""), weights_only=True)
            except Exception:  # noqa: S112 - a checkpoint that was cut short costs only the steps since the one before
                continue
            if state.get("job") == identity(self.asked):
                return state
        return None


def identity(asked: dict[str, Any]) -> str:
    """What decides the result."""
    return json.dumps(
        [asked["jobId"], asked["base"]["digest"], asked["dataset"]["manifest"]["digest"], asked["hyperparameters"]], sort_keys=True
    )


def world_size() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def first_rank() -> bool:
    return world_size() == 1 or distributed.get_rank() == 0


def share(value: Any) -> Any:
    """The first rank's value, in every rank."""
    if world_size() == 1:
        return value
    box = [value]
    distributed.broadcast_object_list(box, src=0, group=CONTROL.get("group"))
    return box[0]


CONTROL: dict[str, Any] = {}
"""The group that ranks agree in: on processors, also where gradients go from GPU to GPU, and without a limit on waiting for work."""
