"""Scores and masks of one's own: loaded once, known by an id made of their content."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from pruning_explorer.errors import ScoreError

LIMIT = 512 << 20
"""Most bytes of all loaded files together; the least recently used are dropped first."""

_HELD: OrderedDict[str, Mapping[str, Tensor]] = OrderedDict()
_LOCK = threading.Lock()


def add(tensors: Mapping[str, Tensor]) -> str:
    """Keep tensors by name, for the criteria ``scores:file=ID`` and ``mask:file=ID``.

    Returns:
        12 hex digits of the content: the same tensors give the same id.

    Raises:
        ScoreError: there are none, one is no tensor of real numbers, or they are too large together.
    """
    if not tensors:
        raise ScoreError("there are no scores in it; give a tensor for each layer, by the layer's name")
    for name, each in tensors.items():
        if not isinstance(each, Tensor) or each.is_complex() or each.layout is not torch.strided:
            raise ScoreError(f"{name} is no dense tensor of real numbers; torch.as_tensor makes one")
    size = _nbytes(tensors)
    if size > LIMIT:
        raise ScoreError(f"{size >> 20} MiB of scores are more than the {LIMIT >> 20} MiB that are kept; use float16")
    # A copy, so that what the id was made of stays as it was
    held = {name: tensors[name].detach().cpu().clone(memory_format=torch.contiguous_format) for name in sorted(tensors)}
    digest = hashlib.blake2b(digest_size=6)
    for name, each in held.items():
        digest.update(f"{len(name)} {name} {tuple(each.shape)} {each.dtype} ".encode())
        digest.update(each.flatten().view(torch.uint8).numpy().data if each.numel() else b"")
    key = digest.hexdigest()
    with _LOCK:
        _HELD[key] = MappingProxyType(held)
        _HELD.move_to_end(key)
        while sum(map(_nbytes, _HELD.values())) > LIMIT:
            _HELD.popitem(last=False)
    return key


def get(key: str) -> Mapping[str, Tensor]:
    """The tensors of that id, by name. Never write to them.

    Raises:
        ScoreError: they are not loaded, or not any more.
    """
    with _LOCK:
        if key in _HELD:
            _HELD.move_to_end(key)
            return _HELD[key]
    if not key:
        raise ScoreError("no file is chosen; load one with a tensor for each layer, by the layer's name")
    raise ScoreError(f"the scores {key!r} are not loaded here; load the file again")


def _nbytes(tensors: Mapping[str, Tensor]) -> int:
    return sum(each.nbytes for each in tensors.values())
