"""Footprint: bytes on disk, bytes in memory and milliseconds of networks, all measured on this machine."""

import io
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pruning_explorer.prune.targets import is_lazy

ROUNDS = 60
WORTH_TIMING = 1e-3
"""Seconds of one timing: much longer than reading the clock takes, shorter than the time between most interruptions."""


@dataclass(frozen=True)
class Footprint:
    """Size and time of one network.

    Attributes:
        on_disk: bytes, as :func:`bytes_on_disk`.
        in_memory: bytes, as :func:`bytes_in_memory`.
        milliseconds: of one forward pass, in each round, in order; empty where it was not timed.
    """

    on_disk: int
    in_memory: int
    milliseconds: tuple[float, ...] = ()

    @property
    def quartiles(self) -> tuple[float, float, float] | None:
        """Quartiles of the rounds, in milliseconds: 25 %, 50 % and 75 % of the rounds were faster; None without rounds.

        The second is the median. A mean would follow the few rounds in which the machine did something else.
        """
        return quartiles(self.milliseconds)


def quartiles(milliseconds: tuple[float, ...]) -> tuple[float, float, float] | None:
    """Quartiles of any number of rounds, in milliseconds; None where there are none.

    >>> quartiles((1.0, 2.0, 3.0, 4.0, 100.0))
    (2.0, 3.0, 4.0)
    """
    if not milliseconds:
        return None
    low, median, high = np.quantile(milliseconds, (0.25, 0.5, 0.75)).tolist()
    return low, median, high


def speed_up(dense: Footprint, other: Footprint) -> tuple[float, float, float] | None:
    """How many times faster than the dense network another one is, round by round: a quarter, a half, three quarters.

    Both of a round ran one soon after the other, so a busy machine slows both. None where they were not timed together.
    Where the first is below 1 and the last above, the rounds do not tell which of the two is faster.
    """
    return quartiles(tuple(a / b for a, b in zip(dense.milliseconds, other.milliseconds, strict=True)))


def bytes_on_disk(model: nn.Module) -> int:
    """Bytes of the file that ``torch.save(model.state_dict(), file)`` writes: all tensors, zeros in full.

    Of a network under ``torch.nn.utils.prune`` that is ``weight_orig`` and ``weight_mask`` of each pruned layer.
    """
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    return file.getbuffer().nbytes


def bytes_in_memory(model: nn.Module) -> int:
    """Bytes of all tensors that the modules hold: parameters, buffers, and what stands beside them as an attribute.

    Shared memory counts once. Of a network under ``torch.nn.utils.prune`` the product ``weight`` is there, too, which
    each pruned layer computes anew before it runs. What a forward pass needs while it runs is not counted.
    """
    held: dict[int, int] = {}
    for module in model.modules():
        beside = (value for value in vars(module).values() if isinstance(value, Tensor))
        for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False), *beside):
            if not is_lazy(tensor):
                storage = tensor.untyped_storage()
                held[storage.data_ptr()] = storage.nbytes()
    return sum(held.values())


def time_in_rounds(
    models: Mapping[str, nn.Module], inputs: tuple[Tensor, ...], rounds: int = ROUNDS
) -> Iterator[dict[str, float]]:
    """Time networks against each other: in every round each runs once, so that what slows the machine hits all alike.

    Wall time under ``inference_mode``, on as many threads as torch has, after a warm-up. A network that takes
    microseconds runs many times over in a round, and the time is divided by how often. Who begins takes turns.

    Args:
        models: by name, in eval mode. A hook on one is part of what is timed.
        inputs: positional inputs of ``forward``, one batch; nobody may write to them.

    Yields:
        Name -> milliseconds of one forward pass, ``rounds`` times.
    """
    names = list(models)
    times = {name: _how_often(models[name], inputs) for name in names}
    for number in range(rounds):
        first = number % len(names)
        spent = {name: _seconds(models[name], inputs, times[name]) for name in names[first:] + names[:first]}
        yield {name: 1000 * spent[name] / times[name] for name in names}


def _how_often(model: nn.Module, inputs: tuple[Tensor, ...]) -> int:
    _seconds(model, inputs, 2)
    fastest = min(_seconds(model, inputs, 1) for _ in range(3))
    return max(1, round(WORTH_TIMING / max(fastest, 1e-7)))


def _seconds(model: nn.Module, inputs: tuple[Tensor, ...], times: int) -> float:
    with torch.inference_mode():
        begun = time.perf_counter()
        for _ in range(times):
            model(*inputs)
        return time.perf_counter() - begun
