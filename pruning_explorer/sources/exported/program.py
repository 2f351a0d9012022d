"""An exported program as plain values: what it takes, its steps one after another, and what it returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Ref:
    """A value that an earlier step made, by its name."""

    name: str


@dataclass(frozen=True)
class RunDevice:
    """The device on which the program is run, whatever it was exported on."""


@dataclass(frozen=True)
class Float:
    """A floating-point dtype, to be widened where wider tensors stand in for the program's own."""

    dtype: torch.dtype


@dataclass(frozen=True)
class Step:
    """One call of one operator.

    Attributes:
        function: an operator of torch, or arithmetic on sizes.
        target: its name, for messages.
        packet: its short name: ``conv2d``; empty for arithmetic.
        args, kwargs: constants, :class:`Ref`, :class:`RunDevice`, :class:`Float`, and lists of these.
        outputs: the name of the one result, or a tuple of names, nested as the result is; None for what nobody uses.
        writes: positions of the arguments that it changes in place.
        call: the module whose call it belongs to, with the number of the call: ``"relu@1"``.
        path: of that module.
    """

    function: Any
    target: str
    packet: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: Any
    writes: tuple[int, ...]
    call: str
    path: str


@dataclass(frozen=True)
class Dim:
    """A size of an input: a number, or ``times`` a symbol.

    Attributes:
        size: at the export; what it is where ``symbol`` is None.
    """

    size: int
    symbol: str | None = None
    times: int = 1


@dataclass(frozen=True)
class Input:
    """A tensor that a caller gives."""

    name: str
    dims: tuple[Dim, ...]
    dtype: torch.dtype


@dataclass(frozen=True)
class Program:
    """An exported program.

    Attributes:
        inputs: the tensors among its inputs, flattened; numbers among them are already part of the steps.
        state: name of a value -> name of the parameter, buffer or constant that it is.
        constants: those names among them that are constants.
        steps: in the order in which they run.
        outputs: what it returns: :class:`Ref` and constants in tuples, lists and dicts.
        ranges: symbol -> the least and the most that it may be; None where there is no limit.
        module_types: path of a module -> name of its class, where that is known.
        module_order: paths of all modules, in the order in which they were defined.
        torch_version: that exported it.
    """

    inputs: tuple[Input, ...]
    state: Mapping[str, str]
    constants: frozenset[str]
    steps: tuple[Step, ...]
    outputs: Any
    ranges: Mapping[str, tuple[int, int | None]]
    module_types: Mapping[str, str]
    module_order: tuple[str, ...]
    torch_version: str

    def __deepcopy__(self, memo: dict[int, Any]) -> "Program":
        return self
