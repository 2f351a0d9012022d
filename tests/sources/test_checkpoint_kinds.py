"""Weights in files of other tools: TorchScript, GGUF, ONNX and folders of torch.distributed.checkpoint."""

import pickle
import re
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.distributed import checkpoint as dcp
from torch.distributed.checkpoint.metadata import Metadata

from pruning_explorer import Recipe, Subject, compute_masks, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints import onnx_file
from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint
from pruning_explorer.sources.checkpoints.gguf_file import PLAIN, QUANTISED
from tests.sources.files_of_torch import Residual, records, same_tensors, saved, write, zipped

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


class Scripted(nn.Module):
    """Layers in a list, a constant in its code, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.more = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 2)])
        self.words = ["a", "b"]

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.first(x))
        for layer in self.more:
            x = layer(x)
        return x + torch.ones(2)


def loaded_by_its_lines(subject: Subject) -> dict[str, Tensor]:
    """What the lines of loading give to ``load_state_dict``."""
    lines, _, last = subject.loading.rpartition("\n")
    assert last == "model.load_state_dict(weights)"
    found: dict[str, dict[str, Tensor]] = {}
    exec(lines, found)
    return found["weights"]


def prunes_as_torch_does(subject: Subject) -> bool:
    """Whether the smallest half goes of each layer."""
    for name, mask in compute_masks(subject, Recipe(amount=0.5)).items():
        weight = subject.weight(name)
        if weight[mask].abs().min() < weight[~mask].abs().max():
            return False
    return True


# TorchScript


def test_a_script_opens_as_its_state_dict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = Scripted().eval()
    torch.jit.script(network).save("net.jit")
    torch.jit.trace(network, torch.ones(2, 3)).save("traced.pt")
    for name in ("net.jit", "traced.pt"):
        subject = load_subject(name)
        assert same_tensors(subject.model.state_dict(), network.state_dict())
        assert subject.origin.startswith("TorchScript, ")
        assert "its code is left aside unread" in subject.about
        assert prunes_as_torch_does(subject)
        assert same_tensors(loaded_by_its_lines(subject), network.state_dict())


def test_a_frozen_script_opens_as_its_constants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Scripted().eval()
    monkeypatch.chdir(tmp_path)
    torch.jit.freeze(torch.jit.script(network)).save("frozen.pt")
    subject = load_subject("frozen.pt")
    lines = loaded_by_its_lines(subject)
    assert all(torch.equal(each, lines[name]) for name, each in subject.model.state_dict().items())
    assert all(name.startswith("CONSTANTS.c") for name in subject.model.state_dict())
    assert "It was frozen" in subject.about
    held = [each for each in subject.model.state_dict().values() if each.shape == (2, 4)]
    assert any(torch.equal(each, network.more[1].weight) for each in held)


def test_code_of_a_script_is_not_even_read(tmp_path: Path) -> None:
    torch.jit.script(Scripted()).save(tmp_path / "net.pt")
    entries = records((tmp_path / "net.pt").read_bytes())
    spoilt = {name: b"\xff import" if "/code/" in name else content for name, content in entries.items()}
    assert spoilt != entries
    assert len(open_checkpoint(write(tmp_path, "net.pt", zipped(spoilt))).targets) == 8


# GGUF


Kind = gguf.GGMLQuantizationType


def write_gguf(path: Path, tensors: dict[str, tuple[Tensor, Kind | None]], *, words: int = 9) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("small")
    writer.add_token_list([f"word {n}" for n in range(words)])
    writer.add_array("some.numbers", [1.5, 2.5])
    writer.add_bool("some.truth", True)
    for name, (tensor, kind) in tensors.items():
        values = tensor.view(torch.uint8).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()
        if kind is None:
            writer.add_tensor(name, values)
        elif tensor.dtype == torch.bfloat16:
            writer.add_tensor(name, values, raw_dtype=kind)
        else:
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


STATE = {
    "token_embd.weight": torch.randn(8, 32),
    "blk.0.attn_q.weight": torch.randn(32, 64).half(),
    "blk.0.ffn_up.weight": torch.randn(16, 32).bfloat16(),
    "blk.0.attn_norm.weight": torch.randn(32),
}


def test_plain_tensors_of_gguf_open_and_quantised_ones_are_refused_by_their_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kinds = {name: (each, Kind.BF16 if each.dtype == torch.bfloat16 else None) for name, each in STATE.items()}
    write_gguf(tmp_path / "plain.gguf", kinds, words=20_000)
    subject = load_subject("plain.gguf")
    assert same_tensors(subject.model.state_dict(), STATE)
    assert subject.origin.startswith("GGUF (llama), ")
    assert prunes_as_torch_does(subject)
    assert same_tensors(loaded_by_its_lines(subject), STATE)
    output = torch.randn(4, 256)
    for kind in (Kind.Q8_0, Kind.Q4_0):
        write_gguf(tmp_path / "mixed.gguf", kinds | {"output.weight": (output, kind)})
        subject = load_subject("mixed.gguf")
        assert same_tensors(subject.model.state_dict(), STATE)
        assert subject.refused["output.weight"].startswith(f"quantised as {kind.name}, which has no plain weights; ")
        assert same_tensors(loaded_by_its_lines(subject), STATE)
        write_gguf(tmp_path / "quantised.gguf", {"output.weight": (output, kind)})
        with pytest.raises(SubjectError, match=f"is quantised as {kind.name}, so it has no plain weights; take the"):
            load_subject("quantised.gguf")


def test_the_types_are_those_of_the_library() -> None:
    for kind in Kind:
        if kind in PLAIN:
            assert PLAIN[kind].itemsize == gguf.GGML_QUANT_SIZES[kind][1]
            assert kind.name in {f"{letter}{8 * PLAIN[kind].itemsize}" for letter in ("F", "I", "BF")}
        else:
            assert QUANTISED.get(kind, kind.name) == kind.name


# Headers that no library writes
HEADERS: dict[str, tuple[bytes, str]] = {
    "a version": (struct.pack("<4sIQQ", b"GGUF", 1, 0, 0), "is of version 1 of GGUF"),
    "an order of bytes": (struct.pack(">4sIQQ", b"GGUF", 3, 0, 0), "is of another byte order"),
    "many tensors": (struct.pack("<4sIQQ", b"GGUF", 3, 1 << 40, 0), "holds 1,099,511,627,776 tensors"),
    "many values": (struct.pack("<4sIQQ", b"GGUF", 3, 1, 1 << 40), "values of metadata"),
    "no end": (struct.pack("<4sIQQ", b"GGUF", 3, 1, 0), "is cut off or damaged"),
    "a long name": (struct.pack("<4sIQQQ", b"GGUF", 3, 1, 0, 1 << 62), "is cut off or damaged"),
    "a long list": (
        struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 1, 1, 1, b"k", 9, 8, 1 << 62),
        "lists more than 4,000,000 words",
    ),
    "a list of lists": (struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 1, 1, 1, b"k", 9, 9, 1), "unknown kind 9"),
    "dims": (struct.pack("<4sIQQQ1sI", b"GGUF", 3, 1, 0, 1, b"w", 9), "a tensor of 9 dims"),
    "a shape": (struct.pack("<4sIQQQ1sIQQIQ", b"GGUF", 3, 1, 0, 1, b"w", 2, 1 << 40, 1 << 40, 0, 0), "of shape"),
    "a place": (struct.pack("<4sIQQQ1sIQIQ", b"GGUF", 3, 1, 0, 1, b"w", 1, 4, 0, 1 << 62), "does not lie in it"),
    "nothing": (struct.pack("<4sIQQ", b"GGUF", 3, 0, 0), "holds no tensor"),
}


@pytest.mark.parametrize(("content", "message"), HEADERS.values(), ids=HEADERS.keys())
def test_headers_of_gguf_that_lie_are_refused_in_words(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(SubjectError, match=message) as refused:
        open_checkpoint(write(tmp_path, "w.gguf", content))
    assert ";" in str(refused.value)


def onnx_of(initializers: list[TensorProto]) -> onnx.ModelProto:
    return helper.make_model(helper.make_graph([], "g", [], [], initializer=initializers), producer_name="tests")


INITIALIZERS = {
    "conv1.weight": np.random.default_rng(0).normal(size=(4, 3, 2, 2)).astype(np.float32),
    "onnx::MatMul_7": np.random.default_rng(1).normal(size=(8, 4)),
    "fc.bias": np.arange(4, dtype=np.float16),
    "shape": np.array([1, -1], dtype=np.int64),
}


def test_initializers_of_onnx_open_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    onnx.save(onnx_of([numpy_helper.from_array(each, name) for name, each in INITIALIZERS.items()]), "net.onnx")
    expected = {name: torch.from_numpy(each) for name, each in INITIALIZERS.items()}
    subject = load_subject("net.onnx")
    assert same_tensors(subject.model.state_dict(), expected)
    assert subject.origin.startswith("ONNX, ")
    assert "the weight of a MatMul is [in, out]" in subject.about
    assert prunes_as_torch_does(subject)
    assert same_tensors(loaded_by_its_lines(subject), expected)


def test_constants_of_onnx_are_weights_also_in_branches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def constant(name: str, values: np.ndarray) -> onnx.NodeProto:
        return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values))

    names = ("conv1.weight", "fc.weight", "head.weight")
    first, second, third = (np.random.default_rng(i).normal(size=(4, 3)).astype(np.float32) for i in range(3))
    inner = helper.make_graph([constant(names[1], second), constant("axis", np.array(1))], "then", [], [])
    other = helper.make_graph([], "else", [], [], initializer=[numpy_helper.from_array(third, names[2])])
    nodes = [constant(names[0], first), helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=other)]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [], [])), "net.onnx")
    subject = load_subject("net.onnx")
    expected = {name: torch.from_numpy(each) for name, each in zip(names, (first, second, third), strict=True)}
    assert same_tensors(subject.model.state_dict(), expected)
    assert same_tensors(loaded_by_its_lines(subject), expected)


def test_every_type_of_onnx_is_as_its_library_reads_it(tmp_path: Path) -> None:
    """By raw bytes and by the field that its type has; types that torch lacks are refused one by one."""
    numbers = [0, 1, 2, 3, 1, 0]
    held = helper.make_tensor("v", TensorProto.FLOAT, (2, 2), [1, 2, 3, 4])
    for kind, dtype in onnx_file.PLAIN.items():
        expected = torch.tensor(numbers).reshape(2, 3).to(dtype)
        raw = helper.make_tensor("w", kind, (2, 3), expected.view(torch.uint8).numpy().tobytes(), raw=True)
        for proto in (raw, helper.make_tensor("w", kind, (2, 3), numbers)):
            path = write(tmp_path, "w.onnx", onnx_of([proto, held]).SerializeToString())
            values = onnx_file.read_onnx(path, "w.onnx").tensors["w"]
            assert values.dtype == dtype
            assert torch.equal(values.double(), expected.double()), dtype
    text = helper.make_tensor("words", TensorProto.STRING, (1,), [b"a"])
    four = helper.make_tensor("packed", TensorProto.INT4, (2,), [1, 2])
    names = [helper.make_tensor(name, TensorProto.FLOAT, (2, 2), [1, 2, 3, 4]) for name in ("v.1", "a..b", "x.half")]
    subject = open_checkpoint(write(tmp_path, "w.onnx", onnx_of([text, four, held, *names]).SerializeToString()))
    assert subject.refused["v.1"].startswith("called as if it lay in 'v', which is a tensor")
    assert subject.refused["a..b"] == subject.refused["x.half"] == "called as no parameter of torch can be; rename it"
    assert [target.name for target in subject.targets] == ["v"]
    assert subject.refused["words"].startswith("of the type STRING of ONNX")
    assert subject.refused["packed"].startswith("of the type INT4 of ONNX")


def external(folder: Path, location: str = "net.onnx.data", **said: str) -> Path:
    """A model whose weights lie in another file, with whatever said of where the first one does."""
    protos = [numpy_helper.from_array(each, name) for name, each in INITIALIZERS.items()]
    beside = {"save_as_external_data": True, "location": "net.onnx.data", "size_threshold": 0}
    onnx.save(onnx_of(protos), folder / "net.onnx", **beside)  # type: ignore[arg-type]
    model = onnx.load(folder / "net.onnx", load_external_data=False)
    for each in model.graph.initializer[0].external_data:
        each.value = {"location": location, **said}.get(each.key, each.value)
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return folder / "net.onnx"


def test_weights_beside_an_onnx_model_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    subject = open_checkpoint(external(tmp_path))
    expected = {name: torch.from_numpy(each) for name, each in INITIALIZERS.items()}
    assert same_tensors(subject.model.state_dict(), expected)
    assert [file.path.name for file in subject.files] == ["net.onnx.data"]
    assert same_tensors(loaded_by_its_lines(subject), expected)
    (tmp_path / "net.onnx.data").write_bytes(b"")
    with pytest.raises(SubjectError, match="has been cut short"):
        subject.weight("conv1.weight")


def test_onnx_opens_no_file_that_does_not_lie_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    folder.mkdir()
    write(tmp_path, "secret", bytes(4096))
    (folder / "link").symlink_to("../secret")
    for place in ("../secret", str(tmp_path / "secret"), "a/../../secret", "..\\secret", ".", "a\nb"):
        with pytest.raises(SubjectError, match="which does not lie beside it"):
            open_checkpoint(external(folder, place))
    with pytest.raises(SubjectError, match="is a link to another folder"):
        open_checkpoint(external(folder, "link"))
    with pytest.raises(SubjectError, match=r"nothing is missing, which net\.onnx names"):
        open_checkpoint(external(folder, "nothing"))
    for key, value, message in (
        ("offset", "9999999", "does not lie in it"),
        ("offset", "-4", "does not say where"),
        ("length", "7", "has 7 bytes and needs 192"),
    ):
        with pytest.raises(SubjectError, match=message):
            open_checkpoint(external(folder, **{key: value}))


def test_onnx_models_that_lie_are_refused_in_words(tmp_path: Path) -> None:
    good = numpy_helper.from_array(np.ones((2, 2), np.float32), "w")
    long, below = TensorProto(), TensorProto()
    long.CopyFrom(good)
    long.dims[0] = 1 << 50
    below.CopyFrom(good)
    below.dims[0] = -2
    for protos, message in (
        ([good, good], "holds 'w' twice"),
        ([long], "has shape"),
        ([below], "has shape"),
        ([], "holds no weights of plain numbers"),
    ):
        with pytest.raises(SubjectError, match=message):
            open_checkpoint(write(tmp_path, "w.onnx", onnx_of(protos).SerializeToString()))
    with pytest.raises(SubjectError, match="is no whole ONNX model"):
        open_checkpoint(write(tmp_path, "w.onnx", onnx_of([good]).SerializeToString()[:-16]))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of torch.distributed.checkpoint."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    state = Residual().state_dict()
    moments = {name: {"exp_avg": torch.zeros_like(each)} for name, each in state.items()}
    content = {"model": state, "optimizer": {"state": moments}, "epoch": 3}
    dcp.save(content, checkpoint_id=str(tmp_path / "run"), no_dist=True)
    return tmp_path / "run"


def test_a_folder_of_a_distributed_checkpoint_opens(folder: Path) -> None:
    torch.manual_seed(0)
    state = Residual().state_dict()
    for path in (folder, folder / ".metadata"):
        subject = open_checkpoint(path)
        assert subject.name == "run"
        assert same_tensors(subject.model.state_dict(), state)
        assert prunes_as_torch_does(subject)
        assert "left aside: optimizer, epoch" in subject.about
    assert load_subject("run#model").model.state_dict().keys() == state.keys()
    assert same_tensors(loaded_by_its_lines(subject), state)
    with pytest.raises(SubjectError, match="open the folder that it lies in"):
        load_subject("run/__0_0.distcp")


def test_a_tensor_in_pieces_is_put_together(folder: Path) -> None:
    """As FSDP writes it: rows on one machine, the others on the next."""
    whole = torch.randn(5, 4)
    parts = {0: ("__0_0.distcp", whole[:3]), 3: ("__1_0.distcp", whole[3:])}
    told: Metadata = pickle.loads((folder / ".metadata").read_bytes())
    index, info = next((index, info) for index, info in told.storage_data.items() if index.fqn == "model.fc.weight")
    described: Any = told.state_dict_metadata["model.fc.weight"]
    described.size, described.chunks = torch.Size((5, 4)), []
    told.state_dict_metadata, told.planner_data, told.storage_data = {"model.w": described}, None, {}
    for start, (file, part) in parts.items():
        content = saved(part.clone())
        write(folder, file, content)
        told.storage_data[type(index)("model.w", (start, 0), 0)] = type(info)(file, 0, len(content))
    write(folder, ".metadata", pickle.dumps(told))
    subject = open_checkpoint(folder)
    assert torch.equal(subject.weight("model.w"), whole)
    assert [file.path.name for file in subject.files] == [".metadata", "__0_0.distcp", "__1_0.distcp"]
    told.storage_data.popitem()
    write(folder, ".metadata", pickle.dumps(told))
    with pytest.raises(SubjectError, match=r"'model\.w' is not whole"):
        open_checkpoint(folder)


def test_a_distributed_checkpoint_opens_no_file_that_does_not_lie_in_it(folder: Path) -> None:
    content = (folder / ".metadata").read_bytes()
    assert content.count(b"\x0c__0_0.distcp") == 1
    for place in ("../x/a.distcp", "/etc/x.passwd", "..\\a_0.distcp"):
        named = bytes([len(place)]) + place.encode()
        write(folder, ".metadata", content.replace(b"\x0c__0_0.distcp", named))
        with pytest.raises(SubjectError, match="does not lie beside it"):
            open_checkpoint(folder)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (".metadata", pickle.dumps({"a": 1}), "its .metadata is no list of torch's"),
        (".metadata", b"\x80\x04", "is damaged"),
        ("__0_0.distcp", b"PK", "is cut off"),
    ],
)
def test_a_distributed_checkpoint_that_cannot_be_read_has_a_way_out(
    folder: Path, file: str, content: bytes, message: str
) -> None:
    write(folder, file, content)
    with pytest.raises(SubjectError, match=re.escape(message)) as refused:
        open_checkpoint(folder)
    assert str(refused.value).splitlines()[-1] == "dcp_to_torch_save('run', \"weights.pt\")"


def test_numbers_that_lie_at_odd_places_are_moved(tmp_path: Path) -> None:
    weight = torch.arange(6.0).reshape(2, 3)
    for extra in range(9):
        entries = records(saved({"w": weight, "tied": weight}))
        content = zipped({"archive/.data/x": bytes(extra), **entries})
        found = open_checkpoint(write(tmp_path, "w.pt", content)).model.state_dict()
        assert found["w"].data_ptr() % 4 == 0
        assert found["w"].data_ptr() == found["tied"].data_ptr()
        assert torch.equal(found["w"], weight)
