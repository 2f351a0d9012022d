"""Tensors of a GGUF file, as llama.cpp and its like read: those of plain numbers, mapped from it.

The form: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Its header is read by hand, with bounds: the
package ``gguf`` believes every count in it, and makes an array of each word of a vocabulary.
"""

import struct
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.mapped_storages import MappedFile, contiguous
from pruning_explorer.sources.checkpoints.stored_layers import check_count
from pruning_explorer.sources.checkpoints.stored_tensors import NUMBERS_MOST
from pruning_explorer.sources.checkpoints.stored_weights import StoredWeights
from pruning_explorer.sources.checkpoints.torch_archive import Record

ENTRIES_MOST = 20_000
WORDS_MOST = 4_000_000
"""Most texts in all lists of a header: a vocabulary has a few hundred thousand."""
TEXT_MOST = 1 << 16
DIMS_MOST = 4
KEPT = ("general.architecture", "general.name", "general.alignment", "split.no", "split.count")

PLAIN = {
    0: torch.float32,
    1: torch.float16,
    24: torch.int8,
    25: torch.int16,
    26: torch.int32,
    27: torch.int64,
    28: torch.float64,
    30: torch.bfloat16,
}
QUANTISED = {
    **dict(enumerate(("Q4_0", "Q4_1", "Q4_2", "Q4_3", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K"), 2)),
    **dict(enumerate(("Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S"), 13)),
    **dict(enumerate(("IQ2_S", "IQ4_XS"), 22)),
    29: "IQ1_M",
    34: "TQ1_0",
    35: "TQ2_0",
    39: "MXFP4",
}
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9
_AGAIN = "copy it again, or convert the network again"


class _Header:
    """Reads the header from its beginning; every length in it is checked before it is believed."""

    def __init__(self, file: BinaryIO, size: int, label: str) -> None:
        self.file, self.size, self.label = file, size, label
        self.words = 0

    def take(self, count: int) -> bytes:
        content = self.file.read(count) if 0 <= count <= TEXT_MOST else b""
        if len(content) != count:
            raise self.error("is cut off or damaged in its header")
        return content

    def skip(self, count: int) -> None:
        place = self.file.tell() + count
        if place > self.size:
            raise self.error("is cut off or damaged in its header")
        self.file.seek(place)

    def number(self, form: str) -> Any:
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))[0]

    def text(self) -> str:
        try:
            return self.take(self.number("Q")).decode()
        except UnicodeDecodeError:
            raise self.error("has a name that is no text") from None

    def value(self, kind: int, *, keep: bool) -> Any:
        """A value of metadata, which is only read where it is kept."""
        if kind in _NUMBERS:
            return self.number(_NUMBERS[kind])
        if kind == _TEXT:
            if keep:
                return self.text()
            self.skip(self.number("Q"))
            return None
        if kind != _LIST:
            raise self.error(f"has a value of the unknown kind {kind}")
        inner, count = self.number("I"), self.number("Q")
        if inner in _NUMBERS:
            self.skip(count * struct.calcsize(f"<{_NUMBERS[inner]}"))
        elif inner == _TEXT:
            self.words += count
            if self.words > WORDS_MOST:
                raise self.error(f"lists more than {WORDS_MOST:,} words")
            for _ in range(count):
                self.skip(self.number("Q"))
        else:
            raise self.error(f"has a list of the unknown kind {inner}")
        return None

    def error(self, what: str) -> SubjectError:
        return SubjectError(f"{self.label} {what}; {_AGAIN}")


def read_gguf(path: Path, label: str) -> StoredWeights:
    """The tensors of one file; those that are quantised are refused one by one, with their type.

    Args:
        label: what to call the file.

    Raises:
        SubjectError: it is broken, or of a version that is not read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        header = _Header(file, size, label)
        header.skip(4)
        version = header.number("I")
        if version not in (2, 3):
            other = "of another byte order" if version & 0xFFFF == 0 else f"of version {version} of GGUF"
            raise SubjectError(f"{label} is {other}, and versions 2 and 3 are read; convert the network again")
        count, entries = header.number("Q"), header.number("Q")
        check_count(count, label)
        if entries > ENTRIES_MOST:
            raise header.error(f"has {entries:,} values of metadata, and {ENTRIES_MOST:,} is the most")
        told: dict[str, Any] = {}
        for _ in range(entries):
            key = header.text()
            value = header.value(header.number("I"), keep=key in KEPT)
            if key in KEPT:
                told[key] = value
        listed = [_entry(header) for _ in range(count)]
        start = _padded(file.tell(), told.get("general.alignment", 32), header)
    return _weights(path, header, told, listed, start)


def _entry(header: _Header) -> tuple[str, tuple[int, ...], int, int]:
    """A tensor's name, its shape as torch has it, its type, and where it begins behind the header."""
    name, dims = header.text(), header.number("I")
    if dims > DIMS_MOST:
        raise header.error(f"holds a tensor of {dims} dims")
    # The first one is along neighbours
    shape = tuple(reversed([header.number("Q") for _ in range(dims)]))
    if any(each > NUMBERS_MOST for each in shape) or prod(shape) > NUMBERS_MOST:
        raise header.error(f"holds a tensor of shape {str(shape)[:80]}")
    return name, shape, header.number("I"), header.number("Q")


def _padded(place: int, alignment: Any, header: _Header) -> int:
    if type(alignment) is not int or not 0 < alignment <= TEXT_MOST:
        raise header.error("says no alignment of its tensors")
    return -(-place // alignment) * alignment


def _weights(
    path: Path, header: _Header, told: dict[str, Any], listed: list[tuple[str, tuple[int, ...], int, int]], start: int
) -> StoredWeights:
    records: dict[str, Record] = {}
    refused: dict[str, str] = {}
    for name, shape, kind, offset in listed:
        if name in records or name in refused:
            raise SubjectError(f"{header.label} holds {name[:80]!r} twice; convert the network again")
        if kind not in PLAIN:
            what = QUANTISED.get(kind, f"type {kind}")
            refused[name] = (
                f"quantised as {what}, which has no plain weights; take the file of F16 or BF16, or the .safetensors "
                "that it was made of"
            )
            continue
        records[name] = Record(start + offset, prod(shape) * PLAIN[kind].itemsize)
        if records[name].start + records[name].size > header.size:
            raise header.error(f"is cut off: {name[:80]!r} does not lie in it")
    kinds = {name: PLAIN[kind] for name, _, kind, _ in listed if kind in PLAIN}
    shapes = {name: shape for name, shape, _, _ in listed}
    if not records:
        types = sorted({QUANTISED.get(kind, f"type {kind}") for _, _, kind, _ in listed})
        what = f"is quantised as {', '.join(types[:6])}" if types else "holds no tensor"
        raise SubjectError(
            f"{header.label} {what}, so it has no plain weights; take the file of F16 or BF16, or the .safetensors "
            "that it was made of"
        )
    storages = MappedFile(path, header.label).storages(records)
    tensors = {name: contiguous(storages[name], kinds[name], shapes[name]) for name in records}
    family = told.get("general.architecture")
    notes = ["Its names are those of llama.cpp, not of the network it was converted from."]
    if told.get("split.count", 0) not in (0, 1):
        notes += [f"It is part {told.get('split.no', 0) + 1} of {told['split.count']}; the others open by themselves."]
    return StoredWeights(
        tensors,
        f"GGUF{f' ({family[:40]})' if family and family.isprintable() else ''}",
        "import torch\nfrom gguf import GGUFReader",
        f"{{t.name: torch.from_numpy(t.data.copy()) for t in GGUFReader({header.label!r}).tensors"
        f"{f' if t.tensor_type in {tuple(PLAIN)}' if refused else ''}}}",
        refused=refused,
        notes=tuple(notes),
        after=(
            "# GGUFReader gives bfloat16 as bytes",
            "weights = {n: w.view(torch.bfloat16) if w.dtype == torch.uint8 else w for n, w in weights.items()}",
        )
        if torch.bfloat16 in kinds.values()
        else (),
    )
