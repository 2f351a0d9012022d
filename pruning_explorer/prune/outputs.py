"""The tensors in what a network returns."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor


def all_tensors(output: Any) -> list[Tensor]:
    """Every tensor in what a network returns: in tuples, lists, mappings and dataclasses, however deep."""
    if isinstance(output, Tensor):
        return [output]
    parts: Iterable[Any] = ()
    if isinstance(output, Mapping):
        parts = output.values()
    elif isinstance(output, tuple | list):
        parts = output
    elif is_dataclass(output) and not isinstance(output, type):
        parts = (getattr(output, each.name) for each in fields(output))
    return [tensor for part in parts for tensor in all_tensors(part)]


def first_tensor(output: Any) -> Tensor | None:
    """The tensor itself, ``.logits`` of it, or the first tensor in it."""
    if isinstance(output, Tensor):
        return output
    named = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    if isinstance(named, Tensor):
        return named
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, tuple | list) else ()
    found = (first_tensor(part) for part in parts)
    return next((tensor for tensor in found if tensor is not None), None)
