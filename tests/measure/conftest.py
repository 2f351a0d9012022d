"""Tiny subjects whose numbers can be worked by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer.prune.subject import Subject


class Everything(nn.Module):
    """Convolution, BatchNorm, attention on its fast path, GRU and a head: ``[N, 1, 8, 8]`` to ``[N, 5]``."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.gru = nn.GRU(8, 6, batch_first=True)
        self.head = nn.Linear(6, 5)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.relu(self.bn(self.conv(images))).flatten(2).transpose(1, 2)[:, ::8]
        attended, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        states, _ = self.gru(tokens + attended)
        logits: Tensor = self.head(states[:, -1])
        return logits


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """A network with random weights, and BatchNorm statistics that are not the initial ones."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return model.eval()


def numbers(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def everything() -> Subject:
    labels = torch.randint(0, 5, (24,), generator=torch.Generator().manual_seed(2))
    return Subject.from_module(seeded(Everything), numbers(24, 1, 8, 8), labels, name="everything")


@pytest.fixture
def by_hand() -> Subject:
    """y = W x with W = [[2, 0], [0, 1]], on the samples (1, 0), (0, 1), (3, 1), labelled 0, 1, 0."""
    model = nn.Linear(2, 2, bias=False)
    model.weight = nn.Parameter(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    samples = torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 1.0]])
    return Subject.from_module(model, samples, torch.tensor([0, 1, 0]), name="by-hand", output_names=("left", "right"))


@pytest.fixture
def make() -> Callable[..., Subject]:
    """``make(build, samples, ...)``: a subject of a seeded network."""

    def subject(build: Callable[[], nn.Module], samples: Tensor | None = None, **settings: object) -> Subject:
        return Subject.from_module(seeded(build), samples, **settings)

    return subject
