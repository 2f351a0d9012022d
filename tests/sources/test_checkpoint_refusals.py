"""Files that lie, and files of other kinds: each is refused in words, before anything believes it."""

import io
import json
import os
import pickle
import re
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from pruning_explorer import load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints import pickle_outline
from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint
from tests.sources.files_of_torch import (
    LEGACY_HEAD,
    Residual,
    archive_of,
    records,
    safetensors,
    saved,
    tensor_pickle,
    write,
    zipped,
)

STATE = {"w": torch.arange(6.0).reshape(2, 3)}
SIX = bytes(24)
GOOD_ZIP, GOOD_LEGACY, GOOD_SAFETENSORS = saved(STATE), saved(STATE, legacy=True), save(STATE)


def test_the_files_made_here_are_good_where_they_do_not_lie(tmp_path: Path) -> None:
    for content in (
        archive_of(tensor_pickle(), _0=SIX),
        zipped(records(GOOD_ZIP)),
        legacy_of(tensor_pickle()),
        safetensors({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}, SIX),
    ):
        assert open_checkpoint(write(tmp_path, "w.pt", content)).target("w").shape == (2, 3)


def legacy_of(data_pkl: bytes, keys: object = ("0",), storages: bytes = struct.pack("<Q", 6) + SIX) -> bytes:
    # The old format says of a storage where a view of it begins, too
    longer = data_pkl.replace(b"tQ", b"NtQ", 1)
    return LEGACY_HEAD + longer + pickle.dumps(list(keys), 2) + storages  # type: ignore[call-overload]


def entry(shape: object = (2, 3), offsets: object = (0, 24), dtype: object = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return file.getvalue()


def npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, w=np.zeros(3))
    return file.getvalue()


def nested_key() -> bytes:
    """A tuple of two of a tuple of two ... forty times, as a key: hashing it takes hours."""
    return b"\x80\x02}K\x01" + b"q\x00h\x00\x86" * 40 + b"K\x01s."


def resized(name: str, content: bytes) -> bytes:
    """The good archive with another entry in the place of one, so that its list of entries is right."""
    return zipped({**records(GOOD_ZIP), f"archive/{name}": content})


def lying_directory(field: int, value: int) -> bytes:
    """The good archive, whose list of entries says another 32-bit number at that place of its first entry."""
    content = bytearray(zipped(records(GOOD_ZIP)))
    at = content.index(b"PK\x01\x02") + field
    content[at : at + 4] = struct.pack("<I", value)
    return bytes(content)


class Own(nn.Module):
    pass


F = {"name": "w.pt"}
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "text": (b"hello, I am no network", "does not begin as"),
    "a page": (b"<!DOCTYPE html><html>", "is a page of the web"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "only a pointer of Git LFS"),
    "tar": (tar(), "is a tar archive; no file in it"),
    "npz": (npz(), r"is an \.npz file"),
    "npy": (b"\x93NUMPY\x01\x00", "single array of NumPy"),
    "a zip": (zipped({"readme.txt": b""}), "torch.save did not write"),
    "an exported program": (zipped({"m/archive_format": b"pt2", "m/version": b"0"}), r"ending \.pt2"),
    "gzip": (b"\x1f\x8b\x08" + bytes(30), "is compressed by gzip"),
    "json": (b'{"hidden_size": 3}', "has no weight_map"),
    "broken json": (b'{"hidden_size": ', "is no JSON"),
    "a plain pickle": (pickle.dumps({"a": 1}, 2), "is a plain pickle"),
    "a plain pickle of today": (pickle.dumps({"a": 1}), "is a plain pickle"),
    "one tensor": (saved(torch.ones(2)), "one tensor without a name"),
    "a list": (saved([torch.ones(2)]), "holds a list, no state_dict"),
    "no tensor": (saved({"epoch": 3}), "holds no tensor by a name"),
    "numbers for names": (saved({0: torch.ones(2)}), "holds no tensor by a name"),
    "two networks": (saved({"generator": STATE, "critic": STATE}), r"several networks \('generator', 'critic'\); name"),
    "sparse": (saved({"w": torch.eye(3).to_sparse()}), "holds sparse tensors"),
    "quantised": (archive_of(b"\x80\x02ctorch._utils\n_rebuild_qtensor\n)R."), "holds quantised tensors"),
    "nested": (archive_of(b"\x80\x02ctorch._utils\n_rebuild_nested_tensor\n)R."), "holds nested tensors"),
    "NumPy alone": (saved({"best": np.float64(1)}), r"numpy\S*\.scalar"),
    "a module": (saved(Residual()), r"files_of_torch\.Residual, torch\.nn\.modules\.conv\.Conv2d, "),
    "an old module": (saved(nn.Sequential(nn.Linear(2, 2)), legacy=True), r"torch\.nn\.modules\.\w+\.\w+"),
    "a module beside a few tensors": (saved({"mean": torch.ones(1, 2), "net": nn.Linear(2, 2)}), r"linear\.Linear"),
    # Archives
    "half a zip": (GOOD_ZIP[: len(GOOD_ZIP) // 2], "is cut off"),
    "most of a zip": (GOOD_ZIP[:-1], "is cut off"),
    "more than a zip": (GOOD_ZIP + b"!", "is cut off|not where it says"),
    "behind a zip": (GOOD_ZIP[:4] + GOOD_ZIP, "is a damaged archive"),
    "compressed": (zipped(records(GOOD_ZIP), zipfile.ZIP_DEFLATED), "has a compressed entry"),
    "a bomb": (zipped({"a/data.pkl": bytes(1 << 24)}, zipfile.ZIP_DEFLATED), "has a compressed entry"),
    "an entry that lies elsewhere": (lying_directory(42, 40), "is a damaged archive|holds an entry twice"),
    "an entry that is longer": (lying_directory(24, 900), "compressed entry|lie over one another"),
    "names alike": (zipped({**records(GOOD_ZIP), "archive/DATA.PKL": b""}), "holds an entry twice"),
    "two folders": (zipped({**records(GOOD_ZIP), "other/data/1": b""}), "torch.save did not write"),
    "big endian": (resized("byteorder", b"big"), "another byte order"),
    "a storage that is missing": (archive_of(tensor_pickle()), "storage '0' has 24 bytes, and it has none"),
    "a storage that is short": (archive_of(tensor_pickle(), _0=SIX[:-1]), "has 24 bytes, and it has 23"),
    # Pickles
    "an empty pickle": (archive_of(b""), "is damaged"),
    "no end": (archive_of(b"\x80\x02}"), "is damaged"),
    "no stack": (archive_of(b"\x80\x02s."), "is damaged"),
    "no memo": (archive_of(b"\x80\x02h\x07."), "is damaged"),
    "a text of 4 GiB": (archive_of(b"\x80\x02X\xff\xff\xff\xff."), "is damaged"),
    "a number of 2 GiB": (archive_of(b"\x80\x02\x8b\xff\xff\xff\x7f."), "is damaged"),
    "a text of 8 EiB": (archive_of(b"\x80\x02\x8d" + b"\xff" * 7 + b"\x7f."), "is damaged"),
    "a key that takes hours": (archive_of(nested_key()), "holds no tensor by a name"),
    "itself": (archive_of(b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."), "holds no tensor by a name"),
    "no UTF-8": (archive_of(b"\x80\x02}X\x01\x00\x00\x00\xffK\x01s."), "is damaged"),
    "a surrogate": (archive_of(tensor_pickle(name="\udc80"), _0=SIX), r"'\?', which cannot be read"),
    "attributes": (archive_of(b"\x80\x02]}X\1\0\0\0aK\1sb."), "sets attributes"),
    "a strange codec": (
        archive_of(b"\x80\x02c_codecs\nencode\nX\1\0\0\0aX\3\0\0\0zip\x86R."),
        "holds _codecs.encode, no state_dict",
    ),
    "a set of tuples": (
        archive_of(b"\x80\x02c__builtin__\nset\n](K\x01\x85e\x85R."),
        "holds builtins.set, no state_dict",
    ),
    # Tensors
    "an offset": (archive_of(tensor_pickle(offset=1), _0=SIX), "holds a tensor of shape (2, 3) in a storage of 6"),
    "an offset below": (archive_of(tensor_pickle(offset=-1), _0=SIX), "a tensor that begins at -1"),
    "a stride": (archive_of(tensor_pickle(stride=(4, 1)), _0=SIX), "holds a tensor of shape (2, 3) in a storage of 6"),
    "a stride below": (archive_of(tensor_pickle(stride=(-3, 1)), _0=SIX), "holds a tensor of shape"),
    "a shape": (archive_of(tensor_pickle(shape=(3, 3)), _0=SIX), "holds a tensor of shape (3, 3) in a storage of 6"),
    "a shape below": (archive_of(tensor_pickle(shape=(-2, -3)), _0=SIX), "holds a tensor of shape (-2, -3)"),
    "a shape of no end": (archive_of(tensor_pickle(shape=(1 << 40, 1 << 40)), _0=SIX), "holds a tensor of shape (1099"),
    "nothing of no end": (archive_of(tensor_pickle(shape=(0, 1 << 62)), _0=SIX), "holds a tensor of shape (0, 46116"),
    "one number, often": (archive_of(tensor_pickle(shape=(9, 9), stride=(0, 0)), _0=SIX), "(9, 9) in a storage of 6"),
    "a shape of other dims": (archive_of(tensor_pickle(shape=(6,)), _0=SIX), "holds a tensor of shape (6,)"),
    "many dims": (archive_of(tensor_pickle(shape=(1,) * 70, stride=(1,) * 70), _0=SIX), "more than 16 dims"),
    "no shape": (archive_of(tensor_pickle(shape="ab"), _0=SIX), "holds a tensor of"),
    "a storage of no end": (archive_of(tensor_pickle(numel=1 << 60), _0=SIX), "claims a storage of 11529"),
    "a storage below": (archive_of(tensor_pickle(numel=-6), _0=SIX), "claims a storage of -6"),
    "a storage of nothing known": (archive_of(tensor_pickle(kind="QInt8Storage"), _0=SIX[:6]), "holds quantised"),
    "a storage of no kind": (archive_of(tensor_pickle(kind="XStorage"), _0=SIX), "holds 'torch.XStorage' tensors"),
    # The old format
    "half of the old": (GOOD_LEGACY[:-5], "storage '.*' is not whole"),
    "the head of the old": (GOOD_LEGACY[:60], "is damaged"),
    "a storage too long for the old": (legacy_of(tensor_pickle(numel=1 << 40)), "is not whole"),
    "a storage that nothing fills": (legacy_of(tensor_pickle(), keys=()), "not those that its tensors need"),
    "a storage of another size": (
        legacy_of(tensor_pickle(), storages=struct.pack("<Q", 7) + bytes(28)),
        "is not whole",
    ),
    "storages twice": (legacy_of(tensor_pickle(), keys=("0", "0")), "lists its storages wrongly"),
    # safetensors
    "a short header": (b"\x10\x00\x00\x00\x00\x00\x00\x00{}", "says that its header has 16 bytes, of 10 in all"),
    "a long header": (struct.pack("<Q", 1 << 62) + b"{}", "says that its header has 4,611"),
    "a header of many": (safetensors(b"{" + b" " * (8 << 20) + b"}"), "lists its tensors in 8,388,610 bytes"),
    "half": (GOOD_SAFETENSORS[:-5], r"cannot be read as \.safetensors"),
    "more": (GOOD_SAFETENSORS + b"!", r"cannot be read as \.safetensors"),
    "no header": (safetensors(b"{nothing}"), "no JSON"),
    "a deep header": (safetensors(b'{"a":' * 100_000), "no JSON"),
    "a header of no UTF-8": (safetensors(b'{"\xff": 3}'), "no JSON"),
    "a name twice": (safetensors(b'{"w":' + json.dumps(entry()).encode() + b',"w":{}}', SIX), "holds 'w' twice"),
    "over one another": (safetensors({"a": entry(), "b": entry(offsets=(12, 36))}, SIX + SIX[:12]), "cannot be read"),
    "out of the file": (safetensors({"w": entry(offsets=(24, 48))}, SIX), "cannot be read"),
    "backwards": (safetensors({"w": entry(offsets=(24, 0))}, SIX), "cannot be read"),
    "a hole": (safetensors({"w": entry(offsets=(4, 28))}, bytes(28)), "cannot be read"),
    "an absurd shape": (safetensors({"w": entry(shape=(1 << 40, 1 << 40))}, SIX), "which no weight has"),
    "an absurd nothing": (safetensors({"w": entry(shape=(0, 1 << 63), offsets=(0, 0))}), "which no weight has"),
    "a shape below nothing": (safetensors({"w": entry(shape=(-2, -3))}, SIX), "which no weight has"),
    "seventy dims": (safetensors({"w": entry(shape=(1,) * 70, offsets=(0, 4))}, SIX[:4]), "which no weight has"),
    "another size": (safetensors({"w": entry(shape=(2, 2))}, SIX), "cannot be read"),
    "no such dtype": (safetensors({"w": entry(dtype="X9")}, SIX), "cannot be read"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_refused_in_words(tmp_path: Path, content: bytes, message: str) -> None:
    if "(" in message and "\\" not in message:
        message = re.escape(message)
    with pytest.raises(SubjectError, match=message) as refused:
        open_checkpoint(write(tmp_path, "w.pt", content))
    text = str(refused.value)
    assert text.isprintable() or ", weights_only=False)\ntorch.save(" in text
    assert ";" in text, "it says what to do"


def test_a_pickle_that_goes_on_and_on_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_outline, "OPERATIONS_MOST", 1000)
    with pytest.raises(SubjectError, match="takes more than 1,000 steps to read"):
        open_checkpoint(write(tmp_path, "w.pt", archive_of(b"\x80\x02" + b"]" * 1000 + b".")))


def test_an_entry_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped([*records(GOOD_ZIP).items(), ("archive/data.pkl", b"")])
    with pytest.raises(SubjectError, match="holds an entry twice"):
        open_checkpoint(write(tmp_path, "w.pt", content))


def test_a_whole_model_is_refused_with_its_classes_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SubjectError) as refused:
        open_checkpoint(write(tmp_path, "net.pt", saved(nn.Sequential(nn.Linear(2, 2)))))
    text = str(refused.value)
    listed = torch.serialization.get_unsafe_globals_in_checkpoint(tmp_path / "net.pt")
    assert listed
    assert all(name in text for name in listed)
    assert text.splitlines()[1:] == [
        "model = torch.load('net.pt', map_location='cpu', weights_only=False)",
        'torch.save(model.state_dict(), "weights.pt")',
    ]


def test_a_renamed_file_is_what_it_is(tmp_path: Path) -> None:
    assert open_checkpoint(write(tmp_path, "w.pt", GOOD_SAFETENSORS)).origin.startswith(".safetensors")
    renamed = open_checkpoint(write(tmp_path, "w.safetensors", GOOD_ZIP))
    assert renamed.origin.startswith("state_dict of torch.save")
    assert "torch.load(open('w.safetensors', 'rb')" in renamed.loading


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match=r"there is no file nowhere\.pt"):
        open_checkpoint(tmp_path / "nowhere.pt")
    os.mkfifo(tmp_path / "pipe.pt")
    with pytest.raises(SubjectError, match=r"there is no file pipe\.pt"):
        open_checkpoint(tmp_path / "pipe.pt")


def test_what_a_library_says_names_no_place_on_this_machine(tmp_path: Path) -> None:
    with (tmp_path / "upload.bin").open("wb") as file:
        shape, size = [1 << 40], 4 << 40
        file.write(safetensors({"w": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}))
        file.truncate(file.tell() + size)
    with pytest.raises(SubjectError, match="it is larger than the memory here") as refused:
        open_checkpoint(tmp_path / "upload.bin", name="mine.safetensors")
    assert "mine.safetensors" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def index(**weight_map: object) -> bytes:
    return json.dumps({"weight_map": weight_map}).encode()


def test_an_index_opens_nothing_that_does_not_lie_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    folder.mkdir()
    write(tmp_path, "secret.safetensors", GOOD_SAFETENSORS)
    (folder / "link.safetensors").symlink_to("../secret.safetensors")
    outside = (
        "../secret.safetensors",
        str(tmp_path / "secret.safetensors"),
        "..\\secret.safetensors",
        "a/b",
        "..",
        ".",
        "",
    )
    for name in (*outside, "c:secret.safetensors", "a\0b", "a\nb"):
        with pytest.raises(SubjectError, match="which does not lie beside it"):
            open_checkpoint(write(folder, "model.safetensors.index.json", index(w=name)))
    with pytest.raises(SubjectError, match="is a link to another folder"):
        open_checkpoint(write(folder, "model.safetensors.index.json", index(w="link.safetensors")))
    (folder / "model.safetensors.index.json").unlink()
    with pytest.raises(
        SubjectError, match=r"^link\.safetensors is a link to another folder \(\.\./secret\.safetensors\)"
    ):
        open_checkpoint(folder)


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    folder.mkdir()
    link = folder / "model.safetensors"
    link.symlink_to("../gone.safetensors")
    told = r"^model\.safetensors is a link to \.\./gone\.safetensors, which is not there"
    for path in (folder, link):
        with pytest.raises(SubjectError, match=told):
            load_subject(str(path))
    with pytest.raises(SubjectError, match=told):
        open_checkpoint(write(folder, "model.safetensors.index.json", index(w="model.safetensors")))


def test_an_index_that_lies(tmp_path: Path) -> None:
    write(tmp_path, "a.safetensors", GOOD_SAFETENSORS)
    for content, message in {
        index(w="b.safetensors"): r"b\.safetensors is missing, which the index names",
        index(w="a.safetensors", v="a.safetensors"): r"says that 'v' is in a\.safetensors, and it is not",
        index(w=3): "has no weight_map",
        index(): "has no weight_map",
        index(w="x.index.json"): "holds no weights|has no",
        b'{"weight_map":' + b"[" * 100_000: "is no JSON",
        index(**{str(i): f"{i}.bin" for i in range(1001)}): "names 1,001 files",
    }.items():
        with pytest.raises(SubjectError, match=message):
            open_checkpoint(write(tmp_path, "x.index.json", content))
