"""What a user writes: the network as the served graph has it, and a loop. `python train.py` or `torchrun --nproc-per-node 2 train.py`."""

import torch
from torch import nn
from torch.nn import functional

from lazaret_torch import Job, trainer


class Digits(nn.Module):
    """The drills' network. Its parameters bear the names of the graph's initializers, which is all that ties the two together."""

    def __init__(self) -> None:
        super().__init__()
        self.conv0, self.conv1 = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)
        self.hidden, self.head = nn.Linear(128, 64), nn.Linear(64, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        for convolution in (self.conv0, self.conv1):
            images = functional.max_pool2d(convolution(images).relu(), 2)
        return self.head(self.hidden(images.flatten(1)).relu())


@trainer(queue="trainer")
def train(job: Job) -> dict[str, torch.Tensor]:
    model = Digits()
    model.load_state_dict(job.weights)
    model = job.parallel(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=job.learning_rate)
    job.restore(model, optimizer)
    for features, labels in job.batches():
        loss = functional.cross_entropy(model(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        job.done(loss)
    return model.state_dict()


if __name__ == "__main__":
    train.serve()
