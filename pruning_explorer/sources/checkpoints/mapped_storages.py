"""Tensors over bytes of a file: mapped, so that only what is looked at takes memory."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.made_tensors import MadeTensors, aligned
from pruning_explorer.sources.checkpoints.stored_tensors import StoredTensor
from pruning_explorer.sources.checkpoints.torch_archive import Record


class MappedFile:
    """A file whose bytes are tensors' storages, each part of it once: what is tied in the file is tied here."""

    def __init__(self, path: Path, label: str) -> None:
        """Map it.

        Args:
            label: what to call it.
        """
        self._size, self._label = path.stat().st_size, label
        empty = torch.UntypedStorage(0)
        self._all = torch.UntypedStorage.from_file(os.fspath(path), False, self._size) if self._size else empty

    def storages(self, records: Mapping[str, Record], itemsize: int = 8) -> dict[str, torch.UntypedStorage]:
        """Parts of the file by their keys, which must lie in it.

        Kernels expect numbers at multiples of their width. What lies otherwise is copied to the disk.

        Args:
            itemsize: bytes of the widest number that they are read as, 8 of a complex one.

        Raises:
            SubjectError: the disk has no room for copies.
        """
        crooked = {(each.start, each.size) for each in records.values() if each.start % itemsize}
        nbytes = sum(aligned(size) for _, size in crooked)
        if nbytes > self._size + 64 * len(crooked):
            raise SubjectError(f"{self._label} has tensors that lie over one another, so it is damaged; save it again")
        room = MadeTensors(nbytes, self._label, "tensors that lie at odd places")
        parts: dict[tuple[int, int], torch.UntypedStorage] = {}
        for record in records.values():
            place = (record.start, record.size)
            if place not in parts:
                part = self._all[record.start : record.start + record.size]
                parts[place] = _copied(part, room) if place in crooked else part
        return {key: parts[(each.start, each.size)] for key, each in records.items()}


def read_storages(path: Path, records: Mapping[str, Record]) -> dict[str, torch.UntypedStorage]:
    """Parts of a file by their keys, read into memory."""
    storages = {}
    with path.open("rb") as file:
        for key, record in records.items():
            storages[key] = torch.UntypedStorage(record.size)
            file.seek(record.start)
            file.readinto(_bytes_of(storages[key]).numpy())  # type: ignore[arg-type]
    return storages


def contiguous(storage: torch.UntypedStorage, dtype: torch.dtype, shape: tuple[int, ...]) -> Tensor:
    """A tensor whose numbers are all that is in the storage."""
    stride, steps = 1, []
    for size in reversed(shape):
        steps.append(stride)
        stride *= max(size, 1)
    return _over(storage, dtype, 0, shape, tuple(reversed(steps)))


def _bytes_of(storage: torch.UntypedStorage) -> Tensor:
    return torch.empty(0, dtype=torch.uint8).set_(storage)


def _copied(part: torch.UntypedStorage, room: MadeTensors) -> torch.UntypedStorage:
    if not part.nbytes():
        return part
    made = room.take((part.nbytes(),), torch.uint8)
    made.copy_(_bytes_of(part))
    start, whole = int(made.storage_offset()), made.untyped_storage()
    copied: torch.UntypedStorage = whole[start : start + made.nbytes]
    return copied


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
