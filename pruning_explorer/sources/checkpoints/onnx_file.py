"""Weights of an ONNX model by their names: initializers, and constants of its graph. Nothing of it is run."""

from collections.abc import Iterator, Mapping, Set
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.stored_files import StoredFile
from pruning_explorer.sources.checkpoints.mapped_storages import MappedFile, contiguous
from pruning_explorer.sources.checkpoints.shards import inside_folder, shown
from pruning_explorer.sources.checkpoints.stored_layers import check_count, is_tensor_name
from pruning_explorer.sources.checkpoints.stored_tensors import DIMS_MOST, NUMBERS_MOST
from pruning_explorer.sources.checkpoints.stored_weights import StoredWeights
from pruning_explorer.sources.checkpoints.torch_archive import Record

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

LARGEST = (2 << 30) - 1
"""Bytes that a protobuf may have; a larger model keeps its weights in files beside it."""
FILES_MOST = 1000
DEPTH_MOST = 8
"""Graphs within graphs in which weights are looked for: the branches of an If hold graphs."""

PLAIN = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    4: torch.uint16,
    5: torch.int16,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
    12: torch.uint32,
    13: torch.uint64,
    16: torch.bfloat16,
    17: torch.float8_e4m3fn,
    18: torch.float8_e4m3fnuz,
    19: torch.float8_e5m2,
    20: torch.float8_e5m2fnuz,
}
_EXTERNAL = 1
_AGAIN = "copy it again, or export the network again"
_FLOATS = (1, 10, 11, 16, 17, 18, 19, 20)
_GRAPH, _TENSOR = 5, 4
"""Types of attributes of a node."""
_WALK = (
    "",
    "",
    "def weights_in(graph):  # initializers, and constants of the graph, of the branches of an If, too",
    "    yield from graph.initializer",
    "    for node in graph.node:",
    "        for each in node.attribute:",
    "            if each.type == onnx.AttributeProto.GRAPH:",
    "                yield from weights_in(each.g)",
    "            elif node.op_type == 'Constant' and each.name == 'value' and sum(each.t.dims) > 1:",
    "                each.t.name = node.output[0]",
    "                yield each.t",
    "",
    "",
)


def read_onnx(path: Path, label: str) -> StoredWeights:
    """The initializers of one model; those in files beside it are mapped from there.

    Args:
        label: what to call the file.

    Raises:
        SubjectError: it is broken, names a file that does not lie beside it, or ``onnx`` is not installed.
    """
    model = _parsed(path.read_bytes() if path.stat().st_size <= LARGEST else b"", label)
    graph = model.graph
    values = list(_weights_in(graph))
    check_count(len(values), label)
    refused = {_text(each.values.name, label): "sparse, so not plain" for each in graph.sparse_initializer}
    tensors: dict[str, Tensor] = {}
    outside: dict[str, TensorProto] = {}
    taken = {_text(name, label) for name, _ in values}
    for name, each in values:
        if not name or name in tensors or name in outside or name in refused:
            raise SubjectError(f"{label} holds {shown(name)[:80]!r} twice, or without a name; {_AGAIN}")
        if why := _unfit(name, taken):
            refused[name] = why
        elif each.data_type not in PLAIN:
            refused[name] = f"of the type {_type_name(each.data_type)} of ONNX, which has no plain weights"
        elif each.data_location == _EXTERNAL:
            outside[name] = each
        else:
            tensors[name] = _held(each, label)
    found, also = _mapped(outside, path.parent, label)
    names = [name for name, _ in values if name not in refused]
    if not names:
        raise SubjectError(f"{label} is an ONNX model that holds no weights of plain numbers; {_AGAIN}")
    alone = len(values) == len(graph.initializer)
    return StoredWeights(
        {name: tensors[name] if name in tensors else found[name] for name in names},
        "ONNX",
        "import onnx\nimport torch",
        "{w.name: torch.from_numpy(onnx.numpy_helper.to_array(w).copy()) for w in "
        + (f"onnx.load({label!r}).graph.initializer}}" if alone else f"weights_in(onnx.load({label!r}).graph)}}"),
        before=() if alone else _WALK,
        notes=("Names and shapes are those of its graph, where the weight of a MatMul is [in, out].",),
        mapped=False,
        refused=refused,
        also=tuple(also),
    )


def _weights_in(graph: "GraphProto", depth: int = 0) -> Iterator[tuple[str, "TensorProto"]]:
    """Initializers and constants of more than one number, as some exporters write weights; those of branches, too."""
    for each in graph.initializer:
        yield each.name, each
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == _GRAPH and depth < DEPTH_MOST:
                yield from _weights_in(attribute.g, depth + 1)
            elif node.op_type == "Constant" and attribute.type == _TENSOR and attribute.name == "value":
                value = attribute.t
                if len(node.output) == 1 and value.data_type in _FLOATS and prod(value.dims) > 1:
                    yield node.output[0], value


def data_files(content: bytes, label: str) -> list[str]:
    """Names of the files beside a model that hold its weights.

    Raises:
        SubjectError: it is broken, or ``onnx`` is not installed.
    """
    values = _weights_in(_parsed(content, label).graph)
    return sorted({_place(each, label)[0] for _, each in values if each.data_location == _EXTERNAL})


def _parsed(content: bytes, label: str) -> "ModelProto":
    try:
        import onnx
    except ImportError:
        raise SubjectError(
            f"{label} is an ONNX model, and the package onnx, which reads these, is not installed; pip install onnx, "
            "or open the weights that it was made of"
        ) from None
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, MemoryError, ValueError) as error:
        raise SubjectError(f"{label} is no whole ONNX model ({str(error)[:100]}); {_AGAIN}") from None
    if not content or not model.HasField("graph"):
        raise SubjectError(f"{label} is no ONNX model of less than 2 GiB with a graph in it; {_AGAIN}")
    return model


def _text(value: Any, label: str) -> str:
    # The library gives bytes for a text that is none
    if not isinstance(value, str):
        raise SubjectError(f"{label} has a name that is no text; {_AGAIN}")
    return value


def _unfit(name: str, taken: Set[str]) -> str:
    """Why a name of a graph can be none in a network; empty where it can."""
    if not is_tensor_name(name):
        return "called as no parameter of torch can be; rename it"
    parts = name.split(".")
    above = next((part for part in map(".".join, (parts[:n] for n in range(1, len(parts)))) if part in taken), None)
    return "" if above is None else f"called as if it lay in {shown(above)!r}, which is a tensor itself; rename it"


def _type_name(kind: int) -> str:
    from onnx import TensorProto

    known = TensorProto.DataType.items()
    return next((name for name, number in known if number == kind), str(kind))


def _shape(proto: "TensorProto", label: str) -> tuple[int, ...]:
    shape = tuple(proto.dims)
    sizes = len(shape) <= DIMS_MOST and all(0 <= each <= NUMBERS_MOST for each in shape)
    if not sizes or prod(max(each, 1) for each in shape) > NUMBERS_MOST:
        raise SubjectError(f"{shown(proto.name)[:80]!r} in {label} has shape {str(shape)[:80]}; {_AGAIN}")
    return shape


def _held(proto: "TensorProto", label: str) -> Tensor:
    """A tensor whose numbers are in the model itself: as bytes, or in the field of a type that holds them."""
    shape, dtype = _shape(proto, label), PLAIN[proto.data_type]
    content = proto.raw_data if proto.HasField("raw_data") else _packed(proto, dtype)
    if len(content) != prod(shape) * dtype.itemsize:
        raise SubjectError(
            f"{shown(proto.name)[:80]!r} in {label} has {len(content):,} bytes, and shape {str(shape)[:80]} of {dtype} "
            f"needs others; {_AGAIN}"
        )
    if not content:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(content), dtype=dtype).view(shape)


def _packed(proto: "TensorProto", dtype: torch.dtype) -> bytes:
    fields: Mapping[torch.dtype, tuple[Any, type[Any]]] = {
        torch.float32: (proto.float_data, np.float32),
        torch.float64: (proto.double_data, np.float64),
        torch.int64: (proto.int64_data, np.int64),
        torch.uint64: (proto.uint64_data, np.uint64),
        torch.uint32: (proto.uint64_data, np.uint32),
    }
    # All else is kept as whole numbers of 32 bits, halves by their bits
    by_width = {1: np.uint8, 2: np.uint16, 4: np.uint32}
    numbers, kind = fields.get(dtype, (proto.int32_data, by_width.get(dtype.itemsize, np.uint32)))
    wide = np.int64 if numbers is proto.int32_data else np.uint64 if numbers is proto.uint64_data else kind
    return np.array(numbers, dtype=wide).astype(kind).tobytes()


def _place(proto: "TensorProto", label: str) -> tuple[str, int, int | None]:
    """Of a tensor that lies in another file: which, where it begins, and how many bytes it has if that is said."""
    said = {_text(each.key, label): _text(each.value, label) for each in proto.external_data}
    numbers = [said.get(key, "") for key in ("offset", "length")]
    if not said.get("location") or not all(each == "" or (each.isdecimal() and len(each) < 18) for each in numbers):
        raise SubjectError(f"{shown(proto.name)[:80]!r} in {label} does not say where its numbers lie; {_AGAIN}")
    return said["location"], int(numbers[0] or 0), int(numbers[1]) if numbers[1] else None


def _mapped(
    outside: Mapping[str, "TensorProto"], folder: Path, label: str
) -> tuple[dict[str, Tensor], list[StoredFile]]:
    by_file: dict[str, dict[str, Record]] = {}
    for name, proto in outside.items():
        place, offset, length = _place(proto, label)
        size = prod(_shape(proto, label)) * PLAIN[proto.data_type].itemsize
        if length is not None and length != size:
            raise SubjectError(f"{shown(name)[:80]!r} in {label} has {length:,} bytes and needs {size:,}; {_AGAIN}")
        by_file.setdefault(place, {})[name] = Record(offset, size)
    if len(by_file) > FILES_MOST:
        raise SubjectError(f"{label} names {len(by_file):,} files, and {FILES_MOST:,} is the most; {_AGAIN}")
    found: dict[str, Tensor] = {}
    files: list[StoredFile] = []
    for place, records in by_file.items():
        path = inside_folder(folder, place, label)
        file = StoredFile.now(path)
        for name, record in records.items():
            if record.start + record.size > file.size:
                raise SubjectError(f"{shown(place)} is cut off: {shown(name)[:80]!r} of {label} does not lie in it")
        storages = MappedFile(path, label).storages(records)
        files.append(file)
        for name in records:
            proto = outside[name]
            found[name] = contiguous(storages[name], PLAIN[proto.data_type], _shape(proto, label))
    return found, files
