"""The zip archive that ``torch.save`` and ``torch.jit.save`` write, checked before anything of it is believed."""

import io
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pruning_explorer.sources.checkpoints.other_kinds import name_other_archive
from pruning_explorer.sources.checkpoints.pickle_outline import PICKLE_MOST
from pruning_explorer.sources.checkpoints.stored_tensors import DamagedPickleError

DIRECTORY_MOST = 8 << 20

UNREAD = ("code/", "extra/", "model.json", "attributes.pkl")
"""Records of TorchScript that may be compressed, since nothing here reads them."""

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True)
class Record:
    """Where a record's bytes begin in the file, and how many they are."""

    start: int
    size: int


@dataclass(frozen=True)
class TorchArchive:
    """What lies in the archive.

    Attributes:
        records: by their names below the archive's one folder: ``"data/0"``.
        pickle: the content of ``data.pkl``.
        constants: that of ``constants.pkl``, which only TorchScript has; None where there is none.
    """

    records: dict[str, Record]
    pickle: bytes
    constants: bytes | None


class OtherArchiveError(Exception):
    """It is a zip archive of another kind; the text says of which, and what to do."""


def read_archive(path: Path, start: int = 0, size: int | None = None) -> TorchArchive:
    """Check that a zip is laid out as torch lays it out, and read its pickle.

    Args:
        start, size: the part of the file that is the archive; all of it where they are left out.

    Raises:
        DamagedPickleError: it is broken, or lies about what is in it.
        OtherArchiveError: torch.save did not write it.
    """
    try:
        with path.open("rb") as whole:
            file = PartOfFile(whole, start, path.stat().st_size if size is None else size)
            directory = _directory_start(file, file.size)
            with zipfile.ZipFile(file) as archive:
                return _checked(file, archive, directory)
    except (
        *(zipfile.BadZipFile, zipfile.LargeZipFile, struct.error, EOFError, UnicodeError),
        *(ValueError, NotImplementedError, RuntimeError, KeyError, OSError, MemoryError),
    ) as error:
        raise DamagedPickleError(f"is a damaged archive ({str(error)[:100] or type(error).__name__})") from None


class PartOfFile(io.RawIOBase):
    """Bytes of a file from one place on, as a file of its own."""

    def __init__(self, whole: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._whole, self.start, self.size = whole, start, size
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if base + place < 0:
            raise OSError("a place before the beginning")
        self._at = base + place
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = max(self.size - self._at, 0)
        self._whole.seek(self.start + self._at)
        content = self._whole.read(left if size is None or size < 0 else min(size, left))
        self._at += len(content)
        return content


def _directory_start(file: PartOfFile, size: int) -> int:
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


def _checked(file: PartOfFile, archive: zipfile.ZipFile, directory: int) -> TorchArchive:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    _refuse_other_kinds(names)
    if len(set(names)) != len(names) or len({name.lower() for name in names}) != len(names):
        raise DamagedPickleError("holds an entry twice")
    folder = next((name.partition("/")[0] for name in names if name.endswith("/data.pkl") and name.count("/") == 1), "")
    if not folder or any(not name.startswith(f"{folder}/") for name in names):
        raise OtherArchiveError(name_other_archive(names))
    free = 0
    records = {}
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        name = entry.filename.removeprefix(f"{folder}/")
        if entry.flag_bits & 0x41:
            raise DamagedPickleError("has an encrypted entry")
        start, free = _place_of(file, entry, free, directory)
        if entry.compress_type == zipfile.ZIP_STORED and entry.file_size == entry.compress_size:
            records[name] = Record(file.start + start, entry.file_size)
        elif not name.startswith(UNREAD):
            raise DamagedPickleError(f"has a compressed entry, {entry.filename[:60]!r}, and torch.save compresses none")
    _check_order_of_bytes(archive, folder, records)
    pickles = {}
    for name in ("data.pkl", "constants.pkl"):
        if name in records:
            size = records[name].size
            if size > PICKLE_MOST:
                raise DamagedPickleError(f"lists its tensors in {size >> 20} MiB; {PICKLE_MOST >> 20} is the most")
            pickles[name] = archive.read(f"{folder}/{name}")
    return TorchArchive(records, pickles["data.pkl"], pickles.get("constants.pkl"))


def _place_of(file: PartOfFile, entry: zipfile.ZipInfo, free: int, directory: int) -> tuple[int, int]:
    """Where an entry's bytes begin and end; it must begin at ``free`` or later and lie before the list of entries."""
    file.seek(entry.header_offset)
    mark, *_, name_length, extra_length = _LOCAL.unpack(file.read(_LOCAL.size))
    name = file.read(name_length)
    start = int(entry.header_offset + _LOCAL.size + name_length + extra_length)
    end = start + entry.compress_size
    if mark != b"PK\x03\x04" or name != entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437"):
        raise DamagedPickleError("is a damaged archive: an entry is not what its list says")
    if entry.header_offset < free or end > directory:
        raise DamagedPickleError("is a damaged archive: its entries lie over one another")
    return start, end


def _refuse_other_kinds(names: list[str]) -> None:
    leaves = {name.rpartition("/")[2] for name in names}
    if any(name.endswith(".npy") for name in names):
        raise OtherArchiveError("is an .npz file of arrays, no network; save the state_dict with torch.save")
    if "archive_format" in leaves or leaves & {"serialized_exported_program.json", "serialized_state_dict.json"}:
        raise OtherArchiveError("is an exported program; give it the ending .pt2 and open it as one")


def _check_order_of_bytes(archive: zipfile.ZipFile, folder: str, records: dict[str, Record]) -> None:
    if "byteorder" not in records:
        return
    order = archive.read(f"{folder}/byteorder") if records["byteorder"].size < 10 else b""
    if order != b"little":
        raise DamagedPickleError(
            "was saved on a machine of another byte order; load and save it on this kind of machine"
        )
