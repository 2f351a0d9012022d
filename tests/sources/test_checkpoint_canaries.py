"""Nothing in a file is executed: whoever unpickles one of these leaves a file behind, and no file ever appears."""

import copyreg
import io
import os
import pickle
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributed import checkpoint as dcp

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint
from pruning_explorer.sources.score_files import read_scores
from tests.sources.files_of_torch import (
    LEGACY_HEAD,
    archive_of,
    records,
    safetensors,
    saved,
    tensor_pickle,
    write,
    zipped,
)

EXTENSION = 0xF0


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


class Canary:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.system, (f"touch {self.path}",)


class CanaryModule(nn.Module):
    """A network that leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:  # type: ignore[override]
        return os.system, (f"touch {self.path}",)


# What is put on the stack instead of a tensor; each of them runs `touch` where pickle reads it
SONGS: dict[str, Callable[[str], bytes]] = {
    "GLOBAL": lambda touch: b"cos\nsystem\n" + text(touch) + b"\x85R",
    "GLOBAL of posix": lambda touch: b"cposix\nsystem\n" + text(touch) + b"\x85R",
    "STACK_GLOBAL": lambda touch: text("os") + text("system") + b"\x93" + text(touch) + b"\x85R",
    "INST": lambda touch: b"(" + text(touch) + b"ios\nsystem\n",
    "OBJ": lambda touch: b"(cos\nsystem\n" + text(touch) + b"o",
    "NEWOBJ": lambda touch: b"cbuiltins\nbytes\ncbuiltins\nmap\ncos\nsystem\n(" + text(touch) + b"t\x86\x81\x85\x81",
    "NEWOBJ_EX": lambda touch: (
        b"cbuiltins\nbytes\ncbuiltins\nmap\ncos\nsystem\n(" + text(touch) + b"t\x86\x81\x85}\x92"
    ),
    "BUILD": lambda touch: (
        b"cargparse\nNamespace\n)\x81}" + text("__setstate__") + b"cos\nsystem\nsb" + text(touch) + b"b"
    ),
    "EXT": lambda touch: b"\x82" + bytes([EXTENSION]) + text(touch) + b"\x85R",
    "eval": lambda touch: b"cbuiltins\neval\n" + text(f"__import__('os').system({touch!r})") + b"\x85R",
    "getattr": lambda touch: (
        b"cbuiltins\ngetattr\ncbuiltins\n__import__\n" + text("os") + b"\x85R" + text("system") + b"\x86R" + text(touch)
        + b"\x85R"
    ),
    "a dotted name": lambda touch: b"\x80\x04" + text("os") + text("path.os.system") + b"\x93" + text(touch) + b"\x85R",
}  # fmt: skip
# What only a reader of torch would run, if any: as the id of a storage, and as a function that torch itself allows
FOR_TORCH: dict[str, Callable[[str], bytes]] = {
    "a persistent id": lambda touch: text("storage") + SONGS["GLOBAL"](touch) + b"\x86Q",
    "a persistent text": lambda touch: b"Pos.system\n",
    "a module as id": lambda touch: text("module") + b"cos\nsystem\n" + text(touch) + text(touch) + b"tQ",
    "a storage that is a function": lambda touch: b"(" + text("storage") + b"cos\nsystem\n" + text(touch) + b"tQ",
    "a type of its own": lambda touch: (
        b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\n" + text(touch) + text(touch) + b"}tR"
    ),
    "hooks": lambda touch: b"ctorch._utils\n_rebuild_parameter\n(NNcos\nsystem\ntR",
    "a layout": lambda touch: b"ctorch.serialization\n_get_layout\n" + text(touch) + b"\x85R",
    "a device": lambda touch: b"ctorch\ndevice\n" + text(touch) + b"\x85R",
}
BODIES: dict[str, Callable[[bytes], bytes]] = {
    "alone": lambda song: b"\x80\x02" + song + b".",
    "beside tensors": lambda song: tensor_pickle().replace(b"\x80\x02}", b"\x80\x02}" + text("a") + song + b"s", 1),
    "as a key": lambda song: b"\x80\x02}" + song + b"K\x01s.",
    "in the metadata": lambda song: (
        b"\x80\x02ccollections\nOrderedDict\n)R}" + text("_metadata") + song + b"sb."
    ),
}  # fmt: skip
DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "zip": lambda body: archive_of(body, _0=bytes(24)),
    "zip with constants": lambda body: zipped({"a/data.pkl": tensor_pickle(), "a/constants.pkl": body, "a/code/": b""}),
    "zip of other records": lambda body: archive_of(tensor_pickle(), **{"_0": bytes(24), "../data.pkl": body}),
    "a script": lambda body: zipped({"a/data.pkl": body, "a/constants.pkl": body, "a/code/x.py": b"boom"}),
    "the old format": lambda body: LEGACY_HEAD + body + pickle.dumps(["0"], 2) + struct.pack("<Q", 6) + bytes(24),
    "the magic number": lambda body: body + LEGACY_HEAD,
    "the system's description": lambda body: LEGACY_HEAD[:-50] + body,
    "the list of storages": lambda body: (
        LEGACY_HEAD + tensor_pickle().replace(b"tQ", b"NtQ", 1) + body + struct.pack("<Q", 6) + bytes(24)
    ),
    "a plain pickle": lambda body: body,
    "a header": lambda body: safetensors(body),
    "a tensor": lambda body: safetensors(
        {"w": {"dtype": "U8", "shape": [len(body)], "data_offsets": [0, len(body)]}}, body
    ),
    "an array": lambda body: zipped({"w.npy": npy_of(body)}),
}  # fmt: skip


def npy_of(body: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


@pytest.fixture
def extension() -> Iterator[None]:
    copyreg.add_extension("os", "system", EXTENSION)
    yield
    copyreg.remove_extension("os", "system", EXTENSION)


def open_all_ways(folder: Path, content: bytes) -> int:
    """Give it to everything that reads files; how many found it good."""
    good = 0
    (folder / "run").mkdir(exist_ok=True)
    with suppress(SubjectError):  # the list of a distributed checkpoint, and a part of one
        open_checkpoint(write(folder / "run", ".metadata", content))
    with suppress(SubjectError):
        open_checkpoint(write(folder / "run", "__0_0.distcp", content))
    for ending in ("pt", "bin", "safetensors", "index.json"):
        try:
            open_checkpoint(write(folder, f"evil.{ending}", content))
            good += 1
        except SubjectError:
            pass
    for ending in ("npz", "safetensors"):
        try:
            read_scores(f"evil.{ending}", content)
            good += 1
        except SubjectError:
            pass
    return good


@pytest.mark.usefixtures("extension")
@pytest.mark.parametrize("song", SONGS.values(), ids=SONGS.keys())
def test_every_song_is_sung_where_pickle_reads_it_and_nowhere_here(
    tmp_path: Path, song: Callable[[str], bytes]
) -> None:
    sung = tmp_path / "sung"
    for body_name, body in BODIES.items():
        if body_name == "beside tensors":
            continue  # which only torch can read
        # What comes after the song
        with suppress(TypeError, pickle.UnpicklingError, AttributeError):
            pickle.loads(body(song(f"touch {sung}")))
        assert sung.exists()
        sung.unlink()
    for body in BODIES.values():
        for disguise in DISGUISES.values():
            open_all_ways(tmp_path, disguise(body(song(f"touch {sung}"))))
            assert not sung.exists()


@pytest.mark.parametrize("song", FOR_TORCH.values(), ids=FOR_TORCH.keys())
def test_nothing_is_sung_for_torch(tmp_path: Path, song: Callable[[str], bytes]) -> None:
    sung = tmp_path / "sung"
    for body in BODIES.values():
        for disguise in DISGUISES.values():
            open_all_ways(tmp_path, disguise(body(song(f"touch {sung}"))))
            assert not sung.exists()


def test_evil_that_the_libraries_wrote_themselves(tmp_path: Path) -> None:
    sung = tmp_path / "sung"
    state = nn.Linear(2, 2).state_dict()
    evil: list[object] = [Canary(sung), CanaryModule(sung), [Canary(sung)], {"args": Canary(sung)}]
    beside: list[object] = [{"model": state, "args": Canary(sung)}, {**state, "x": Canary(sung)}]
    beside += [{"state_dict": {**state, "deep": {"deeper": [Canary(sung)]}}}, {"model": state, Canary(sung): 1}]
    for content in (*evil, *beside):
        for legacy in (False, True):
            file = saved(content, legacy=legacy)
            torch.load(io.BytesIO(file), weights_only=False)
            assert sung.exists()
            sung.unlink()
            assert open_all_ways(tmp_path, file) == (4 if content in beside else 0)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert open_all_ways(tmp_path, pickle.dumps(Canary(sung), protocol)) == 0
            assert open_all_ways(tmp_path, archive_of(pickle.dumps(Canary(sung), protocol))) == 0
    array = io.BytesIO()
    np.savez(array, w=np.array([Canary(sung)], dtype=object))  # type: ignore[arg-type]
    assert open_all_ways(tmp_path, array.getvalue()) == 0
    # A pickle that no one asks for does no harm
    assert open_all_ways(tmp_path, zipped({**records(saved(state)), "archive/x.pkl": pickle.dumps(Canary(sung))})) == 4
    assert not sung.exists()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nothing_is_sung_in_a_distributed_checkpoint(tmp_path: Path) -> None:
    sung = tmp_path / "sung"
    dcp.save({"w": torch.ones(2, 2)}, checkpoint_id=str(tmp_path / "run"), no_dist=True)
    told = pickle.loads((tmp_path / "run" / ".metadata").read_bytes())
    for place in ("planner_data", "storage_meta", "version"):
        write(tmp_path / "run", ".metadata", pickle.dumps(replace(told, **{place: Canary(sung)})))
        open_checkpoint(tmp_path / "run")
        assert not sung.exists()
    good = pickle.dumps(told)
    for song in SONGS.values():
        write(tmp_path / "run", ".metadata", good[:-1] + b"0" + song(f"touch {sung}") + b"0" + good[2:])
        with suppress(SubjectError):
            open_checkpoint(tmp_path / "run")
        assert not sung.exists()
    write(tmp_path / "run", ".metadata", good)
    write(tmp_path / "run", "__0_0.distcp", saved(Canary(sung)))
    with pytest.raises(SubjectError):
        open_checkpoint(tmp_path / "run")
    assert not sung.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nothing_is_sung_in_a_script(tmp_path: Path) -> None:
    sung = tmp_path / "sung"
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), file)
    entries = records(file.getvalue())
    for name in [name for name in entries if name.endswith(".pkl")]:
        for song in SONGS.values():
            spoilt = entries[name][:2] + song(f"touch {sung}") + b"0" + entries[name][2:]
            opened = open_checkpoint(write(tmp_path, "w.pt", zipped({**entries, name: spoilt})))
            assert opened.target("weight").shape == (2, 2)
            assert not sung.exists()
