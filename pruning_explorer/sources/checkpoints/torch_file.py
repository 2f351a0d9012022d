"""Tensors of a file that ``torch.save`` wrote. It is not given to torch: what its pickle says is told and checked, and
the tensors are mapped from the file.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.kinds import ZIP
from pruning_explorer.sources.checkpoints.mapped_storages import MappedFile, built, read_storages
from pruning_explorer.sources.checkpoints.networks_inside import (
    StateDict,
    aside_of,
    choose,
    names_of,
    state_dicts_in,
)
from pruning_explorer.sources.checkpoints.pickle_outline import PICKLE_MOST, Outline
from pruning_explorer.sources.checkpoints.shards import shown
from pruning_explorer.sources.checkpoints.stored_layers import check_count
from pruning_explorer.sources.checkpoints.stored_tensors import (
    Built,
    DamagedPickleError,
    Named,
    SpecialTensor,
    StoredTensor,
)
from pruning_explorer.sources.checkpoints.torch_archive import (
    OtherArchiveError,
    Record,
    TorchArchive,
    read_archive,
)
from pruning_explorer.sources.checkpoints.torchscript import state_dict_of_script
from pruning_explorer.sources.checkpoints.whole_objects import holds_module, refuse_whole_objects

LEGACY_MOST = 2 << 30
"""Most bytes of a file in the old format, which must be read into memory whole."""


@dataclass(frozen=True)
class TorchFile:
    """A state_dict as it lies in a file.

    Attributes:
        tensors: by name, in the file's order; mapped from the file where its format allows that.
        keys: under which keys of what was saved they lie; empty where they are all of it.
        aside: what else the file holds, by name.
        mapped: False for the old format, which is read whole.
        versions: of the modules by their paths, where the state_dict has kept them.
        special: name -> kind, of tensors that are no plain arrays.
        foreign: names of classes that the file holds and nothing here builds.
        plain: whether ``torch.load(weights_only=True)`` reads it.
        names: of all networks in it, as one writes them behind ``FILE#``.
        usual: whether it is the one that opens without a name.
        script: whether it is TorchScript.
    """

    tensors: dict[str, Tensor]
    keys: tuple[str | int, ...]
    aside: tuple[str, ...]
    mapped: bool
    versions: dict[str, int]
    special: dict[str, str]
    foreign: tuple[str, ...]
    plain: bool
    names: tuple[str, ...]
    usual: bool
    script: bool


@dataclass(frozen=True)
class _Told:
    """What a file's pickles say, and where its storages lie."""

    content: Any
    outline: Outline
    records: dict[str, Record]
    script: StateDict | None = None


def read_torch(path: Path, label: str, key: str | None = None) -> TorchFile:
    """Read a state_dict, alone or inside a training checkpoint.

    Args:
        label: what to call the file.
        key: which network in it; without one, the usual one.

    Raises:
        SubjectError: it is broken, lies about its sizes, or holds its weights in Python objects.
        SeveralNetworksError: it holds several networks, none of which is the usual one.
    """
    mapped = _is_zip(path)
    told = _tell(path, label)
    found = [told.script] if told.script is not None else _found(told, label)
    chosen = choose(found, label, key)
    check_count(len(chosen.tensors), label)
    wanted = {each.storage.key for each in chosen.tensors.values() if each.storage is not None}
    records = {key: each for key, each in told.records.items() if key in wanted}
    storages = MappedFile(path, label).storages(records) if mapped else read_storages(path, records)
    return TorchFile(
        {name: built(said, storages) for name, said in chosen.tensors.items()},
        chosen.keys,
        () if told.script is not None else aside_of(told.content, chosen),
        mapped,
        chosen.versions,
        chosen.special,
        () if told.script is not None else tuple(told.outline.foreign),
        told.outline.plain,
        tuple(names_of(found)),
        key is None or _is_usual(found, label, chosen),
        told.script is not None,
    )


def networks_in(path: Path, label: str) -> tuple[str, ...]:
    """The names of the networks in a file of ``torch.save``, as one writes them behind ``FILE#``.

    Raises:
        SubjectError: as :func:`read_torch`, but for several networks.
    """
    told = _tell(path, label)
    return () if told.script is not None else tuple(names_of(_found(told, label)))


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(ZIP)) == ZIP


def _is_usual(found: list[StateDict], label: str, chosen: StateDict) -> bool:
    try:
        return choose(found, label, None) is chosen
    except SubjectError:
        return False


def _tell(path: Path, label: str) -> _Told:
    try:
        return _tell_archive(path) if _is_zip(path) else _tell_legacy(path, label)
    except (DamagedPickleError, OtherArchiveError) as error:
        what = str(error) if ";" in str(error) else f"{error}; copy it again, or save it again"
        raise SubjectError(f"{label} {what}") from None


def _found(told: _Told, label: str) -> list[StateDict]:
    """All state_dicts in a file.

    Raises:
        SubjectError: there is none, or what there is lies beside a whole model and is not called a state_dict.
    """
    content = told.content
    found = state_dicts_in(content)
    whole = bool(told.outline.foreign) and holds_module(content)
    if found and (not whole or any(each.usual or (not each.keys and each.like_a_network) for each in found)):
        return found
    kinds = sorted({each.kind for each in _special_in(content)})
    if kinds and not whole:
        raise SubjectError(
            f"{label} holds {kinds[0]} tensors, which have no plain weights; save the state_dict of the network before "
            "it is made so"
        )
    if told.outline.foreign:
        raise SubjectError(refuse_whole_objects(label, told.outline.foreign, content))
    if not isinstance(content, dict):
        raise SubjectError(
            f"{label} holds {_what_it_is(content)}, no state_dict; torch.save(model.state_dict(), ...) saves one"
        )
    raise SubjectError(f"{label} holds no tensor by a name; torch.save(model.state_dict(), ...) saves a state_dict")


def _what_it_is(content: Any) -> str:
    if isinstance(content, StoredTensor):
        return "one tensor without a name"
    return shown(content.name) if isinstance(content, Named | Built) else f"a {type(content).__name__}"


def _special_in(content: Any) -> list[SpecialTensor]:
    held = [content, *content.values()] if isinstance(content, dict) else [content]
    held += [inner for each in held[1:] if isinstance(each, dict) for inner in each.values()]
    return [each for each in held if isinstance(each, SpecialTensor)]


def _tell_archive(path: Path) -> _Told:
    archive = read_archive(path)
    outline = Outline()
    content = outline.read(BytesIO(archive.pickle))
    records = checked_records(archive, outline)
    if archive.constants is None:
        return _Told(content, outline, records)
    constants = Outline()
    held = constants.read(BytesIO(archive.constants))
    frozen = {f"CONSTANTS.{key}": record for key, record in checked_records(archive, constants, "constants").items()}
    script = state_dict_of_script(content, held)
    return _Told(content, outline, records | frozen, script)


def checked_records(archive: TorchArchive, outline: Outline, folder: str = "data") -> dict[str, Record]:
    """The records of all storages by their keys.

    Raises:
        DamagedPickleError: one is missing, or of another size than the pickle says.
    """
    found = {}
    for key, storage in outline.storages.items():
        record = archive.records.get(f"{folder}/{key}")
        if record is None or record.size != storage.nbytes:
            raise DamagedPickleError(
                f"says that storage {key[:40]!r} has {storage.nbytes} bytes, and it has "
                f"{record.size if record else 'none'}; copy it again, or save it again"
            )
        found[key] = record
    return found


def _tell_legacy(path: Path, label: str) -> _Told:
    size = path.stat().st_size
    if size > LEGACY_MOST:
        raise SubjectError(
            f"{label} is {size / 2**30:.1f} GiB in the format of torch before 1.6, which can only be read whole; load "
            "it and torch.save it again with a newer torch"
        )
    with path.open("rb") as file:
        head = BytesIO(file.read(PICKLE_MOST))
        outline = Outline()
        _magic, version = outline.read(head), outline.read(head)
        if version != 1001:
            raise DamagedPickleError("is of an unknown version")
        system = outline.read(head)
        if type(system) is not dict or system.get("little_endian") is not True:
            raise DamagedPickleError("was saved on a machine of another byte order, or is damaged")
        content, keys = outline.read(head), outline.read(head)
        if type(keys) is not list or not all(type(key) is str for key in keys) or len(set(keys)) != len(keys):
            raise DamagedPickleError("is damaged: it lists its storages wrongly")
        # Whatever a file does not fill would be shown with what the memory held before
        if set(keys) != set(outline.storages):
            raise DamagedPickleError("is damaged: its storages are not those that its tensors need")
        place = head.tell()
        records = {}
        for key in keys:
            storage = outline.storages[key]
            file.seek(place)
            count = int.from_bytes(file.read(8), "little")
            records[key] = Record(place + 8, storage.nbytes)
            place += 8 + storage.nbytes
            if count != storage.numel or place > size:
                raise DamagedPickleError(f"is cut off or damaged: storage {key[:40]!r} is not whole; copy it again")
    return _Told(content, outline, records)
