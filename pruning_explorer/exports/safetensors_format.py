"""A ``.safetensors`` file, written tensor by tensor.

The library writes a file from tensors that are all in memory. The format is plain: the header's length in eight bytes,
little-endian; the header, JSON; the tensors, one after another (https://github.com/huggingface/safetensors).
"""

import json
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError, safe_open

from pruning_explorer.errors import ExportError
from pruning_explorer.exports.contents import Contents
from pruning_explorer.exports.reading import compare

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e4m3fnuz: "F8_E4M3FNUZ",
    torch.float8_e5m2: "F8_E5M2",
    torch.float8_e5m2fnuz: "F8_E5M2FNUZ",
    torch.complex64: "C64",
}
METADATA = "__metadata__"


class SafetensorsFile:
    """A ``.safetensors`` file of given contents.

    Tied weights are there once, and the metadata maps their further names, as ``safetensors.torch.save_model`` does it.
    Masks and pairs are there under every name: ``load_model`` does not know of their ties.

    Attributes:
        library: that opens it again.
        nbytes: exactly.
    """

    library = "safetensors.torch"

    def __init__(self, contents: Contents) -> None:
        """Lay the file out.

        Raises:
            ExportError: a name or a dtype is none that the format has.
        """
        tensors = dict(contents.values)
        said = {name: _clean(text) for name, text in contents.metadata.items()}
        if contents.what == "weights":
            said |= contents.aliases
        else:
            tensors |= {alias: tensors[name] for alias, name in contents.aliases.items()}
        for name, each in tensors.items():
            if each.dtype not in DTYPES:
                raise ExportError(f"{name} is {each.dtype}, which .safetensors cannot hold; save it as .pt")
            if name == METADATA or _clean(name) != name:
                raise ExportError(f"{name!a} is no name for a tensor in .safetensors; save it as .pt")
        # The widest first, as the library does it, so that each begins at a multiple of its own width
        self._tensors = dict(sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize))
        self._said = said
        self._header = self._write_header()
        self.nbytes = len(self._header) + sum(each.nbytes for each in tensors.values())

    def pieces(self) -> Iterator[memoryview | bytes]:
        """The file from its beginning to its end."""
        yield self._header
        for piece in chain.from_iterable(each.pieces() for each in self._tensors.values()):
            yield piece.view(torch.uint8).numpy().data

    def write(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        """Write the file; ``tell`` is called for each part with the number of its bytes."""
        for piece in self.pieces():
            file.write(piece)
            tell(len(piece))

    def check(self, path: Path, tell: Callable[[int], None]) -> None:
        """Open a file by the library and compare every bit.

        Raises:
            ExportError: it is not what it should be.
        """
        try:
            with safe_open(str(path), framework="pt") as file:
                compare(self._tensors, file.keys(), file.get_tensor, tell)
                if file.metadata() != self._said:
                    raise ExportError("the file's metadata is not what was written")
        except (SafetensorError, OSError) as error:
            raise ExportError(f"safetensors cannot open what was written ({str(error)[:200]})") from error

    def _write_header(self) -> bytes:
        entries: dict[str, object] = {METADATA: self._said}
        start = 0
        for name, each in self._tensors.items():
            entries[name] = {
                "dtype": DTYPES[each.dtype],
                "shape": list(each.shape),
                "data_offsets": [start, start + each.nbytes],
            }
            start += each.nbytes
        text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return len(text).to_bytes(8, "little") + text


def _clean(text: str) -> str:
    """Without halves of characters, which some file names hold and UTF-8 has not."""
    return text.encode("utf-8", "replace").decode()
