"""Weights that somebody pruned before: ``torch.nn.utils.prune`` saves each as a ``_orig`` and a ``_mask``."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError

CHUNK = 1 << 22
"""Elements multiplied at once."""


@dataclass(frozen=True)
class EarlierPruning:
    """How far a network was pruned before.

    Attributes:
        names: the parameters that came with a mask.
        zeros: weights that the masks remove.
        weights: weights that have a mask at all.
    """

    names: tuple[str, ...]
    zeros: int
    weights: int


def fold_masks(tensors: Mapping[str, Tensor], label: str, most: int) -> tuple[dict[str, Tensor], EarlierPruning]:
    """Put what the network computes with in the place of each ``_orig`` and its ``_mask``.

    All of them at once, because a weight is a plain tensor to everything that looks at it. What is made lies in a
    temporary file that has no name, so it takes no more memory than the weights that are looked at.

    Args:
        label: what to call the file they come from.
        most: bytes that may be made; those of the file are always enough, unless it lies.

    Raises:
        SubjectError: a mask does not fit, or holds other numbers than 0 and 1.
    """
    pairs = {name: f"{_stem(name)}_mask" for name in tensors if name.endswith("_orig")}
    pairs = {
        name: mask
        for name, mask in pairs.items()
        if mask in tensors and _stem(name) not in tensors and _foldable(tensors[name]) and _foldable(tensors[mask])
    }
    masks = set(pairs.values())
    for name, mask in pairs.items():
        if tensors[name].shape != tensors[mask].shape:
            shapes = f"{tuple(tensors[mask].shape)} and {tuple(tensors[name].shape)}"
            raise SubjectError(f"{mask[:80]!r} in {label} does not fit its weights: {shapes}; save it again")
    room = _Room(sum(_aligned(tensors[name].nbytes) for name in pairs), most, label)
    folded: dict[str, Tensor] = {}
    zeros = weights = 0
    for name, tensor in tensors.items():
        if name in pairs:
            folded[_stem(name)], gone = _fold(tensor, tensors[pairs[name]], room, f"{pairs[name][:80]!r} in {label}")
            zeros, weights = zeros + gone, weights + tensor.numel()
        elif name not in masks:
            folded[name] = tensor
    return folded, EarlierPruning(tuple(map(_stem, pairs)), zeros, weights)


def _stem(name: str) -> str:
    return name.removesuffix("_orig")


def _foldable(tensor: Tensor) -> bool:
    # On the CPU float8 cannot even be compared with 0
    return not tensor.is_meta and (tensor.dtype.itemsize > 1 or not tensor.is_floating_point())


def _fold(original: Tensor, mask: Tensor, room: "_Room", what: str) -> tuple[Tensor, int]:
    made = room.take(original)
    rows = max(CHUNK // max(original[:1].numel(), 1), 1) if original.dim() else 1
    gone = 0
    for to, weights, kept in zip(*(torch.atleast_1d(each).split(rows) for each in (made, original, mask)), strict=True):
        held = kept != 0
        if not torch.equal(held.to(kept.dtype), kept):
            raise SubjectError(f"{what} holds other numbers than 0 and 1, so it is no mask; save it again")
        torch.where(held, weights, torch.zeros((), dtype=weights.dtype), out=to)
        gone += held.numel() - int(torch.count_nonzero(held))
    return made, gone


def _aligned(nbytes: int) -> int:
    return -(-nbytes // 64) * 64


def _reserve(descriptor: int, nbytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, nbytes)
    else:
        os.truncate(descriptor, nbytes)


class _Room:
    """Bytes in a file without a name, handed out piece by piece."""

    def __init__(self, nbytes: int, most: int, label: str) -> None:
        if nbytes > most + 64:
            raise SubjectError(
                f"{label} holds masks for more weights than it has bytes, so it is damaged; save it again"
            )
        self._free = 0
        if nbytes:
            try:
                with tempfile.TemporaryFile() as file:
                    # A mapped page that finds no room on the disk would end the process
                    _reserve(file.fileno(), nbytes)
                    mapped = np.memmap(file, dtype=np.uint8, mode="r+", shape=(nbytes,))
            except OSError as error:
                raise SubjectError(
                    f"there is no room on the disk for the {nbytes / 2**20:.1f} MiB of {label}'s weights under their "
                    f"masks ({error.strerror or error}); free some where temporary files lie"
                ) from None
            self._bytes = torch.from_numpy(mapped)

    def take(self, like: Tensor) -> Tensor:
        start, self._free = self._free, self._free + _aligned(like.nbytes)
        return self._bytes[start : start + like.nbytes].view(like.dtype).view(like.shape)
