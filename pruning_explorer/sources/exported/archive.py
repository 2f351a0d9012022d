"""The records of a ``.pt2`` archive, found by its own table of contents and by nothing that it says about itself.

``torch.export.load`` is meant for files that one trusts: it unpickles, evaluates expressions and loads compiled code.
So none of it is used here. The archive is a zip of stored records; only those that are known are taken, the JSON is
read with the standard library, weights are read as plain numbers, and pickled records are never opened.
"""

import json
import mmap
import re
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError

LARGEST_DIRECTORY = 16 << 20
LARGEST_JSON = 48 << 20
MOST_RECORDS = 100_000
MOST_JSON_PARTS = 6_000_000
"""Most objects, lists and values in one JSON record; each takes some 60 bytes in memory."""

_MODEL = r"[\w.-]{1,200}"
READ = re.compile(
    rf"archive_format|archive_version|byteorder|models/{_MODEL}\.json|data/weights/{_MODEL}_weights_config\.json"
    rf"|data/constants/{_MODEL}_constants_config\.json|data/(weights/weight|constants/tensor)_\d{{1,9}}"
)
NEVER_OPENED = re.compile(rf"data/sample_inputs/{_MODEL}\.pt|version|\.data/[\w.-]{{1,200}}|extra/[\w./ -]{{1,200}}")
PICKLED = re.compile(r"data/(weights|constants)/(?!.*\.json$).*")

AGAIN = "export the network and save it with torch.export.save again"


@dataclass(frozen=True)
class Record:
    """Where a record's bytes lie in the file."""

    start: int
    size: int


class Archive:
    """An open ``.pt2`` file whose table of contents has been checked.

    Attributes:
        records: name without the archive's own folder -> place.
    """

    def __init__(self, path: Path) -> None:
        """Check the table of contents; no record is read yet.

        Raises:
            SubjectError: it is no archive of an exported program, or holds what such an archive does not.
        """
        try:
            with path.open("rb") as file:
                self.records = _find_records(file)
                self._memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except SubjectError:
            raise
        except (*(zipfile.BadZipFile, struct.error, ValueError, OverflowError, NotImplementedError), OSError) as error:
            raise SubjectError(f"it is no .pt2 archive ({error or type(error).__name__}); {AGAIN}") from None
        if self.text("archive_format", 16) != "pt2":
            raise SubjectError(f"its archive_format is not pt2; {AGAIN}")
        if self.text("archive_version", 16) != "0":
            raise SubjectError(f"its archive_version is not 0, the one that is read here; {AGAIN}")
        if "byteorder" in self.records and self.text("byteorder", 16) != "little":
            raise SubjectError("its numbers are big-endian; export it on a little-endian machine")

    def named(self, pattern: str) -> list[str]:
        """The one group of ``pattern`` in each record's name that matches it whole."""
        return [found[1] for name in self.records if (found := re.fullmatch(pattern, name))]

    def content(self, name: str, most: int) -> bytes:
        """A record's bytes.

        Raises:
            SubjectError: there is no such record, or it is larger than ``most`` bytes.
        """
        record = self.records.get(name)
        if record is None:
            raise SubjectError(f"it has no record {name}; {AGAIN}")
        if record.size > most:
            raise SubjectError(f"its {name} is {record.size >> 20} MiB large, and {most >> 20} MiB is the most")
        return self._memory[record.start : record.start + record.size]

    def text(self, name: str, most: int) -> str:
        """A record as text; SubjectError where it is none."""
        try:
            return self.content(name, most).decode()
        except UnicodeDecodeError:
            raise SubjectError(f"its {name} is no UTF-8 text; {AGAIN}") from None

    def json(self, name: str) -> dict[str, Any]:
        """A record that is one JSON object; SubjectError where it is none, or a key stands twice in it."""
        text = self.text(name, LARGEST_JSON)
        if sum(map(text.count, ",[{")) > MOST_JSON_PARTS:
            raise SubjectError(f"its {name} has more than {MOST_JSON_PARTS} parts, which is no network's graph")
        try:
            found = json.loads(text, object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            raise SubjectError(f"its {name} is no JSON ({type(error).__name__}: {str(error)[:80]}); {AGAIN}") from None
        if not isinstance(found, dict):
            raise SubjectError(f"its {name} is no JSON object; {AGAIN}")
        return found

    def numbers(self, name: str, dtype: torch.dtype) -> Tensor:
        """A record as a flat tensor, read from the file as it is used; empty where the record is.

        Raises:
            SubjectError: there is no such record, or its size is no multiple of the dtype's.
        """
        record = self.records.get(name)
        if record is None:
            raise SubjectError(f"it has no record {name}; {AGAIN}")
        if record.size % dtype.itemsize:
            raise SubjectError(f"its {name} has {record.size} bytes, which are no whole numbers of {dtype}; {AGAIN}")
        if record.size == 0:
            return torch.empty(0, dtype=dtype)
        if record.start % dtype.itemsize:
            # Kernels expect numbers where they may lie
            piece = bytearray(self._memory[record.start : record.start + record.size])
            return torch.frombuffer(piece, dtype=dtype)
        count = record.size // dtype.itemsize
        return torch.frombuffer(self._memory, dtype=dtype, count=count, offset=record.start)


def _find_records(file: BinaryIO) -> Mapping[str, Record]:
    size = file.seek(0, 2)
    if _directory_size(file, size) > LARGEST_DIRECTORY:
        raise SubjectError(f"its table of contents is more than {LARGEST_DIRECTORY >> 20} MiB large; {AGAIN}")
    with zipfile.ZipFile(file) as archive:
        members, directory = archive.infolist(), archive.start_dir
    if not 0 < len(members) <= MOST_RECORDS:
        raise SubjectError(f"it has {len(members)} records, and 1 to {MOST_RECORDS} is what is read; {AGAIN}")
    _check_names(members)
    records: dict[str, Record] = {}
    end = 0
    for member in sorted(members, key=lambda each: each.header_offset):
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise SubjectError(f"its record {_short(member.filename)} is compressed; torch stores them as they are")
        if member.flag_bits & 1:
            raise SubjectError(f"its record {_short(member.filename)} is encrypted; {AGAIN}")
        start = _data_start(file, member)
        if member.header_offset < end or start + member.file_size > directory:
            raise SubjectError(f"its record {_short(member.filename)} overlaps another or ends outside; {AGAIN}")
        end = start + member.file_size
        records[member.filename.partition("/")[2]] = Record(start, member.file_size)
    return records


def _directory_size(file: BinaryIO, size: int) -> int:
    """What the end of the file says of its table of contents, before that is read."""
    file.seek(max(0, size - 66_000))
    tail = file.read()
    largest = 0
    for signature, shape in ((b"PK\5\6", "<12xL"), (b"PK\6\6", "<40xQ")):
        at = tail.rfind(signature)
        if at >= 0:
            found = int(struct.unpack_from(shape, tail, at)[0])
            largest = max(largest, 0 if found == 0xFFFFFFFF else found)
    return largest


def _check_names(members: Iterable[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    roots: set[str] = set()
    for member in members:
        root, _, name = member.filename.partition("/")
        roots.add(root)
        if member.filename in seen:
            raise SubjectError(f"its record {_short(member.filename)} is there twice; {AGAIN}")
        seen.add(member.filename)
        if "/../" in f"/{member.filename}/" or "\\" in member.filename or "\0" in member.filename:
            raise SubjectError(f"its record {_short(member.filename)} points out of the archive; {AGAIN}")
        if name.startswith("data/aotinductor/") or name.endswith((".so", ".dll", ".dylib", ".cubin")):
            raise SubjectError(
                f"its record {_short(name)} is compiled code, which is never run here; save the exported program "
                "alone, with torch.export.save"
            )
        if READ.fullmatch(name) or NEVER_OPENED.fullmatch(name):
            continue
        if PICKLED.fullmatch(name):
            raise SubjectError(
                f"its record {_short(name)} is a pickle, which is never opened here; export a network of plain tensors "
                f"with torch {torch.__version__.partition('+')[0]}, or save its state_dict alone"
            )
        raise SubjectError(f"its record {_short(name)} is none of an exported program's; {AGAIN}")
    if len(roots) != 1:
        raise SubjectError(f"its records lie in {len(roots)} folders, not in one; {AGAIN}")


def _data_start(file: BinaryIO, member: zipfile.ZipInfo) -> int:
    file.seek(member.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != b"PK\3\4":
        raise SubjectError(f"its record {_short(member.filename)} is not where it should be; {AGAIN}")
    name_length, extra_length = struct.unpack_from("<HH", header, 26)
    if file.read(name_length) != member.orig_filename.encode("utf-8" if member.flag_bits & 0x800 else "cp437"):
        raise SubjectError(f"its record {_short(member.filename)} has two names; {AGAIN}")
    return member.header_offset + 30 + int(name_length) + int(extra_length)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _short(name: str) -> str:
    """A name that a stranger chose, for a message."""
    return ascii(name if len(name) <= 80 else f"{name[:77]}...")
