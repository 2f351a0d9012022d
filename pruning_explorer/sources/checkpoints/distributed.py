"""A folder of ``torch.distributed.checkpoint``: its list of tensors is told without building it, and they are mapped.

``.metadata`` is a pickle of torch's own classes, of which the outline suffices. Each ``.distcp`` holds one archive of
``torch.save`` for each piece of a tensor, end to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.stored_files import StoredFile
from pruning_explorer.sources.checkpoints.made_tensors import MadeTensors, aligned
from pruning_explorer.sources.checkpoints.mapped_storages import MappedFile, built
from pruning_explorer.sources.checkpoints.networks_inside import StateDict, aside_of, choose, names_of, state_dicts_in
from pruning_explorer.sources.checkpoints.pickle_outline import PICKLE_MOST, Outline
from pruning_explorer.sources.checkpoints.shards import inside_folder, shown
from pruning_explorer.sources.checkpoints.stored_layers import check_count
from pruning_explorer.sources.checkpoints.stored_tensors import (
    Built,
    DamagedPickleError,
    Named,
    StoredBytes,
    StoredTensor,
    checked_layout,
    dtype_called,
)
from pruning_explorer.sources.checkpoints.stored_weights import StoredWeights
from pruning_explorer.sources.checkpoints.torch_archive import OtherArchiveError, Record, read_archive
from pruning_explorer.sources.checkpoints.torch_file import checked_records

FILES_MOST = 10_000
PIECES_MOST = 200_000
_STRANGE = (IndexError, KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class _Piece:
    """A part of a tensor, and where its archive lies."""

    offsets: tuple[int, ...]
    file: str
    start: int
    length: int


@dataclass(frozen=True)
class _Folder:
    """What ``.metadata`` says.

    Attributes:
        content: nested as it was saved, with a description for each tensor.
        names: the full name of each tensor, by the id of its description.
        pieces: of each tensor by its full name.
    """

    content: dict[Any, Any]
    names: dict[int, str]
    pieces: dict[str, list[_Piece]]


def read_distributed(metadata: Path, label: str, key: str | None = None) -> StoredWeights:
    """The tensors of a folder whose list is at that path.

    Args:
        label: what to call the folder.
        key: which network in it, where it holds several.

    Raises:
        SubjectError: it is broken, or holds its tensors in another way; the message has lines that make one file of it.
    """
    folder = metadata.parent
    told = _tell(metadata, label)
    found = state_dicts_in(told.content)
    if not found:
        raise SubjectError(f"{label} is a folder of torch.distributed.checkpoint that holds no tensor by a name")
    chosen = choose(found, label, key)
    check_count(len(chosen.tensors), label)
    try:
        tensors, also = _read(folder, told, chosen, label)
    except (DamagedPickleError, OtherArchiveError) as error:
        raise SubjectError(_way_out(label, str(error).partition(";")[0])) from None
    inside = "".join(f"[{each!r}]" for each in chosen.keys)
    return StoredWeights(
        tensors,
        "torch.distributed.checkpoint",
        "import torch\nfrom torch.distributed.checkpoint.format_utils import dcp_to_torch_save",
        f"torch.load('weights.pt', map_location='cpu', weights_only=False){inside}",
        aside_of(told.content, chosen),
        also=tuple(also),
        before=(
            "# This makes one file of the folder, and unpickles what it holds: only where you trust it",
            f"dcp_to_torch_save({label!r}, 'weights.pt')",
        ),
        names=tuple(names_of(found)),
        opened=chosen.name,
        usual=key is None or chosen is _usual(found, label),
    )


def networks_of_folder(metadata: Path, label: str) -> tuple[str, ...]:
    """The names of the networks in a folder, as one writes them behind ``FOLDER#``.

    Raises:
        SubjectError: as :func:`read_distributed`.
    """
    return tuple(names_of(state_dicts_in(_tell(metadata, label).content)))


def data_files(content: bytes, label: str) -> list[str]:
    """Names of the files that a ``.metadata`` speaks of.

    Raises:
        SubjectError: it is broken.
    """
    return sorted({piece.file for pieces in _told_by(content, label).pieces.values() for piece in pieces})


def _usual(found: list[StateDict], label: str) -> StateDict | None:
    try:
        return choose(found, label, None)
    except SubjectError:
        return None


def _way_out(label: str, why: str) -> str:
    return (
        f"{label} is a folder of torch.distributed.checkpoint that cannot be read here ({why}); where you trust it, "
        f"make one file of it and open that:\nfrom torch.distributed.checkpoint.format_utils import dcp_to_torch_save\n"
        f'dcp_to_torch_save({label!r}, "weights.pt")'
    )


def _tell(metadata: Path, label: str) -> _Folder:
    with metadata.open("rb") as file:
        return _told_by(file.read(PICKLE_MOST + 1), label)


def _told_by(content: bytes, label: str) -> _Folder:
    if len(content) > PICKLE_MOST:
        raise SubjectError(_way_out(label, f"its list has more than {PICKLE_MOST >> 20} MiB"))
    try:
        said = Outline().read(BytesIO(content))
        if not isinstance(said, Built) or not said.name.startswith("torch.distributed.checkpoint."):
            raise DamagedPickleError("its .metadata is no list of torch's")
        return _folder(said.state)
    except DamagedPickleError as error:
        raise SubjectError(_way_out(label, str(error).partition(";")[0])) from None
    except _STRANGE as error:
        raise SubjectError(_way_out(label, f"its .metadata is damaged, {type(error).__name__}")) from None


def _folder(state: Mapping[str, Any]) -> _Folder:
    tensors: dict[str, StoredTensor] = {}
    for name, each in state["state_dict_metadata"].items():
        if type(name) is str and isinstance(each, Built) and isinstance(each.state, dict) and "chunks" in each.state:
            tensors[name] = _described(each.state)
    pieces: dict[str, list[_Piece]] = {}
    for index, info in state["storage_data"].items():
        name = index.state["fqn"]
        if name in tensors:
            offsets = index.state.get("offset")
            pieces.setdefault(name, []).append(_piece(info.state, (0,) * len(tensors[name].shape), offsets))
    if sum(map(len, pieces.values())) > PIECES_MOST:
        raise DamagedPickleError(f"it has more than {PIECES_MOST:,} pieces")
    # The keys that led to each when it was saved; older ones have none
    ways = state.get("planner_data")
    content: dict[Any, Any] = {}
    for name in state["state_dict_metadata"]:
        way = ways.get(name) if isinstance(ways, dict) else None
        usable = type(way) is tuple and way and all(type(step) in (str, int) for step in way)
        _put(content, way if usable and way is not None else (name,), tensors.get(name, Built("bytes")))
    return _Folder(content, {id(each): name for name, each in tensors.items()}, pieces)


def _put(content: dict[Any, Any], way: tuple[Any, ...], value: Any) -> None:
    for step in way[:-1]:
        content = content.setdefault(step, {})
        if type(content) is not dict:
            raise DamagedPickleError("two of its names lie in one another")
    content[way[-1]] = value


def _described(state: Mapping[str, Any]) -> StoredTensor:
    properties = state["properties"].state
    named = properties["dtype"] if isinstance(properties, dict) else properties[0]
    if not isinstance(named, Named):
        raise DamagedPickleError("a tensor has no dtype")
    shape, stride = checked_layout(state["size"], _strides(state["size"]))
    return StoredTensor(None, shape, dtype_called(named), 0, stride)


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(min(prod(max(each, 1) for each in shape[dim + 1 :]), 1 << 40) for dim in range(len(shape[:16])))


def _piece(info: Mapping[str, Any], first: tuple[int, ...], offsets: Any) -> _Piece:
    file, start, length = info["relative_path"], info["offset"], info["length"]
    if info.get("transform_descriptors"):
        raise DamagedPickleError("its tensors were compressed or encrypted")
    place = first if offsets is None else offsets
    numbers = (start, length, *place) if type(place) is tuple else ("",)
    if type(file) is not str or not all(type(each) is int and each >= 0 for each in numbers):
        raise DamagedPickleError("it does not say where a tensor lies")
    return _Piece(place, file, start, length)


def _read(folder: Path, told: _Folder, chosen: StateDict, label: str) -> tuple[dict[str, Tensor], list[StoredFile]]:
    files: dict[str, StoredFile] = {}
    stored: dict[str, list[tuple[_Piece, StoredTensor, Record | None]]] = {}
    for name, said in chosen.tensors.items():
        full = told.names[id(said)]
        stored[name] = []
        for piece in told.pieces.get(full, []):
            if piece.file not in files:
                if len(files) == FILES_MOST:
                    raise DamagedPickleError(f"it has more than {FILES_MOST:,} files")
                files[piece.file] = StoredFile.now(inside_folder(folder, piece.file, f"{label}'s .metadata"))
            inner, record = _in_archive(files[piece.file], piece, full)
            if inner.dtype != said.dtype or len(inner.shape) != len(said.shape):
                raise DamagedPickleError(f"{shown(full)[:80]!r} is not stored as it is described")
            stored[name].append((piece, inner, record))
    storages = _storages(files, stored, label)
    total = sum(each.size for each in files.values())
    cut = {name for name, pieces in stored.items() if len(pieces) != 1 or pieces[0][1].shape != _shape(chosen, name)}
    nbytes = sum(aligned(prod(_shape(chosen, name)) * chosen.tensors[name].dtype.itemsize) for name in cut)
    if nbytes > total + 64 * len(cut):
        raise DamagedPickleError("it describes more numbers than it has bytes for")
    room = MadeTensors(nbytes, label, "tensors, put together")
    tensors = {}
    for name, pieces in stored.items():
        parts = [built(inner, storages) for _, inner, _ in pieces]
        said = chosen.tensors[name]
        if name in cut:
            tensors[name] = _assembled(
                room.take(said.shape, said.dtype), [piece.offsets for piece, _, _ in pieces], parts, name
            )
        else:
            tensors[name] = parts[0]
    return tensors, list(files.values())


def _shape(chosen: StateDict, name: str) -> tuple[int, ...]:
    return chosen.tensors[name].shape


def _in_archive(file: StoredFile, piece: _Piece, name: str) -> tuple[StoredTensor, Record | None]:
    """The tensor in one archive, over a storage that is called after its place, and that storage's bytes."""
    if piece.start + piece.length > file.size:
        raise DamagedPickleError(f"{shown(piece.file)} is cut off")
    archive = read_archive(file.path, piece.start, piece.length)
    outline = Outline()
    inner = outline.read(BytesIO(archive.pickle))
    records = checked_records(archive, outline)
    if not isinstance(inner, StoredTensor):
        raise DamagedPickleError(f"{shown(name)[:80]!r} is no plain tensor")
    if inner.storage is None:
        return inner, None
    key = f"{piece.file} {piece.start}"
    storage = StoredBytes(key, inner.storage.dtype, inner.storage.numel)
    return StoredTensor(storage, inner.shape, inner.dtype, inner.offset, inner.stride), records[inner.storage.key]


def _storages(
    files: Mapping[str, StoredFile],
    stored: Mapping[str, list[tuple[_Piece, StoredTensor, Record | None]]],
    label: str,
) -> dict[str, torch.UntypedStorage]:
    records: dict[str, dict[str, Record]] = {}
    for pieces in stored.values():
        for piece, inner, record in pieces:
            if inner.storage is not None and record is not None:
                records.setdefault(piece.file, {})[inner.storage.key] = record
    found: dict[str, torch.UntypedStorage] = {}
    for name, of_file in records.items():
        found |= MappedFile(files[name].path, label).storages(of_file)
    return found


def _assembled(whole: Tensor, offsets: list[tuple[int, ...]], parts: list[Tensor], name: str) -> Tensor:
    """Pieces put together, each at its place; they fill the tensor and do not lie over one another."""
    for place, part in zip(offsets, parts, strict=True):
        target = whole
        for dim, (start, size) in enumerate(zip(place, part.shape, strict=True)):
            if start + size > whole.shape[dim]:
                raise DamagedPickleError(f"a piece of {shown(name)[:80]!r} lies outside of it")
            target = target.narrow(dim, start, size)
        target.copy_(part)
    if sum(part.numel() for part in parts) != whole.numel():
        raise DamagedPickleError(f"{shown(name)[:80]!r} is not whole")
    return whole
