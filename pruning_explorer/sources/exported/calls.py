"""The steps of an exported program, in groups that each belong to one call of one layer.

A layer is then called as a module, so what listens at modules hears it as in the network that was exported.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from pruning_explorer.prune.targets import layer_class
from pruning_explorer.sources.exported.program import Program, Ref, Step


@dataclass(frozen=True)
class Call:
    """Steps that follow each other and belong to one call of one layer, or to none.

    Attributes:
        path: of the layer, ``""`` where the steps are the network's own.
        takes: names of the values from before.
        gives: names of the values that are needed later, in the order in which they are made.
        drops: names of the values that nobody needs afterwards.
    """

    path: str
    steps: tuple[Step, ...]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    drops: tuple[str, ...]


def calls_of(program: Program, modules: Mapping[str, nn.Module]) -> tuple[Call, ...]:
    """All steps of a program, in their order.

    Args:
        modules: of the network, by path; those without a module in them are layers, and so is attention as a whole.
    """
    groups: list[tuple[str, str, list[Step]]] = []
    wholes = [path for path, each in modules.items() if path and issubclass(layer_class(each), nn.MultiheadAttention)]
    for step in program.steps:
        path = _layer_of(step.path, modules, wholes)
        call = ".".join(step.call.split(".")[: path.count(".") + 1]) if path else ""
        if not groups or groups[-1][:2] != (path, call):
            groups.append((path, call, []))
        groups[-1][2].append(step)
    return tuple(_with_flow(groups, program))


def _layer_of(path: str, modules: Mapping[str, nn.Module], wholes: list[str]) -> str:
    """The layer that a step of the module at ``path`` belongs to: itself, what it is a part of, or ``""`` for none."""
    for whole in wholes:
        if path == whole or path.startswith(f"{whole}."):
            return whole
    return path if path in modules and not modules[path]._modules else ""


def _with_flow(groups: list[tuple[str, str, list[Step]]], program: Program) -> Iterable[Call]:
    used = [
        list(dict.fromkeys(name for step in steps for name in _refs((step.args, step.kwargs)))) for *_, steps in groups
    ]
    made = [list(dict.fromkeys(name for step in steps for name in _names(step.outputs))) for *_, steps in groups]
    kept = set(_refs(program.outputs))
    last = {name: at for at, names in enumerate(used) for name in names}
    for at, (path, _, steps) in enumerate(groups):
        own = set(made[at])
        # What a layer returned first is its output, though perhaps only its state is read
        first = next(iter(_names(steps[-1].outputs)), None) if path and isinstance(steps[-1].outputs, tuple) else None
        yield Call(
            path,
            tuple(steps),
            tuple(name for name in used[at] if name not in own),
            tuple(name for name in made[at] if name == first or name in kept or last.get(name, -1) > at),
            tuple(
                name for name in dict.fromkeys((*used[at], *made[at])) if name not in kept and last.get(name, at) <= at
            ),
        )


def _refs(value: Any) -> Iterable[str]:
    if isinstance(value, Ref):
        yield value.name
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _refs(each)
    elif isinstance(value, Mapping):
        yield from _refs(list(value.values()))


def _names(outputs: Any) -> Iterable[str]:
    if isinstance(outputs, str):
        yield outputs
    elif isinstance(outputs, tuple):
        for each in outputs:
            yield from _names(each)
