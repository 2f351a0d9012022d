"""Tensors of a file that ``torch.save`` wrote. Nothing in it is executed: ``weights_only=True``, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.pickle_outline import PICKLE_MOST, Outline
from pruning_explorer.sources.checkpoints.shards import reason_of
from pruning_explorer.sources.checkpoints.stored_layers import check_count
from pruning_explorer.sources.checkpoints.stored_tensors import DamagedPickleError, StoredTensor
from pruning_explorer.sources.checkpoints.torch_archive import OtherArchiveError, read_archive

ZIP = b"PK\x03\x04"
LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""First bytes of a file written by torch before 1.6: its magic number as a pickle."""
LEGACY_MOST = 2 << 30
"""Most bytes of a file in the old format, which must be read into memory whole."""

WEIGHTS = (
    *("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params"),
    *("ema_state_dict", "state_dict_ema", "model_ema", "ema"),
)
"""Keys under which training scripts save a state_dict, the most usual first."""


@dataclass(frozen=True)
class TorchFile:
    """A state_dict as it lies in a file.

    Attributes:
        tensors: by name, in the file's order; mapped from the file where its format allows that.
        keys: under which keys of the saved dict they lie; empty where they are all of it.
        aside: what else the file holds, by name.
        mapped: False for the old format, which is read whole.
        versions: of the modules by their paths, where the state_dict has kept them.
    """

    tensors: dict[str, Tensor]
    keys: tuple[str, ...]
    aside: tuple[str, ...]
    mapped: bool
    versions: dict[str, int]


def read_torch(path: Path, label: str) -> TorchFile:
    """Read a state_dict, alone or inside a training checkpoint.

    Args:
        label: what to call the file.

    Raises:
        SubjectError: it is broken, lies about its sizes, or holds Python objects.
    """
    with path.open("rb") as file:
        mapped = file.read(len(ZIP)) == ZIP
    try:
        outline = _outline_of_archive(path, label) if mapped else _outline_of_legacy(path, label)
    except (DamagedPickleError, OtherArchiveError) as error:
        what = str(error) if ";" in str(error) else f"{error}; copy it again, or save it again"
        raise SubjectError(f"{label} {what}") from None
    keys, found = _find_state_dict(outline, label)
    check_count(len(found), label)
    loaded = _load(path, label, mapped)
    for key in keys:
        loaded = loaded[key]
    tensors = {name: _same(loaded[name], said, name, label) for name, said in found.items()}
    return TorchFile(tensors, keys, _aside(outline, keys, found), mapped, _versions(loaded))


def _outline_of_archive(path: Path, label: str) -> Any:
    archive = read_archive(path)
    outline = Outline(label)
    content = outline.read(BytesIO(archive.pickle))
    for key, storage in outline.storages.items():
        held = archive.records.get(f"data/{key}")
        if held != storage.nbytes:
            raise DamagedPickleError(
                f"says that storage {key[:40]!r} has {storage.nbytes} bytes, and it has {held or 'none'}; "
                "copy it again, or save it again"
            )
    return content


def _outline_of_legacy(path: Path, label: str) -> Any:
    size = path.stat().st_size
    if size > LEGACY_MOST:
        raise SubjectError(
            f"{label} is {size / 2**30:.1f} GiB in the format of torch before 1.6, which can only be read whole; load "
            "it and torch.save it again with a newer torch"
        )
    with path.open("rb") as file:
        head = BytesIO(file.read(PICKLE_MOST))
        outline = Outline(label)
        _magic, version = outline.read(head), outline.read(head)
        if version != 1001:
            raise DamagedPickleError(f"is of an unknown version, {str(version)[:20]}")
        system = outline.read(head)
        if type(system) is not dict or system.get("little_endian") is not True:
            raise DamagedPickleError("was saved on a machine of another byte order, or is damaged")
        content, keys = outline.read(head), outline.read(head)
        if type(keys) is not list or not all(type(key) is str for key in keys) or len(set(keys)) != len(keys):
            raise DamagedPickleError("is damaged: it lists its storages wrongly")
        # torch would show what its memory held before in any storage that the file does not fill
        if set(keys) != set(outline.storages):
            raise DamagedPickleError("is damaged: its storages are not those that its tensors need")
        place = head.tell()
        for key in keys:
            storage = outline.storages[key]
            file.seek(place)
            count = int.from_bytes(file.read(8), "little")
            place += 8 + storage.nbytes
            if count != storage.numel or place > size:
                raise DamagedPickleError(f"is cut off or damaged: storage {key[:40]!r} is not whole; copy it again")
    return content


def _load(path: Path, label: str, mapped: bool) -> Any:
    if mapped and path.suffix == ".safetensors":
        # By that ending torch would read it as what it is not
        raise SubjectError(f"{label} is no .safetensors file but one of torch.save; give it the ending .pt")
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    # Whatever torch makes of it after the checks above, the file is to blame and not the program
    except Exception as error:
        raise SubjectError(
            f"torch cannot read {label} ({reason_of(error, path, label)}); copy it again, or save it again"
        ) from None


def _find_state_dict(content: Any, label: str) -> tuple[tuple[str, ...], dict[str, StoredTensor]]:
    """Where the tensors are: the dict that has most of them, or one whose name says that it is the state_dict."""
    if type(content) is not dict:
        what = "one tensor without a name" if isinstance(content, StoredTensor) else f"a {type(content).__name__}"
        raise SubjectError(f"{label} holds {what}, no state_dict; torch.save(model.state_dict(), ...) saves one")
    top = _tensors_of(content)
    nested = dict(_nested(content))
    named = [keys for keys in sorted(nested, key=_likeliness) if keys[-1] in WEIGHTS]
    if top and all(len(top) >= len(found) for found in nested.values()):
        return (), top
    if named:
        return named[0], nested[named[0]]
    if len(nested) == 1:
        return next(iter(nested.items()))
    if nested:
        several = ", ".join(repr(".".join(keys))[:60] for keys in list(nested)[:6])
        raise SubjectError(f"{label} holds the weights of several networks ({several}); save the state_dict of one")
    raise SubjectError(f"{label} holds no tensor by a name; torch.save(model.state_dict(), ...) saves a state_dict")


def _tensors_of(content: Mapping[Any, Any]) -> dict[str, StoredTensor]:
    return {key: each for key, each in content.items() if isinstance(each, StoredTensor) and type(key) is str}


def _nested(content: Mapping[Any, Any]) -> dict[tuple[str, ...], dict[str, StoredTensor]]:
    """State_dicts one key down, or two: no script hides them deeper, and a dict may hold itself."""
    found: dict[tuple[str, ...], dict[str, StoredTensor]] = {}
    for key, each in content.items():
        if type(key) is not str or type(each) is not dict:
            continue
        if tensors := _tensors_of(each):
            found[(key,)] = tensors
            continue
        for inner, deeper in each.items():
            if inner in WEIGHTS and type(deeper) is dict and (tensors := _tensors_of(deeper)):
                found[(key, inner)] = tensors
    return found


def _likeliness(keys: tuple[str, ...]) -> int:
    return min(WEIGHTS.index(key) if key in WEIGHTS else len(WEIGHTS) for key in keys)


def _versions(state: Any) -> dict[str, int]:
    told = getattr(state, "_metadata", None)
    if not isinstance(told, Mapping):
        return {}
    versions = {path: each.get("version") for path, each in told.items() if isinstance(each, Mapping)}
    return {path: each for path, each in versions.items() if type(path) is str and type(each) is int}


def _aside(content: Mapping[Any, Any], keys: tuple[str, ...], found: Mapping[str, StoredTensor]) -> tuple[str, ...]:
    used = set(keys[:1]) if keys else set(found)
    return tuple(str(key)[:40] for key in content if key not in used)


def _same(loaded: Any, said: StoredTensor, name: str, label: str) -> Tensor:
    if not isinstance(loaded, Tensor) or tuple(loaded.shape) != said.shape or loaded.dtype != said.dtype:
        raise SubjectError(f"torch reads {name[:80]!r} in {label} as other than it is described; save it again")
    return loaded.detach()
