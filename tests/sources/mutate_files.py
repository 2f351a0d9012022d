"""Mutate valid files of one kind and open them, in a process that may not take more memory.

``python -m tests.sources.mutate_files KIND COUNT`` prints as JSON how many were good and how many refused; anything but
a good file or a refusal in words ends it with an error.
"""

import argparse
import io
import json
import random
import resource
import struct
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath

import gguf
import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from PIL import Image
from safetensors.torch import save
from torch import nn
from torch.distributed import checkpoint as dcp

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint
from pruning_explorer.sources.own_samples.sample_files import parts_in, read_samples
from pruning_explorer.sources.score_files import read_scores
from tests.sources.files_of_torch import records, saved, zipped

MEMORY = 768 << 20
"""Bytes that it may take beyond what it has when it begins."""

Mutation = tuple[int, bytes, int, bytes]
Edit = Callable[[bytes, list[Mutation]], bytes]

TELLING = [
    *(struct.pack("<Q", value) for value in (0, 1, 8, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 62, 1 << 63, 2**64 - 1)),
    *(struct.pack("<I", value) for value in (0, 7, 1 << 20, (1 << 31) - 1, (1 << 32) - 1)),
    *(b"\x80\x04", b"\x8b\xff\xff\xff\x7f", b"X\xff\xff\xff\xff", b"\x86\x86\x86", b"h\0", b"q\0", b"R", b"Q"),
    *(b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"99999999999", b"-1", b'"', b"[", b"{", b"null", b"\xff\xfe", b"("),
]  # fmt: skip


def mutated(content: bytes, mutations: list[Mutation]) -> bytes:
    """Change, cut, repeat or insert bytes, at places that are a share of the length."""
    for kind, place, length, piece in mutations:
        at = int.from_bytes(place) * len(content) >> 16
        before, after = content[:at], content[at:]
        match kind:
            case 0:
                content = before + piece + after[len(piece) :]
            case 1:
                content = before + piece + after
            case 2:
                content = before + after[length:]
            case 3:
                content = before + after[:length] + after
            case 4:
                content = before
            case _:
                content = before + bytes(each ^ (1 << length % 8) for each in after[:1]) + after[1:]
    return content


def drawn(dice: random.Random) -> list[Mutation]:
    """One to three mutations."""
    return [
        (
            dice.choice((0, 0, 1, 2, 3, 4, 5, 5, 5)),
            dice.randbytes(2),
            dice.randint(0, 40),
            dice.choice(TELLING) if dice.random() < 0.5 else dice.randbytes(dice.randint(1, 9)),
        )
        for _ in range(dice.randint(1, 3))
    ]


STATE = {
    "conv.weight": torch.arange(24.0).reshape(2, 3, 2, 2),
    "fc.weight_orig": torch.ones(4, 2),
    "fc.weight_mask": torch.eye(4, 2),
    "fc.bias": torch.ones(4, dtype=torch.float16),
    "steps": torch.tensor(3),
}
TORCH = saved({"model": STATE, "epoch": 3})
TORCH_RECORDS = records(TORCH)
SAFETENSORS = save(STATE)
QUANTISED = save(
    {
        "a.weight": torch.ones(4, 8).to(torch.float8_e4m3fn),
        "a.weight_scale_inv": torch.ones(2, 2),
        "b.weight": torch.ones(4, 8, dtype=torch.int8),
        "b.SCB": torch.ones(4),
        "c.bitmask": torch.full((4, 1), 0b1100_0011, dtype=torch.uint8),
        "c.compressed": torch.ones(4, 4),
        "c.shape": torch.tensor([4, 8]),
        "d.qweight": torch.ones(1, 4, dtype=torch.int32),
        "d.scales": torch.ones(1, 4),
        "e.weight": torch.ones(4, 8),
        "e._weight_mask": torch.ones(4, 8, dtype=torch.bool),
    }
)


def in_the_pickle(content: bytes, mutations: list[Mutation]) -> bytes:
    """Only the pickle changes, and the archive's checksum with it."""
    name = next(name for name in TORCH_RECORDS if name.endswith("/data.pkl"))
    return zipped({**TORCH_RECORDS, name: mutated(TORCH_RECORDS[name], mutations)})


def in_the_header(content: bytes, mutations: list[Mutation]) -> bytes:
    """Only the header changes, and its length with it."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = mutated(content[8:end], mutations)
    return struct.pack("<Q", len(header)) + header + content[end:]


def in_the_list_of_entries(content: bytes, mutations: list[Mutation]) -> bytes:
    start = content.index(b"PK\x01\x02")
    return content[:start] + mutated(content[start:], mutations)


def in_pickles(content: bytes, mutations: list[Mutation]) -> bytes:
    """Only one of the pickles of an archive changes, and the archive's checksum with it."""
    entries = records(content)
    names = sorted(name for name in entries if name.endswith(".pkl") and "debug" not in name)
    name = names[len(mutations) % len(names)]
    return zipped({**entries, name: mutated(entries[name], mutations)})


class Author:
    """A class that only its author has."""


EXTRAS = saved(
    {
        "state_dict": STATE,
        "generator": {"weight": torch.ones(2, 2)},
        "best": np.float64(0.5),
        "curve": np.arange(3.0),
        "own": Author(),
        "args": argparse.Namespace(rate=0.1, path=PurePosixPath("/a/b")),
        "odd": [torch.eye(2).to_sparse(), {(1, (2,)): 1j}, b"x"],
    }
)


def script() -> bytes:
    """A network as TorchScript, which is deprecated and still what many files are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = io.BytesIO()
        torch.jit.save(torch.jit.script(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))), file)
        return file.getvalue()


def gguf_file() -> bytes:
    """A few words, a number, and tensors of two types, one of which is quantised."""
    with tempfile.TemporaryDirectory() as folder:
        writer = gguf.GGUFWriter(Path(folder) / "w.gguf", "llama")
        writer.add_token_list(["a", "bc", "d"])
        writer.add_array("numbers", [1.5, 2.5])
        writer.add_tensor("blk.0.weight", np.ones((2, 4), np.float32))
        writer.add_tensor("blk.0.small", np.ones((2, 4), np.float16))
        packed = gguf.quants.quantize(np.ones((2, 32), np.float32), gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor("out.weight", packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return (Path(folder) / "w.gguf").read_bytes()


def onnx_file() -> bytes:
    """Initializers in the model, by bytes and by their own field, and one beside it."""
    inside = [numpy_helper.from_array(np.ones((2, 3), np.float32), "fc.weight")]
    inside += [helper.make_tensor("fc.small", onnx.TensorProto.FLOAT16, (2, 2), [1.0, 2.0, 3.0, 4.0])]
    beside = numpy_helper.from_array(np.ones((2, 3), np.float32), "conv.weight")
    beside.ClearField("raw_data")
    beside.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": "part.safetensors", "offset": "8", "length": "24"}.items():
        beside.external_data.add(key=key, value=value)
    model = helper.make_model(helper.make_graph([], "g", [], [], initializer=[*inside, beside]))
    return bytes(model.SerializeToString())


@cache
def distributed() -> dict[str, bytes]:
    """The files of a folder of torch.distributed.checkpoint, one tensor of which is in two pieces."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcp.save({"model": STATE, "epoch": 3}, checkpoint_id=folder, no_dist=True)
        return {each.name: each.read_bytes() for each in Path(folder).iterdir()}


def in_the_part(content: bytes, mutations: list[Mutation]) -> bytes:
    """The list stays as it is; the file beside it, which its reader writes, changes."""
    return content + mutated(distributed()["__0_0.distcp"], mutations)


def open_folder(path: Path) -> float:
    """The list lies in a folder with its part; what comes behind the list's end is that part."""
    whole, content = distributed(), path.read_bytes()
    good = whole[".metadata"]
    in_part = content.startswith(good) and len(content) > len(good)
    (path.parent / ".metadata").write_bytes(good if in_part else content)
    (path.parent / "__0_0.distcp").write_bytes(content[len(good) :] if in_part else whole["__0_0.distcp"])
    return open_and_look(path.parent / ".metadata")


def npz(first: str = "a", second: str = "b") -> bytes:
    arrays = {first: np.ones((2, 3), dtype=np.float32), second: np.zeros(2, dtype=bool)}
    with tempfile.TemporaryFile() as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        file.seek(0)
        return file.read()


def npz_arrays(content: bytes, mutations: list[Mutation]) -> bytes:
    entries = records(content)
    name = next(iter(entries))
    return zipped({**entries, name: mutated(entries[name], mutations)})


Reader = Callable[[Path], float]


def open_and_look(path: Path) -> float:
    subject = open_checkpoint(path)
    return sum(float(subject.weight(target.name).float().sum()) for target in subject.targets)


def read_as(name: str) -> Reader:
    return lambda path: sum(float(each.double().sum()) for each in read_scores(name, path.read_bytes()).values())


INDEX = json.dumps({"metadata": {"total_size": 9}, "weight_map": dict.fromkeys(STATE, "part.safetensors")}).encode()

PICTURE = io.BytesIO()
Image.new("RGB", (6, 5), (1, 2, 3)).save(PICTURE, "PNG")
PHOTO = io.BytesIO()
Image.new("RGB", (6, 5), (1, 2, 3)).save(PHOTO, "JPEG")
PICTURES = zipped({"cat/1.png": PICTURE.getvalue(), "dog/1.jpg": PHOTO.getvalue()})
TABLES = zipped({"train.csv": b"a,label\n1,2\n", "test.csv": b"a,label\n1,2\n3,4\n", "notes.csv": b"a\n1\n"})
PARTS = zipped({"d/train/cat/1.png": PICTURE.getvalue(), "d/test/cat/1.png": PICTURE.getvalue()})
TABLE = b'a,b,label\n1,2.5,cat\n-3e2,4,"dog, the"\n5,6,cat\n'
LINES = b"a good film\t1\na bad one\t0\n"


def in_a_picture(content: bytes, mutations: list[Mutation]) -> bytes:
    entries = records(content)
    name = sorted(entries)[len(mutations) % 2]
    return zipped({**entries, name: mutated(entries[name], mutations)})


def count_samples(path: Path) -> float:
    return float(read_samples(path).count)


def count_parts(path: Path) -> float:
    """The samples of each part that the file is said to have."""
    parts = parts_in(path.name, path.read_bytes())
    if parts is None:
        return count_samples(path)
    return float(sum(read_samples(path, part).count for part in parts.names))


KINDS: dict[str, tuple[bytes, list[Edit], Reader]] = {
    "torch": (TORCH, [mutated, in_the_pickle, in_the_pickle, in_the_list_of_entries], open_and_look),
    "torch before 1.6": (saved({"model": STATE, "epoch": 3}, legacy=True), [mutated], open_and_look),
    "torch with extras": (EXTRAS, [mutated, in_pickles, in_pickles], open_and_look),
    "torchscript": (script(), [mutated, in_pickles, in_pickles, in_the_list_of_entries], open_and_look),
    "gguf": (gguf_file(), [mutated], open_and_look),
    "onnx": (onnx_file(), [mutated], open_and_look),
    "distributed": (distributed()[".metadata"], [mutated, in_the_part], open_folder),
    "safetensors": (SAFETENSORS, [mutated, in_the_header, in_the_header], open_and_look),
    "quantised": (QUANTISED, [mutated, in_the_header, in_the_header], open_and_look),
    "an index": (INDEX, [mutated], open_and_look),
    "scores in safetensors": (SAFETENSORS, [mutated, in_the_header], read_as("s.safetensors")),
    "samples in npz": (npz("x", "label"), [mutated, npz_arrays, in_the_list_of_entries], count_samples),
    "samples in csv": (TABLE, [mutated], count_samples),
    "samples in lines": (LINES, [mutated], count_samples),
    "images": (PICTURES, [mutated, in_a_picture, in_a_picture, in_the_list_of_entries], count_samples),
    "images in parts": (PARTS, [mutated, in_a_picture, in_the_list_of_entries], count_parts),
    "tables in parts": (TABLES, [mutated, in_a_picture, in_the_list_of_entries], count_parts),
    "arrays in parts": (npz("x_train", "x_test"), [mutated, npz_arrays, in_the_list_of_entries], count_parts),
    "scores in npz": (npz(), [mutated, npz_arrays, in_the_list_of_entries], read_as("s.npz")),
}
NAMES = {
    "samples in npz": "s.npz",
    "samples in csv": "s.csv",
    "samples in lines": "s.txt",
    "images": "s.zip",
    "images in parts": "s.zip",
    "tables in parts": "s.zip",
    "arrays in parts": "s.npz",
}
"""Of the files of those kinds that are told by their names."""


def main(kind: str, count: int) -> dict[str, int]:
    """Open that many mutated files of a kind, the same each time."""
    content, edits, reader = KINDS[kind]
    seen = {"good": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAMES.get(kind, "mutated.bin")
        (path.parent / "part.safetensors").write_bytes(SAFETENSORS)
        path.write_bytes(content)
        reader(path)
        limit_memory()
        for number in range(count):
            mutations = drawn(random.Random(f"{kind} {number}"))
            path.write_bytes(edits[number % len(edits)](content, mutations))
            try:
                reader(path)
            except SubjectError:
                seen["refused"] += 1
            except BaseException as error:
                error.add_note(f"number {number} of {kind}: {mutations}")
                raise
            else:
                seen["good"] += 1
    return seen


def limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
