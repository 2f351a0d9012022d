"""Sample networks of Linear layers, pruned by ``torch.nn.utils.prune`` alone."""

import copy
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from tests.ui.learn.torch_alone import logits_of, trained

PERCENTS = range(101)
"""The slider's stops."""

Prune = Callable[[nn.Module], object]


def layers_of(network: nn.Module) -> list[tuple[nn.Module, str]]:
    return [(module, "weight") for module in network.modules() if isinstance(module, nn.Linear)]


def smallest_of_each(percent: int) -> Prune:
    return lambda network: [prune.l1_unstructured(*each, amount=percent / 100) for each in layers_of(network)]


def largest_of_each(percent: int) -> Prune:
    """By 1 / |w|, which tells the weights of these networks apart."""
    return lambda network: [
        prune.l1_unstructured(module, name, amount=percent / 100, importance_scores=1 / module.weight.abs())
        for module, name in layers_of(network)
    ]


def at_random(percent: int, seed: int) -> Prune:
    """Each layer from a stream of its own, which its place among all parameters chooses."""

    def draw(network: nn.Module) -> None:
        places = {name: place for place, (name, _) in enumerate(network.named_parameters())}
        layers = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)]
        with torch.random.fork_rng(devices=[]):
            for name, module in layers:
                torch.default_generator.manual_seed(seed + 1_000_003 * places[f"{name}.weight"])
                prune.random_unstructured(module, "weight", amount=percent / 100)

    return draw


def pruned(name: str, how: Prune) -> nn.Module:
    """A sample network, pruned."""
    network = copy.deepcopy(_dense(name))
    how(network)
    return network


_dense = lru_cache(trained)


def answers(network: nn.Module, inputs: Tensor) -> Tensor:
    """Index of the largest output of each sample."""
    return logits_of(network, inputs).argmax(dim=1)


def grid(extent: list[float], size: list[int]) -> Tensor:
    """Points all over a plane, row by row from the lowest y."""
    x_from, x_to, y_from, y_to = extent
    _, height, width = size
    x, y = (
        torch.linspace(start, end, count, dtype=torch.float64)
        for start, end, count in ((x_from, x_to, width), (y_from, y_to, height))
    )
    across, up = torch.meshgrid(x, y, indexing="xy")
    return torch.stack([across, up], dim=-1).reshape(-1, 2).float()


def percent_of(right: Tensor) -> str:
    """A share as a page writes it."""
    share = 100 * int(right.sum()) / len(right)
    assert share == 0 or 0.1 <= share <= 99.9 or share == 100
    return f"{share:.1f} %"
