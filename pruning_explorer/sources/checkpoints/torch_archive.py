"""The zip archive that ``torch.save`` writes, checked before torch reads it."""

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pruning_explorer.sources.checkpoints.other_kinds import name_other_archive
from pruning_explorer.sources.checkpoints.pickle_outline import PICKLE_MOST
from pruning_explorer.sources.checkpoints.stored_tensors import DamagedPickleError

DIRECTORY_MOST = 8 << 20

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True)
class TorchArchive:
    """What lies in the archive.

    Attributes:
        records: bytes in each, by its name below the archive's one folder: ``"data/0"``.
        pickle: the content of ``data.pkl``.
    """

    records: dict[str, int]
    pickle: bytes


class OtherArchiveError(Exception):
    """It is a zip archive of another kind; the text says of which, and what to do."""


def read_archive(path: Path) -> TorchArchive:
    """Check that a zip is laid out as torch lays it out, and read its pickle.

    Raises:
        DamagedPickleError: it is broken, or lies about what is in it.
        OtherArchiveError: torch.save did not write it.
    """
    try:
        with path.open("rb") as file:
            directory = _directory_start(file, path.stat().st_size)
            with zipfile.ZipFile(file) as archive:
                return _checked(file, archive, directory)
    except (
        *(zipfile.BadZipFile, zipfile.LargeZipFile, struct.error, EOFError),
        *(ValueError, NotImplementedError, RuntimeError, KeyError, OSError, MemoryError),
    ) as error:
        raise DamagedPickleError(f"is a damaged archive ({str(error)[:100] or type(error).__name__})") from None


def _directory_start(file: BinaryIO, size: int) -> int:
    """Where the list of entries begins. Python and torch look for it each in their way; here they must agree."""
    end_at = size - _END.size
    file.seek(max(end_at, 0))
    found = file.read(_END.size)
    if len(found) < _END.size or not found.startswith(b"PK\x05\x06"):
        raise DamagedPickleError("is cut off: its archive has no end; copy it again")
    entries, length, start, comment = map(int, _END.unpack(found)[4:])
    file.seek(max(end_at - _LOCATOR64.size, 0))
    mark, _, end64_at, _ = _LOCATOR64.unpack(file.read(_LOCATOR64.size))
    listed_until = end_at
    if mark == b"PK\x06\x07":
        file.seek(end64_at)
        mark, *_, entries64, length64, start64 = _END64.unpack(file.read(_END64.size))
        short = ((entries, entries64, 0xFFFF), (length, length64, 0xFFFFFFFF), (start, start64, 0xFFFFFFFF))
        if mark != b"PK\x06\x06" or any(small not in (large, most) for small, large, most in short):
            raise DamagedPickleError("is a damaged archive, which ends in two ways")
        listed_until, length, start = int(end64_at), int(length64), int(start64)
    if length > DIRECTORY_MOST:
        raise DamagedPickleError(
            f"lists its entries in {length:,} bytes, and {DIRECTORY_MOST:,} is the most; save part of it"
        )
    if comment or start + length != listed_until:
        raise DamagedPickleError("is a damaged archive: its list of entries is not where it says")
    return start


def _checked(file: BinaryIO, archive: zipfile.ZipFile, directory: int) -> TorchArchive:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    _refuse_other_kinds(names)
    if len(set(names)) != len(names) or len({name.lower() for name in names}) != len(names):
        raise DamagedPickleError("holds an entry twice")
    folder = next((name.partition("/")[0] for name in names if name.endswith("/data.pkl") and name.count("/") == 1), "")
    if not folder or any(not name.startswith(f"{folder}/") for name in names):
        raise OtherArchiveError(name_other_archive(names))
    free = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise DamagedPickleError(f"has a compressed entry, {entry.filename[:60]!r}, and torch.save compresses none")
        if entry.flag_bits & 0x41:
            raise DamagedPickleError("has an encrypted entry")
        free = _end_of(file, entry, free, directory)
    records = {entry.filename.removeprefix(f"{folder}/"): entry.file_size for entry in entries}
    _check_order_of_bytes(archive, folder, records)
    if records["data.pkl"] > PICKLE_MOST:
        raise DamagedPickleError(
            f"lists its tensors in {records['data.pkl'] >> 20} MiB; {PICKLE_MOST >> 20} is the most"
        )
    return TorchArchive(records, archive.read(f"{folder}/data.pkl"))


def _end_of(file: BinaryIO, entry: zipfile.ZipInfo, free: int, directory: int) -> int:
    """Where an entry ends that must begin at ``free`` or later and lie before the list of entries."""
    file.seek(entry.header_offset)
    mark, *_, name_length, extra_length = _LOCAL.unpack(file.read(_LOCAL.size))
    name = file.read(name_length)
    end = entry.header_offset + _LOCAL.size + name_length + extra_length + entry.file_size
    if mark != b"PK\x03\x04" or name != entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437"):
        raise DamagedPickleError("is a damaged archive: an entry is not what its list says")
    if entry.header_offset < free or end > directory:
        raise DamagedPickleError("is a damaged archive: its entries lie over one another")
    return int(end)


def _refuse_other_kinds(names: list[str]) -> None:
    leaves = {name.rpartition("/")[2] for name in names}
    if any(name.endswith(".npy") for name in names):
        raise OtherArchiveError("is an .npz file of arrays, no network; save the state_dict with torch.save")
    if "archive_format" in leaves or leaves & {"serialized_exported_program.json", "serialized_state_dict.json"}:
        raise OtherArchiveError("is an exported program; give it the ending .pt2 and open it as one")
    if "constants.pkl" in leaves or any("/code/" in name for name in names):
        raise OtherArchiveError(
            "is TorchScript, which holds code of its author's, so it is not opened; where you trust it, save its "
            'weights alone:\nmodel = torch.jit.load("model.pt")\ntorch.save(model.state_dict(), "weights.pt")'
        )


def _check_order_of_bytes(archive: zipfile.ZipFile, folder: str, records: dict[str, int]) -> None:
    if "byteorder" not in records:
        return
    order = archive.read(f"{folder}/byteorder") if records["byteorder"] < 10 else b""
    if order != b"little":
        raise DamagedPickleError(
            "was saved on a machine of another byte order; load and save it on this kind of machine"
        )
