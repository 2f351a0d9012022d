"""The words for a network lead to it, whatever it comes from, and what leads nowhere is told."""

import json
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pruning_explorer import load_subject, sample_names
from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.words import Loader, names_a_library
from tests.sources.exported_files import tiny_program

FACTORY = """
from pathlib import Path
import torch
from torch import nn

def make():
    with Path("calls").open("a") as file:
        file.write("x")
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.eye(3)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a network of each kind, which is the home of whoever runs it as well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "words_of_mine.py").write_text(FACTORY)
    torch.manual_seed(0)
    state = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).state_dict()
    save_file(state, tmp_path / "net.safetensors")
    torch.save(state, tmp_path / "net.pt")
    (tmp_path / "whole").mkdir()
    save_file(state, tmp_path / "whole/model.safetensors")
    (tmp_path / "sharded").mkdir()
    for layer in "02":
        part = {name: each for name, each in state.items() if name.startswith(layer)}
        save_file(part, tmp_path / f"sharded/part-{layer}.safetensors")
    index = {"metadata": {}, "weight_map": {name: f"part-{name[0]}.safetensors" for name in state}}
    (tmp_path / "sharded/model.safetensors.index.json").write_text(json.dumps(index))
    tiny_program(tmp_path / "tiny.pt2")
    yield tmp_path
    sys.modules.pop("words_of_mine", None)


@pytest.mark.parametrize("name", sample_names())
def test_a_sample_by_its_name(name: str) -> None:
    assert load_subject(name).name == name
    assert load_subject(f" {name}\n").id == load_subject(name).id


@pytest.mark.parametrize(
    "words",
    [
        "net.safetensors",
        "./net.safetensors",
        "~/net.safetensors",
        "net.pt",
        "whole",
        "~/whole/",
        "sharded",
        "sharded/model.safetensors.index.json",
        "words_of_mine:make",
    ],
)
def test_the_same_network_by_many_words(folder: Path, words: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    subject = load_subject(words)
    assert {target.name for target in subject.targets} == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert all(torch.equal(subject.weight(name), each) for name, each in model.state_dict().items())
    assert subject.runnable == (":" in words)


@pytest.mark.parametrize("words", ["tiny.pt2", "~/tiny.pt2", "TINY.PT2"])
def test_an_exported_program(folder: Path, words: str) -> None:
    if words.isupper():
        (folder / "tiny.pt2").rename(words)
    subject = load_subject(words)
    assert subject.runnable
    assert [list(each.shape)[1:] for each in subject.samples or ()] == [[3]]


def test_a_network_of_a_library(folder: Path) -> None:
    assert names_a_library("timm:resnet18")
    assert not names_a_library("timm")
    assert not names_a_library("words_of_mine:make")
    (folder / "hf:whole").mkdir()  # a folder of that name is not meant
    with pytest.raises(SubjectError, match=r"there is no config\.json in \./whole; give a folder that save_pretrained"):
        load_subject("hf:./whole")


def test_samples_of_ones_own(folder: Path) -> None:
    np.savez(folder / "held_out.npz", x=np.ones((5, 3), dtype=np.float32), labels=np.array([0, 1, 1, 0, 1]))
    for samples in ("held_out.npz", folder / "held_out.npz"):
        subject = load_subject("words_of_mine:make", samples)
        assert subject.sample_count == 5
        assert subject.labels is not None
        assert subject.labels.tolist() == [0, 1, 1, 0, 1]
    with pytest.raises(SubjectError, match="net"):
        load_subject("net.safetensors", "held_out.npz")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("digit-cnn", "no network is called 'digit-cnn'; did you mean 'digits-cnn'?"),
        ("", "no network is called ''; the networks are tutorial-mlp"),
        ("nowhere.safetensors", "there is no file nowhere.safetensors; give the path of a checkpoint"),
        ("~/nowhere.pt", "there is no file ~/nowhere.pt"),
        ("nowhere.pt2", "there is no file nowhere.pt2"),
        ("nowhere/at/all", "there is no file nowhere/at/all"),
        ("whole/config.json", "there is no file whole/config.json"),
        ("words_of_mine.py", "words_of_mine.py is a text and holds no weights"),
        ("words_of_mine:mak", "words_of_mine has no mak; did you mean make"),
        ("words_of_mime:make", "there is no module words_of_mime, neither installed nor in"),
        ("timm:", "'timm:' names no network of timm; write its name, as in timm:resnet18"),
    ],
)
def test_words_that_lead_nowhere(folder: Path, words: str, said: str) -> None:
    with pytest.raises(SubjectError) as caught:
        load_subject(words)
    assert said in str(caught.value)


def test_a_loader_loads_once_and_may_be_sent(folder: Path) -> None:
    loader = Loader("words_of_mine:make")
    subject = loader("whatever it is called")
    assert pickle.loads(pickle.dumps(loader))("something else") is subject
    assert Loader("words_of_mine:make")("the same words") is subject
    assert (folder / "calls").read_text() == "x"


def test_one_of_several_networks_is_named_behind_its_file(folder: Path) -> None:
    state = torch.load("net.pt", weights_only=True)
    other = {name: each + 1 for name, each in state.items()}
    torch.save({"generator": state, "critic": other, "losses": [1.0], "step": {"done": torch.tensor(3)}}, "gan.pt")
    with pytest.raises(SubjectError, match=r"\('generator', 'critic'\); name one of them behind a #, as in gan.pt#gen"):
        load_subject("gan.pt")
    for name, expected in {"generator": state, "critic": other}.items():
        subject = load_subject(f"gan.pt#{name}")
        assert subject.name == f"gan.pt#{name}"
        assert torch.equal(subject.weight("0.weight"), expected["0.weight"])
        fresh = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        exec(subject.loading, {"model": fresh})
        assert torch.equal(fresh[0].weight, expected["0.weight"])
    assert load_subject("gan.pt#generator").id != load_subject("gan.pt#critic").id
    with pytest.raises(SubjectError, match=r"no network called 'teacher'; it holds 'generator', 'critic'"):
        load_subject("gan.pt#teacher")
    with pytest.raises(SubjectError, match=r"there is no file nothing\.pt#critic"):
        load_subject("nothing.pt#critic")
    with pytest.raises(SubjectError, match="holds one network, so it opens without #critic"):
        load_subject("net.safetensors#critic")


def test_the_usual_network_opens_without_its_name_and_the_others_are_said(folder: Path) -> None:
    state = torch.load("net.pt", weights_only=True)
    other = {name: each + 1 for name, each in state.items()}
    deep = {
        "agent": {"actor": state, "critic.old": other},
        "optimizer": {"state": {"w": {"exp_avg": torch.ones(2, 2)}}},
    }
    torch.save({"state_dict": state, "ema_state_dict": other, "deep": deep}, "run.pt")
    subject = load_subject("run.pt")
    assert torch.equal(subject.weight("0.weight"), state["0.weight"])
    others = "ema_state_dict, deep.agent.actor, deep.agent.critic.old"
    assert f"It holds other networks, too ({others}): run.pt#ema_state_dict opens one." in subject.about
    assert load_subject("run.pt#state_dict").id != load_subject("run.pt#ema_state_dict").id
    for name in others.split(", ")[::2]:
        assert torch.equal(load_subject(f"run.pt#{name}").weight("0.weight"), other["0.weight"])
    Path("a#b.pt").write_bytes(Path("run.pt").read_bytes())
    assert load_subject("a#b.pt").name == "a#b.pt"
    assert load_subject("a#b.pt#ema_state_dict").name == "a#b.pt#ema_state_dict"


def test_normalisers_do_not_win_over_the_network(folder: Path) -> None:
    state = torch.load("net.pt", weights_only=True)
    for shape in ((3,), (1, 3), (1, 3, 1)):
        means = {key: torch.zeros(shape) for key in ("x_mean", "x_std", "y_mean", "y_std", "lower", "upper")}
        for key in ("state_dict", "net", "policy"):
            torch.save({key: state, **means}, "m.pt")
            assert {target.name for target in load_subject("m.pt").targets} == set(state)
    torch.save({**state, "net": {"x": torch.zeros(3)}}, "m.pt")
    assert {target.name for target in load_subject("m.pt").targets} == set(state)


def test_a_file_is_judged_by_its_content_whatever_it_ends_in(folder: Path) -> None:
    for ending in ("pth.tar", "weights", "onnx", "pt2", "safetensors", "json", "npz"):
        home = folder / f"of {ending}"
        home.mkdir()
        (home / "readme.md").write_text("{}")
        (home / f"best.{ending}").write_bytes((folder / "net.pt").read_bytes())
        assert load_subject(str(home / f"best.{ending}")).origin.startswith("state_dict of torch.save")
        assert load_subject(str(home)).name == f"of {ending}"
    exported = folder / "program.pt"
    exported.write_bytes((folder / "tiny.pt2").read_bytes())
    assert load_subject(str(exported)).runnable
