"""A person's own metric: its name, and an id by which it differs from others."""

import functools
import hashlib
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

Metric = Callable[[Tensor, Tensor | None], Tensor]
"""Logits ``[N, ...]`` and labels (None where there are none) to one number per sample, ``[N]`` in [0, 1], higher is
better; bool where a sample is right or wrong."""

UNNAMED = "own metric"
DEPTH = 6
"""Levels of functions inside closures that enter a metric's id; there is a limit since a function may refer to
itself."""

PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype)


def metric_name(metric: Metric) -> str:
    """The name of a metric: its function's name, in words.

    >>> def exact_span_match(logits, labels): ...
    >>> metric_name(exact_span_match)
    'exact span match'
    """
    if isinstance(metric, functools.partial):
        return metric_name(metric.func)
    name = getattr(metric, "__name__", type(metric).__name__)
    return " ".join(str(name).replace("<lambda>", "").replace("_", " ").split()) or UNNAMED


def name_of_quality(labels: Tensor | None, metric: Metric | None) -> str:
    """The name of quality where none was given: ``"accuracy"``, ``"exact match"``, or the metric's."""
    if metric is not None:
        return metric_name(metric)
    return "accuracy" if labels is None or labels.dim() == 1 else "exact match"


def classes_among(labels: Tensor | None, metric: Metric | None, named: bool) -> Tensor | None:
    """The labels, where they are classes of the samples (one for each); else None.

    Args:
        named: whether there are names for them. What a metric is given may be anything, unless there are.
    """
    if labels is None or labels.dim() != 1:
        return None
    return labels if metric is None or (named and not labels.is_floating_point()) else None


def metric_id(metric: Metric) -> str:
    """An id of what a metric does: its place and name, its compiled code, and the values that it holds on to.

    Two functions of one name that compute differently have different ids. Where they call others by name, those count
    by name only.
    """
    digest = hashlib.blake2b(digest_size=8)
    _add(digest, metric, DEPTH)
    return digest.hexdigest()


def _add(digest: "hashlib.blake2b", value: Any, depth: int) -> None:
    digest.update(f"({type(value).__module__}.{type(value).__qualname__} ".encode())
    if isinstance(value, PLAIN):
        digest.update(repr(value).encode())
    elif isinstance(value, Tensor):
        digest.update(f"{tuple(value.shape)} {value.dtype} ".encode())
        if not value.is_meta and value.numel():
            digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        digest.update(f"{value.shape} {value.dtype} ".encode() + value.tobytes())
    elif depth:
        for part in _parts(value):
            _add(digest, part, depth - 1)
    digest.update(b")")


def _parts(value: Any) -> list[Any]:
    """The parts of a value, in an order that is the same in every process."""
    if isinstance(value, tuple | list):
        return list(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if isinstance(value, Mapping):
        return [part for key, each in value.items() for part in (key, each)]
    if isinstance(value, types.CodeType):
        return [value.co_code, value.co_names, value.co_varnames, value.co_consts]
    if isinstance(value, types.FunctionType):
        held = tuple(_held(cell) for cell in value.__closure__ or ())
        place = (value.__module__, value.__qualname__)
        return [*place, value.__code__, value.__defaults__, value.__kwdefaults__, held]
    if isinstance(value, types.MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return [getattr(value, "__module__", ""), getattr(value, "__qualname__", "")]
    return [[each for each in vars(type(value)).values() if isinstance(each, types.FunctionType)], vars(value)]


def _held(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None
