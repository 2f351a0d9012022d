"""A network that remembers its last call gives the same result each time, whatever it remembers it in."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer.measure.forward import masked_outputs
from pruning_explorer.measure.skeletons import borrow_skeleton
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject


class Counter:
    calls = 0


class Remembering(nn.Module):
    """Adds what ``remember`` makes of its memory, which ``memory`` makes at first."""

    def __init__(self, memory: Callable[[], object], remember: Callable[[nn.Module], float]) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.memory = memory()
        self.remember = remember

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(x) + self.remember(self)
        return logits


def grow(module: nn.Module) -> float:
    module.memory.append(1.0)
    return float(len(module.memory))


def grow_inside(module: nn.Module) -> float:
    module.memory["deep"][0].append(1.0)
    return float(len(module.memory["deep"][0]))


def count(module: nn.Module) -> float:
    module.memory += 1
    return float(module.memory)


def count_in_object(module: nn.Module) -> float:
    module.memory.calls += 1
    return float(module.memory.calls)


def add_module(module: nn.Module) -> float:
    module.add_module(f"more{len(module._modules)}", nn.Identity())
    return float(len(module._modules))


def count_in_hidden_module(module: nn.Module) -> float:
    module.memory[0].calls = getattr(module.memory[0], "calls", 0) + 1
    return float(module.memory[0].calls)


def add_buffer(module: nn.Module) -> float:
    module.register_buffer(f"more{len(module._buffers)}", torch.ones(1))
    return float(len(module._buffers))


MEMORIES: dict[str, tuple[Callable[[], object], Callable[[nn.Module], float]]] = {
    "a number": (int, count),
    "a list": (list, grow),
    "a list in a dict": (lambda: {"deep": ([],)}, grow_inside),
    "an object": (Counter, count_in_object),
    "a module that is no child": (lambda: [nn.Identity()], count_in_hidden_module),
    "a new child": (lambda: None, add_module),
    "a new buffer": (lambda: None, add_buffer),
}


@pytest.mark.parametrize("kind", MEMORIES)
def test_no_call_knows_of_another(make: Callable[..., Subject], kind: str) -> None:
    subject = make(partial(Remembering, *MEMORIES[kind]), torch.ones(2, 3))
    masks = compute_masks(subject, Recipe())
    first, second, third = (masked_outputs(subject, masks) for _ in range(3))
    assert torch.equal(first, second)
    assert torch.equal(first, third)


def test_a_network_that_remembers_nothing_is_copied_once(everything: Subject) -> None:
    with borrow_skeleton(everything.model) as first, torch.no_grad():
        assert first is not everything.model
        first(*(everything.samples or ()))
        with borrow_skeleton(everything.model) as meanwhile:
            assert meanwhile is not first
    with borrow_skeleton(everything.model) as second:
        assert second in (first, meanwhile)


def test_one_that_failed_is_not_used_again(everything: Subject) -> None:
    with pytest.raises(ZeroDivisionError), borrow_skeleton(everything.model) as first:
        raise ZeroDivisionError
    with borrow_skeleton(everything.model) as second:
        assert second is not first
