"""Tensors over bytes of a file: mapped, so that only what is looked at takes memory."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pruning_explorer.sources.checkpoints.stored_tensors import StoredTensor
from pruning_explorer.sources.checkpoints.torch_archive import Record


class MappedFile:
    """A file whose bytes are tensors' storages, each part of it once: what is tied in the file is tied here."""

    def __init__(self, path: Path) -> None:
        size = path.stat().st_size
        self._all = torch.UntypedStorage.from_file(os.fspath(path), False, size) if size else torch.UntypedStorage(0)
        self._parts: dict[tuple[int, int], torch.UntypedStorage] = {}

    def storage(self, record: Record) -> torch.UntypedStorage:
        """Bytes of the file, which must lie in it."""
        key = (record.start, record.size)
        if key not in self._parts:
            self._parts[key] = self._all[record.start : record.start + record.size]
        return self._parts[key]

    def tensor(self, record: Record, dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
        """A contiguous tensor of a record that holds just its numbers."""
        stride, steps = 1, []
        for size in reversed(shape):
            steps.append(stride)
            stride *= max(size, 1)
        return _over(self.storage(record), dtype, 0, shape, tuple(reversed(steps)))


def read_whole(path: Path) -> torch.UntypedStorage:
    """All bytes of a file, in memory."""
    storage = torch.UntypedStorage(path.stat().st_size)
    with path.open("rb") as file:
        file.readinto(torch.empty(0, dtype=torch.uint8).set_(storage).numpy())  # type: ignore[arg-type]
    return storage


def built(said: StoredTensor, storages: Mapping[str, torch.UntypedStorage]) -> Tensor:
    """The tensor that was described, over the storage of its key."""
    if said.storage is None:
        return torch.empty_strided(said.shape, said.stride, dtype=said.dtype, device="meta")
    return _over(storages[said.storage.key], said.dtype, said.offset, said.shape, said.stride)


def _over(
    storage: torch.UntypedStorage, dtype: torch.dtype, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]
) -> Tensor:
    if 0 in shape:
        return torch.empty(shape, dtype=dtype)
    return torch.empty(0, dtype=dtype).set_(storage, offset, shape, stride)
