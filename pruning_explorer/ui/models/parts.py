"""A checkpoint that is dropped in several files: which ones belong together, and where they are written."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streamlit.runtime.uploaded_file_manager import UploadedFile

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.shards import METADATA

INDEX = ".index.json"
ONNX = ".onnx"
LARGEST_INDEX = 16 << 20
LARGEST_MODEL = 64 << 20
"""Bytes of an ONNX model up to which it is read for names of files; one whose weights lie elsewhere is small."""
UNUSUAL = ".file"
"""Ending of what has no usual one; its content says what it is."""


def parts_of(file: UploadedFile) -> list[str]:
    """Names of the files that belong to this one, by what it says itself; empty where it stands alone.

    Raises:
        SubjectError: it is broken.
    """
    if file.name.endswith(INDEX):
        return _read_index(file)[1]
    if file.name == METADATA:
        from pruning_explorer.sources.checkpoints import distributed

        return distributed.data_files(file.getvalue(), file.name)
    if file.name.lower().endswith(ONNX) and file.size <= LARGEST_MODEL:
        from pruning_explorer.sources.checkpoints import onnx_file

        return onnx_file.data_files(file.getvalue(), file.name)
    return []


def first_of_several(files: Sequence[UploadedFile]) -> UploadedFile | None:
    """The one among several that names the others as its parts."""
    return next((file for file in files if file.name.endswith(INDEX) or _parts_or_none(file)), None)


def missing_parts(files: Sequence[UploadedFile]) -> list[str]:
    """Parts that one of the files names and that are not there yet; one that is broken misses nothing."""
    here = {file.name for file in files}
    first = first_of_several(files)
    return [] if first is None else [part for part in _parts_or_none(first) if part not in here]


def write_parts(folder: Path, first: UploadedFile, group: Sequence[UploadedFile]) -> Path:
    """Write a checkpoint in parts, and say which file to open.

    Raises:
        SubjectError: one of its files has a name that none in a folder of its own can have.
        OSError: they cannot be written.
    """
    parts = parts_of(first)
    if first.name.endswith(INDEX):
        return _write_with_index(folder, first, group)
    path = folder / (METADATA if first.name == METADATA else f"model{UNUSUAL}")
    copy_upload(first, path)
    for file in group:
        if file is not first and file.name in parts and file.name != path.name:
            # The first one names it so, and only a plain name is opened then
            if not file.name.isprintable() or Path(file.name).name != file.name or "\\" in file.name:
                raise SubjectError(f"one of its files is called {file.name[:60]!r}; rename it")
            copy_upload(file, folder / file.name)
    return path


def copy_upload(file: UploadedFile, path: Path) -> None:
    """Write an upload to the disk."""
    file.seek(0)
    with path.open("wb") as target:
        shutil.copyfileobj(file, target, 1 << 20)


def _parts_or_none(file: UploadedFile) -> list[str]:
    try:
        return parts_of(file)
    except SubjectError:  # which whoever opens it says
        return []


def _write_with_index(folder: Path, index: UploadedFile, group: Sequence[UploadedFile]) -> Path:
    content, parts = _read_index(index)
    names = {part: f"part-{number}{UNUSUAL}" for number, part in enumerate(parts)}
    for file in group:
        if file.name in names:
            copy_upload(file, folder / names[file.name])
    content["weight_map"] = {tensor: names[part] for tensor, part in content["weight_map"].items()}
    path = folder / f"model.safetensors{INDEX}"
    path.write_text(json.dumps(content))
    return path


def _read_index(index: UploadedFile) -> tuple[dict[str, Any], list[str]]:
    """An index's content and the names of its parts, each once.

    Raises:
        SubjectError: it is no index.
    """
    wrong = f"{index.name} is no index of a checkpoint in parts; it must be JSON with a “weight_map” of file names"
    if index.size > LARGEST_INDEX:
        raise SubjectError(f"{index.name} is {index.size >> 20} MiB large, which no index is; drop the index itself")
    try:
        content = json.loads(index.getvalue().decode("utf-8"))
    except (ValueError, RecursionError):
        raise SubjectError(wrong) from None
    shards = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(shards, dict) or not shards or not all(isinstance(part, str) for part in shards.values()):
        raise SubjectError(wrong)
    return content, sorted(set(shards.values()))
