"""The same training steps in PyTorch's eager mode, for throughput.py; run by an interpreter that has torch: `eager.py NETWORK THREADS`.

Every line of the standard input is a number of seconds to train for, every answer a line of JSON: samples per second of the clock and of
the processor, threads, version.
"""

import json
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

BATCH = 128
RECORDS = 4096


def network(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    if name == "mlp":
        layers = [nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)]
        return nn.Sequential(*layers), (1, 28, 28)
    channels, size = (1, 28) if name == "cnn28" else (3, 32)
    convolutions = [nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()]
    width = 32 * (size // 4) ** 2
    dense = [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*convolutions, *dense), (channels, size, size)


def stepping(name: str) -> Callable[[], None]:
    torch.manual_seed(0)
    model, shape = network(name)
    features, labels = torch.rand(RECORDS, *shape), torch.randint(0, 10, (RECORDS,))
    optimizer, criterion = torch.optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def step() -> None:
        rows = torch.randint(0, RECORDS, (BATCH,))
        loss = criterion(model(features[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    return step


def main(name: str, threads: int) -> None:
    torch.set_num_threads(threads)
    step = stepping(name)
    for _ in range(5):
        step()
    for line in sys.stdin:
        steps, began, busy = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - began < float(line):
            step()
            steps += 1
        clock, processor = (steps * BATCH / spent for spent in (time.perf_counter() - began, time.process_time() - busy))
        told = {"clock": clock, "processor": processor, "threads": torch.get_num_threads(), "version": torch.__version__}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
