"""A ``state_dict`` as ``torch.save`` writes it, written storage by storage.

``torch.save`` wants every tensor in memory. Its archive is a zip file whose entries are not compressed: ``data.pkl``, a
pickle in which a tensor is a call of ``torch._utils._rebuild_tensor_v2`` on a storage by its key; ``data/KEY``, the
storages, each from a multiple of 64 bytes on; the order of bytes; and the format's version.
"""

import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from pruning_explorer.errors import ExportError
from pruning_explorer.exports.contents import Contents
from pruning_explorer.exports.reading import compare
from pruning_explorer.exports.tensor_values import Values

ALIGNMENT = 64
FOLDER = "archive"
OVERHEAD = 150
"""Bytes that an entry of the archive takes beside its content, approximately."""

STORAGES = {
    dtype: getattr(torch, name)
    for dtype, name in torch.storage._dtype_to_storage_type_map().items()
    if not name.startswith("Q")
}
"""Torch's storage classes by dtype. Later dtypes have no class of their own; their storages count in bytes."""


class TorchFile:
    """A ``.pt`` file of given contents; names of one tensor share its storage.

    Attributes:
        library: that opens it again.
        nbytes: nearly.
    """

    library = "torch.load(weights_only=True)"

    def __init__(self, contents: Contents) -> None:
        self._values = dict(contents.values)
        self._aliases = dict(contents.aliases)
        self._pickle = _pickle(self._values, self._aliases, contents.versions)
        self.nbytes = contents.nbytes + len(self._pickle) + OVERHEAD * (len(self._values) + 4)

    def write(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        """Write the file; ``tell`` is called for each part with the number of its bytes."""
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            _write_entry(archive, "data.pkl", len(self._pickle), [self._pickle], tell)
            _write_entry(archive, "byteorder", len(sys.byteorder), [sys.byteorder.encode()], tell)
            for key, each in enumerate(self._values.values()):
                pieces = (piece.view(torch.uint8).numpy().data for piece in each.pieces())
                _write_entry(archive, f"data/{key}", each.nbytes, pieces, tell)
            _write_entry(archive, "version", 2, [b"3\n"], tell)

    def check(self, path: Path, tell: Callable[[int], None]) -> None:
        """Open a file by the library and compare every bit.

        Raises:
            ExportError: it is not what it should be.
        """
        try:
            # Mapped, so that no more than a layer is in memory at once
            read = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except Exception as error:  # whatever torch makes of it
            raise ExportError(f"torch cannot open what was written ({str(error)[:200]})") from error
        compare(self._values, [name for name in read if name not in self._aliases], read.__getitem__, tell)
        for alias, name in self._aliases.items():
            if alias not in read or not _one(read[alias], read[name]):
                raise ExportError(f"{alias} in the file is not tied to {name}")


def _one(left: Tensor, right: Tensor) -> bool:
    return left.data_ptr() == right.data_ptr() and left.shape == right.shape and left.dtype == right.dtype


class _Storage:
    """Stands for a storage, which lies in an entry of its own."""

    def __init__(self, key: int, values: Values) -> None:
        kind = STORAGES.get(values.dtype)
        numel = values.nbytes if kind is None else values.nbytes // values.dtype.itemsize
        self.persistent_id = ("storage", kind or torch.UntypedStorage, str(key), "cpu", numel)


class _Tensor:
    """Is pickled as torch pickles a tensor that is contiguous and wants no gradient."""

    def __init__(self, key: int, values: Values) -> None:
        self._storage, self._values = _Storage(key, values), values

    def __reduce__(self) -> tuple[Callable[..., Tensor], tuple[Any, ...]]:
        shape, dtype = self._values.shape, self._values.dtype
        no_hooks: OrderedDict[str, Any] = OrderedDict()
        arguments = (self._storage, 0, shape, torch.empty(shape, device="meta").stride(), False, no_hooks)
        if dtype in STORAGES:
            return torch._utils._rebuild_tensor_v2, arguments
        return torch._utils._rebuild_tensor_v3, (*arguments, dtype)


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: object) -> object:
        return obj.persistent_id if isinstance(obj, _Storage) else None


def _pickle(values: dict[str, Values], aliases: dict[str, str], versions: Any) -> bytes:
    made = {name: _Tensor(key, each) for key, (name, each) in enumerate(values.items())}
    state = OrderedDict(made)
    state.update((alias, made[name]) for alias, name in aliases.items())
    if versions:
        state._metadata = OrderedDict(versions)  # type: ignore[attr-defined]
    out = io.BytesIO()
    _Pickler(out, protocol=2).dump(state)
    return out.getvalue()


def _write_entry(
    archive: zipfile.ZipFile,
    name: str,
    nbytes: int,
    pieces: Iterable[memoryview | bytes],
    tell: Callable[[int], None],
) -> None:
    entry = zipfile.ZipInfo(f"{FOLDER}/{name}", (1980, 1, 1, 0, 0, 0))
    entry.file_size = nbytes
    large = nbytes > zipfile.ZIP64_LIMIT // 2
    entry.extra = _padding(archive, entry, large)
    with archive.open(entry, "w", force_zip64=large) as out:
        for piece in pieces:
            out.write(piece)
            tell(len(piece))
    entry.extra = b""  # what is said of it at the end of the archive needs none


def _padding(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, large: bool) -> bytes:
    """A field of the entry's head that nobody reads, so that its content begins at a multiple of 64."""
    assert archive.fp is not None
    head = 30 + len(entry.filename) + (20 if large else 0) + 4
    return b"FB" + (room := -(archive.fp.tell() + head) % ALIGNMENT).to_bytes(2, "little") + b"Z" * room
