"""One's own networks come in by the Models page, or are told why not."""

import io
import json
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from safetensors.torch import save
from streamlit.runtime.caching import clear_session_resource_cache
from torch import nn
from torch.distributed import checkpoint as dcp

from pruning_explorer import sample_names
from pruning_explorer.ui.models.files import display_name
from pruning_explorer.ui.own_models import SESSION_MODELS
from pruning_explorer.ui.query import MODELS
from tests.ui.models.models_page import ModelsPage
from tests.ui.page import unescaped

STREAMLITS_SESSION = "test session id"
"""What AppTest calls the one session that all pages of a test process run in."""


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10)).eval()


def saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def exported() -> bytes:
    batch = torch.export.Dim("batch", min=1, max=512)
    program = torch.export.export(network(), (torch.zeros(2, 1, 8, 8),), dynamic_shapes=({0: batch},))
    file = io.BytesIO()
    torch.export.save(program, file)
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_all_samples_are_listed_with_what_they_are() -> None:
    page = ModelsPage()
    assert list(page.loaded.index) == list(sample_names())
    row = page.loaded.loc["digits-mlp"]
    assert (row["parameters"], row["dtypes"], row["layers"]) == (64 * 300 + 300 + 300 * 100 + 100 + 1010, "float32", 3)
    assert row["runs"] == "360 samples, labelled"
    page.look_into("digits-vit")
    assert page.layers.loc["position", "why_not"].startswith("a parameter of DigitsViT itself")
    assert page.layers.loc["head.weight", "shape"] == "10x48"
    assert page.errors == []


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
def test_a_checkpoint_alone_is_listed_and_looked_into(kind: str) -> None:
    page = ModelsPage()
    state = network().state_dict()
    page.drop((f"my net.{kind}", save(state) if kind == "safetensors" else saved(state)))
    assert page.errors == []
    assert page.looked_into == "my-net"
    assert list(page.loaded.index) == ["my-net", *sample_names()]
    row = page.loaded.loc["my-net"]
    assert (row["parameters"], row["layers"], row["runs"]) == (4 * 9 + 4 + 1440 + 10, 2, "weights only")
    assert page.layers.loc["3.weight", ["role", "shape", "weights"]].tolist() == ["weight", "10x144", 1440]
    assert any("nothing can be run" in each for each in page.infos)


def test_a_checkpoint_in_parts_waits_for_all_of_them() -> None:
    state = network().state_dict()
    parts = {"a-1.safetensors": {"0.weight": state["0.weight"], "0.bias": state["0.bias"]}}
    parts["../a-2.safetensors"] = {"3.weight": state["3.weight"], "3.bias": state["3.bias"]}
    index = json.dumps({"weight_map": {name: part for part, held in parts.items() for name in held}}).encode()
    files = [("model.safetensors.index.json", index), *((part, save(held)) for part, held in parts.items())]
    page = ModelsPage()
    page.drop(*files[:2])
    assert any("Drop these as well: ../a-2.safetensors" in each for each in page.infos)
    page.drop(*files)
    assert page.errors == []
    assert page.loaded.loc["model", "parameters"] == 4 * 9 + 4 + 1440 + 10


def test_an_exported_program_runs_and_takes_samples_of_ones_own() -> None:
    page = ModelsPage()
    page.drop(("net.pt2", exported()))
    assert page.errors == []
    assert page.loaded.loc["net", "runs"].endswith(" samples")
    wrong = np.zeros((5, 3, 8, 8), np.float32)
    page.drop_samples("wrong.npz", npz(inputs=wrong))
    told = " ".join(page.errors)
    assert "[5, 3, 8, 8]" in told
    assert "wrong.npz" in told
    assert page.loaded.loc["net", "runs"].endswith(" samples")
    page.look_into("digits-cnn")
    assert page.errors == []
    page.look_into("net")
    rows = "\n".join(",".join(["0.5"] * 64) for _ in range(3)).encode()
    page.drop_samples("rows.csv", rows)
    assert page.errors == []
    assert page.loaded.loc["net", "runs"] == "3 samples"
    images = np.random.default_rng(0).random((7, 1, 8, 8), dtype=np.float32)
    page.drop_samples("mine.npz", npz(inputs=images, labels=np.arange(7)))
    assert page.errors == []
    assert page.loaded.loc["net", "runs"] == "7 samples, labelled"


def test_a_sample_network_stays_as_it_is_beside_one_with_samples_of_ones_own() -> None:
    page = ModelsPage()
    page.look_into("digits-mlp")
    page.drop_samples("mine.npz", npz(inputs=np.zeros((3, 64), np.float32)))
    assert page.errors == []
    assert page.looked_into == "digits-mlp on mine"
    assert page.loaded.loc["digits-mlp on mine", "runs"] == "3 samples"
    assert page.loaded.loc["digits-mlp", "runs"] == "360 samples, labelled"


def test_a_whole_model_is_refused_with_the_way_out_and_nothing_is_lost() -> None:
    page = ModelsPage()
    page.drop(("good.safetensors", save(network().state_dict())))
    page.drop(("whole.pt", saved(network())))
    told = " ".join(page.errors)
    assert "whole.pt is a pickle of Python objects" in told
    assert "torch.nn.modules" in told
    assert page.app.code[0].value.splitlines() == [
        "model = torch.load('whole.pt', map_location='cpu', weights_only=False)",
        'torch.save(model.state_dict(), "weights.pt")',
    ]
    assert list(page.loaded.index) == ["good", *sample_names()]
    assert page.looked_into == "good"


def test_one_bad_file_of_several_is_named_and_the_others_are_loaded() -> None:
    page = ModelsPage()
    page.drop(("a.safetensors", save(network().state_dict())), ("b.safetensors", b"nonsense"), ("c.exe", b"MZ"))
    assert "a" in page.loaded.index
    told = " ".join(page.errors)
    assert "b.safetensors" in told
    assert "c.exe is a text and holds no weights" in told
    page.drop(("x.npz", npz(inputs=np.zeros((2, 3)))))
    assert "x.npz: this is a file of samples" in " ".join(page.errors)
    assert page.loaded.loc["a", "origin"].startswith("a.safetensors: .safetensors")


def test_the_same_file_twice_is_two_networks_and_each_can_be_forgotten() -> None:
    page = ModelsPage()
    for _ in range(2):
        page.drop(("net.safetensors", save(network().state_dict())))
    assert list(page.loaded.index)[:2] == ["net (2)", "net"]
    held = SESSION_MODELS.of(page.app.session_state["session_id"])
    assert held is not None
    places = [Path(folder.name) for folder in held._folders.values()]
    assert all((place / "model.safetensors").is_file() for place in places)
    page.click("forget")
    assert next(iter(page.loaded.index)) == "net"
    page.look_into("net")
    page.click("forget")
    assert list(page.loaded.index) == list(sample_names())
    assert not any(place.exists() for place in places)


def test_what_a_session_brought_goes_when_streamlit_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SESSION_MODELS, "grace", 0.05)
    page = ModelsPage()
    page.drop(("net.safetensors", save(network().state_dict())))
    session = page.app.session_state["session_id"]
    held = SESSION_MODELS.of(session)
    assert held is not None
    place = Path(held._folders["net"].name)
    page.run()
    clear_session_resource_cache(STREAMLITS_SESSION)  # which is all that Streamlit does for us when a tab is closed
    end = time.monotonic() + 30
    while (SESSION_MODELS.of(session) is not None or held.subjects or place.exists()) and time.monotonic() < end:
        time.sleep(0.02)
    assert SESSION_MODELS.of(session) is None
    assert held.subjects == {}
    assert not place.exists()


def test_two_sessions_do_not_see_each_others_networks() -> None:
    mine, theirs = ModelsPage(), ModelsPage()
    mine.drop(("secret.safetensors", save(network().state_dict())))
    theirs.run()
    assert "secret" in mine.loaded.index
    assert "secret" not in theirs.loaded.index


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("résumé net.pt", "résumé-net"),
        ("../../etc/passwd", "passwd"),
        ("a<b>&c.safetensors", "a-b-c"),
        ("x" * 300 + ".pt2", "x" * 60),
        (".safetensors", "model"),
        ("model.tar.pth", "model.tar"),
    ],
)
def test_a_network_is_called_after_its_file(file: str, name: str) -> None:
    assert display_name(file) == name


def test_a_network_of_ones_own_gets_another_name_and_keeps_its_place() -> None:
    page = ModelsPage()
    state = network().state_dict()
    page.drop(("a.safetensors", save(state)))
    page.drop(("b.safetensors", save(state)))
    before = list(page.loaded.index)
    first = next(name for name in before if name.startswith("a"))
    page.look_into(first)
    page.app.session_state["subject"] = first
    page.rename(first, "  My  net:2 ")
    assert page.looked_into == "My net 2"
    assert list(page.loaded.index) == [name if name != first else "My net 2" for name in before]
    assert page.app.session_state["subject"] == "My net 2"
    page.rename("My net 2", "digits-cnn")  # which is taken
    assert page.looked_into == "digits-cnn (2)"
    page.rename("digits-cnn (2)", " ")
    assert page.looked_into == "digits-cnn (2)"
    page.click("forget")
    assert list(page.loaded.index) == [name for name in before if name != first]


def test_a_name_that_is_everybodys_is_not_changed() -> None:
    page = ModelsPage()
    assert [each.key for each in page.app.text_input if each.key.startswith("own_name_")] == []


def test_an_address_names_the_network_that_is_looked_into() -> None:
    page = ModelsPage({"model": ["digits-cnn", "spirals-mlp"], "trace": "1"})
    assert (page.looked_into, list(page.app.warning)) == ("spirals-mlp", [])
    assert page.app.session_state["address_told"] == {"model": ["spirals-mlp"]}
    assert set(page.app.session_state["address_told"]) == MODELS


def test_what_an_address_cannot_mean_is_said_and_the_first_network_shown() -> None:
    page = ModelsPage({"model": "digits-cmn", "colour": "red"})
    (warning,) = page.app.warning
    assert "there is no network called 'digits-cmn' here" in unescaped(warning.value)
    assert "it has an unknown part “colour”, which was ignored" in unescaped(warning.value)
    page.click("address_read")
    assert list(page.app.warning) == []


def test_a_file_of_several_networks_asks_which_ones() -> None:
    state = network().state_dict()
    gan = saved({"generator": state, "critic": {name: each + 1 for name, each in state.items()}})
    page = ModelsPage()
    page.drop(("gan.pt", gan))
    assert page.errors == []
    assert list(page.loaded.index) == list(sample_names())
    choice = page.app.button_group(key="networks_chosen")
    assert choice.label == "gan.pt holds 2 networks. Which ones?"
    choice.set_value(["generator", "critic"]).run()
    page.click("open_chosen")
    assert page.errors == []
    assert list(page.loaded.index) == ["gan#critic", "gan#generator", *sample_names()]
    assert page.looked_into == "gan#critic"
    page.click("forget")
    assert page.layers.loc["3.weight", "weights"] == 1440, "the other one keeps its file"
    page.drop(("gan.pt", gan))
    page.click("open_none")
    assert list(page.loaded.index) == ["gan#generator", *sample_names()]
    assert "button_group" not in {each.type for each in page.app.main}


def test_a_file_is_judged_by_its_content() -> None:
    page = ModelsPage()
    state = {f"module.{name}": each for name, each in network().state_dict().items()}
    page.drop(("model_best.pth.tar", saved({"epoch": 3, "state_dict": state, "args": np.float64(1)})))
    assert page.errors == []
    assert page.looked_into == "model_best"
    told = " ".join(each.value for each in page.app.markdown)
    assert "nothing of that was run" in unescaped(told)


def test_bin_parts_come_in_by_the_browser() -> None:
    state = network().state_dict()
    parts = {"pytorch_model-1.bin": "0", "pytorch_model-2.bin": "3"}
    held = {part: {name: state[name] for name in state if name[0] == layer} for part, layer in parts.items()}
    index = json.dumps({"weight_map": {name: part for part, tensors in held.items() for name in tensors}}).encode()
    page = ModelsPage()
    page.drop(("pytorch_model.bin.index.json", index), *((part, saved(tensors)) for part, tensors in held.items()))
    assert page.errors == []
    assert page.loaded.loc["pytorch_model", "parameters"] == 4 * 9 + 4 + 1440 + 10


def test_an_onnx_model_waits_for_the_file_of_its_weights(tmp_path: Path) -> None:
    protos = [numpy_helper.from_array(each.numpy(), name) for name, each in network().state_dict().items()]
    model = helper.make_model(helper.make_graph([], "g", [], [], initializer=protos))
    onnx.save(model, tmp_path / "net.onnx", save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    first, second = ((name, (tmp_path / name).read_bytes()) for name in ("net.onnx", "net.onnx.data"))
    page = ModelsPage()
    page.drop(first)
    assert any("Drop these as well: net.onnx.data" in each for each in page.infos)
    page.drop(second, first)
    assert page.errors == []
    assert page.looked_into == "net"
    assert page.loaded.loc["net", "parameters"] == 4 * 9 + 4 + 1440 + 10


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_distributed_checkpoint_comes_in_by_its_files(tmp_path: Path) -> None:
    dcp.save({"model": network().state_dict()}, checkpoint_id=str(tmp_path / "run"), no_dist=True)
    files = [(each.name, each.read_bytes()) for each in sorted((tmp_path / "run").iterdir())]
    page = ModelsPage()
    page.drop(files[0])
    assert any("Drop these as well: \\_\\_0\\_0.distcp" in each or "__0_0.distcp" in each for each in page.infos)
    page.drop(*files)
    assert page.errors == []
    assert page.loaded.loc["metadata", "parameters"] == 4 * 9 + 4 + 1440 + 10
