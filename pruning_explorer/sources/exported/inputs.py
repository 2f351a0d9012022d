"""What an exported program takes: whether inputs fit, and inputs of noise where there are none."""

from collections.abc import Mapping, Sequence
from math import prod

import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.exported.program import Dim, Input, Program, Ref

SAMPLES = 32
LARGEST_INPUT = 1 << 26
"""Most elements of a random input that is made for a network."""

SEED = 0

SAME_NUMBERS = frozenset(
    {
        *("to", "_to_copy", "view", "reshape", "flatten", "unflatten", "contiguous", "clone", "alias", "detach"),
        *("expand", "slice", "select", "squeeze", "unsqueeze", "transpose", "permute", "t", "clamp", "narrow"),
        "type_as",
    }
)
"""Operators whose output holds the integers of their input unchanged."""


class Signature:
    """The tensors that a program takes.

    Attributes:
        least, most: samples in one batch; ``most`` is None where there is no limit.
        fixed: whether it is one number of samples and no other.
    """

    def __init__(self, inputs: Sequence[Input], ranges: Mapping[str, tuple[int, int | None]]) -> None:
        """Find which dim is the batch.

        Raises:
            SubjectError: there is no tensor, or they are not all batch first.
        """
        self.inputs, self.ranges = tuple(inputs), ranges
        shapes = "; ".join(f"{each.name} {[dim.size for dim in each.dims]}" for each in self.inputs[:6])
        if not self.inputs:
            raise SubjectError("it takes no tensor, so nothing can be put in; export a network of at least one")
        if any(not each.dims for each in self.inputs) or len({each.dims[0] for each in self.inputs}) > 1:
            raise SubjectError(
                f"its inputs do not share a first dim for the samples ({shapes}); export it with inputs that do, or "
                "save its state_dict, whose weights can be seen without running"
            )
        self.batch: Dim = self.inputs[0].dims[0]
        self.least: int
        self.most: int | None
        if self.batch.symbol is None or self.batch.times > 1:
            self.least, self.most = self.batch.size, self.batch.size
        else:
            self.least, self.most = ranges.get(self.batch.symbol, (1, None))
        self.fixed = self.least == self.most
        if self.least < 1 or (self.most is not None and self.most < self.least):
            raise SubjectError(
                f"it takes batches of {self.least} to {self.most} samples, which is none; export it again"
            )

    def misfit(self, tensors: Sequence[Tensor]) -> str | None:
        """What is wrong with inputs, as the end of a sentence; None where they fit."""
        if len(tensors) == len(self.inputs):
            symbols: dict[str, int] = {}
            if all(self._fits(each, tensor, symbols) for each, tensor in zip(self.inputs, tensors, strict=True)):
                return None
        takes = ", ".join(f"{each.name} {_name(each.dtype)} {self._shape(each)}" for each in self.inputs[:6])
        given = ", ".join(f"{_name(tensor.dtype)} {list(tensor.shape)}" for tensor in tensors[:6]) or "nothing"
        return f"takes {takes} and is given {given}"

    def _fits(self, wanted: Input, tensor: Tensor, symbols: dict[str, int]) -> bool:
        if tensor.dim() != len(wanted.dims) or _kind(tensor.dtype) != _kind(wanted.dtype) or len(tensor) == 0:
            return False
        for dim, size in list(zip(wanted.dims, tensor.shape, strict=True))[1:]:
            if dim.symbol is None:
                if size != dim.size:
                    return False
                continue
            low, high = self.ranges.get(dim.symbol, (1, None))
            of_one, rest = divmod(size, dim.times)
            if rest or of_one < low or (high is not None and of_one > high):
                return False
            if dim != self.batch and symbols.setdefault(dim.symbol, of_one) != of_one:
                return False
        return True

    def _shape(self, wanted: Input) -> str:
        return f"[{', '.join(['N', *(self._size(dim) for dim in wanted.dims[1:])])}]"

    def _size(self, dim: Dim) -> str:
        if dim.symbol is None:
            return str(dim.size)
        low, high = self.ranges.get(dim.symbol, (1, None))
        limits = f"{low} to {high}" if high is not None else f"{low} or more"
        return f"{dim.symbol} ({limits})" if dim.times == 1 else f"{dim.times} x {dim.symbol} ({limits})"


def make_samples(program: Program, signature: Signature, state: Mapping[str, Tensor], count: int) -> tuple[Tensor, ...]:
    """Noise of the program's own shapes and dtypes, the same each time.

    Floats are standard normal; whole numbers are drawn from what the embedding that reads them has, or else 0 and 1;
    a mask lets all through.

    Raises:
        SubjectError: an input would be too large to make up.
    """
    generator = torch.Generator().manual_seed(SEED)
    return tuple(_make(each, program, state, count, generator) for each in signature.inputs)


def _make(
    wanted: Input, program: Program, state: Mapping[str, Tensor], count: int, generator: torch.Generator
) -> Tensor:
    shape = [count, *(dim.size for dim in wanted.dims[1:])]
    if prod(shape) > LARGEST_INPUT or len(shape) > 32:
        raise SubjectError(f"its input {wanted.name} of {shape} is too large to be made up; export a smaller one")
    if wanted.dtype.is_floating_point:
        return torch.randn(shape, generator=generator).to(wanted.dtype)
    if wanted.dtype.is_complex:
        raise SubjectError(
            f"its input {wanted.name} is of complex numbers, which are not made up here; export real ones"
        )
    if "mask" in wanted.name.lower():
        lets_through = 0 if "padding" in wanted.name.lower() and wanted.dtype == torch.bool else 1
        return torch.full(shape, lets_through, dtype=wanted.dtype)
    if wanted.dtype == torch.bool:
        return torch.randint(2, shape, generator=generator).bool()
    high = min(_vocabulary(wanted.name, program, state), torch.iinfo(wanted.dtype).max)
    return torch.randint(high, shape, generator=generator).to(wanted.dtype)


def _vocabulary(name: str, program: Program, state: Mapping[str, Tensor]) -> int:
    """How many rows the smallest embedding has that reads an input; 2 where none does."""
    same = {name}
    rows = []
    for step in program.steps:
        if step.packet in SAME_NUMBERS and step.args and _named(step.args[0]) in same and isinstance(step.outputs, str):
            same.add(step.outputs)
        elif step.packet == "embedding" and len(step.args) > 1 and _named(step.args[1]) in same:
            weight = program.state.get(_named(step.args[0]) or "", "")
            if weight in state and state[weight].dim() > 0:
                rows.append(len(state[weight]))
    return max(1, min(rows, default=2))


def _named(value: object) -> str | None:
    return value.name if isinstance(value, Ref) else None


def _kind(dtype: torch.dtype) -> str:
    if dtype == torch.bool:
        return "bool"
    return "float" if dtype.is_floating_point else "complex" if dtype.is_complex else "int"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
