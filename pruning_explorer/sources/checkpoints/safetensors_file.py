"""Tensors of a ``.safetensors`` file, mapped from it: only those that are looked at take memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.shards import reason_of
from pruning_explorer.sources.checkpoints.stored_layers import check_count, is_tensor_name
from pruning_explorer.sources.checkpoints.stored_tensors import DIMS_MOST, NUMBERS_MOST

HEADER_MOST = 8 << 20


@dataclass(frozen=True)
class SafetensorsFile:
    """A file as it is.

    Attributes:
        tensors: by name, in the order in which they lie there.
        ties: further name -> name of one of them, which the metadata tells where weights are tied: so does
            ``safetensors.torch.save_model``.
        metadata: what else the file says of itself.
    """

    tensors: dict[str, Tensor]
    ties: dict[str, str]
    metadata: dict[str, str]


def read_safetensors(path: Path, label: str) -> SafetensorsFile:
    """The tensors of one file.

    Args:
        label: what to call the file.

    Raises:
        SubjectError: it is broken, or lies about its sizes.
    """
    _check_header(path, label)
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
            metadata = dict(sorted((file.metadata() or {}).items()))  # the library shuffles it
    except (
        *(SafetensorError, ValueError, KeyError, RuntimeError, TypeError, AttributeError),
        *(OverflowError, OSError, MemoryError),
    ) as error:
        raise SubjectError(
            f"{label} cannot be read as .safetensors ({reason_of(error, path, label)}); copy it again, or save it again"
        ) from None
    ties = _ties(set(tensors), metadata)
    check_count(len(tensors) + len(ties), label)
    return SafetensorsFile(tensors, ties, {key: text for key, text in metadata.items() if key not in ties})


def _ties(names: set[str], metadata: Mapping[str, str]) -> dict[str, str]:
    """Which keys of the metadata are further names of a tensor, and could be a network's beside all others."""
    likely = {key: text for key, text in metadata.items() if text in names and ("." in key) == ("." in text)}
    taken, inner = set(names), {path for name in names if likely and is_tensor_name(name) for path in _above(name)}
    ties = {}
    for alias, name in likely.items():
        above = _above(alias) if is_tensor_name(alias) else []
        if is_tensor_name(alias) and alias not in taken and alias not in inner and not taken.intersection(above):
            ties[alias] = name
            inner.update(above)
            taken.add(alias)
    return ties


def _above(name: str) -> list[str]:
    """The paths of the modules that a tensor lies in."""
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


def _check_header(path: Path, label: str) -> None:
    """What the library lets pass: names twice (it takes the last), and shapes that torch cannot count with."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if HEADER_MOST < length <= size - 8:
            raise SubjectError(
                f"{label} lists its tensors in {length:,} bytes, and {HEADER_MOST:,} is the most; save part of it"
            )
        if length > size - 8:
            raise SubjectError(
                f"{label} says that its header has {length:,} bytes, of {size:,} in all, so it is cut off or "
                "damaged; copy it again"
            )
        header = file.read(length)
    try:
        entries = json.loads(header, object_pairs_hook=_without_repeats)
    except _RepeatedNameError as error:
        raise SubjectError(f"{label} holds {error} twice; save it once") from None
    except (ValueError, RecursionError) as error:
        raise SubjectError(f"{label} has a header that is no JSON ({str(error)[:100]}); copy it again") from None
    check_count(len(entries), label)
    for name, entry in entries.items():
        shape = entry.get("shape") if isinstance(entry, dict) else None
        if name == "__metadata__" or not isinstance(shape, list):
            continue
        sizes = len(shape) <= DIMS_MOST and all(type(n) is int and 0 <= n <= NUMBERS_MOST for n in shape)
        if not sizes or prod(max(n, 1) for n in shape) > NUMBERS_MOST:
            raise SubjectError(
                f"{name[:80]!r} in {label} has shape {str(shape)[:80]}, which no weight has; save it again"
            )


class _RepeatedNameError(Exception):
    pass


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _RepeatedNameError(repr(name[:80]))
        found[name] = value
    return found
