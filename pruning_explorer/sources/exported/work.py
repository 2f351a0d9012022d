"""How much an exported program computes, found without computing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.dispatch import OperationMode
from pruning_explorer.sources.exported.network import ExportedNetwork
from pruning_explorer.sources.exported.operators import work_of

MOST_WORK = 4 * 10**12
"""Most steps of work of one batch: some minutes on one core."""

MOST_BYTES = 8 << 30
"""Most bytes of all tensors that one batch creates together."""

MOST_CALLS = 300_000
"""Most kernel calls of one batch; a recurrent layer makes several for each time step."""


@dataclass(frozen=True)
class Work:
    """Of one pass.

    Attributes:
        steps: each like a multiplication in a matrix product, roughly.
        bytes: of all tensors on the way.
    """

    steps: int
    bytes: int


def weigh(network: ExportedNetwork, samples: tuple[Tensor, ...]) -> Work:
    """Run a network on tensors that have shapes and no values, and count what it would do.

    Raises:
        SubjectError: it would be more than is computed here, depends on values, or fails.
    """
    state: Mapping[str, Tensor] = {
        name: _shape_only(each) for name, each in (*network.named_parameters(), *network.named_buffers())
    }
    scale = _Scale()
    with torch.no_grad(), scale:
        functional_call(network, dict(state), tuple(map(_shape_only, samples)))
    return Work(scale.steps, scale.bytes)


def _shape_only(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


class _Scale(OperationMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.steps = 0
        self.bytes = 0
        self.calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        self.steps += work_of(func, args, kwargs, output)
        made = output if isinstance(output, list | tuple) else [output]
        if not func.is_view:
            self.bytes += sum(each.untyped_storage().nbytes() for each in made if isinstance(each, Tensor))
        self.calls += 1
        if self.steps > MOST_WORK or self.bytes > MOST_BYTES or self.calls > MOST_CALLS:
            raise SubjectError(
                f"it takes more than {MOST_WORK:.0e} steps, {MOST_CALLS} kernels or {MOST_BYTES >> 30} GiB for one "
                "batch, which is more than is computed here; export it for smaller inputs, or save its state_dict, "
                "whose weights can be seen without running"
            )
        return output
