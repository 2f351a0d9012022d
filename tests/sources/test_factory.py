"""Networks from functions in somebody's code: what they may return, and what is said when they fail."""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import torch

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.measure.quality import dense_level
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.factory import call_factory

HEAD = """
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from pruning_explorer import Subject

def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))

X, Y = torch.eye(3), torch.tensor([0, 1, 1])
"""

Write = Callable[[str], str]
_NUMBERS = count()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a module into the working directory, and gives its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])

    def module(text: str) -> str:
        name = f"of_somebody_{next(_NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(HEAD + text)
        return name

    return module


def made(write: Write, returned: str) -> Subject:
    return call_factory(f"{write(f'def make():{chr(10)}    return {returned}')}:make")


def test_a_module_alone(write: Write) -> None:
    subject = made(write, "net()")
    assert subject.name == "make"
    assert subject.samples is None
    assert [target.name for target in subject.targets if target.role == "weight"] == ["0.weight", "2.weight"]
    assert "of_somebody" in subject.origin


def test_a_module_with_samples_and_labels(write: Write) -> None:
    subject = made(write, "(net(), X)")
    assert subject.labels is None
    assert torch.equal(subject.samples[0], torch.eye(3))
    subject = made(write, "(net(), X, Y)")
    assert subject.labels.tolist() == [0, 1, 1]
    assert dense_outputs(subject).shape == (3, 2)


def test_arrays_and_lists_are_tensors_too(write: Write) -> None:
    subject = made(write, "(net(), np.eye(3, dtype=np.float32), [0, 1, 1])")
    assert subject.samples[0].dtype == torch.float32
    assert subject.labels.dtype == torch.int64
    subject = made(write, "(net(), X, np.array([0, 1, 1], dtype=np.int32))")
    assert subject.labels.dtype == torch.int64


def test_a_dict_says_more(write: Write) -> None:
    name = write("""
def half_right(logits, labels):
    return torch.full((len(logits),), 0.5)

def make():
    return {"model": net(), "samples": X, "labels": Y, "score": half_right, "name": "mine", "about": "It is mine.",
            "calibration": 2 * X, "calibration_labels": Y, "output_names": ["left", "right"]}
""")
    subject = call_factory(f"{name}:make")
    assert (subject.name, subject.about, subject.quality_name) == ("mine", "It is mine.", "half right")
    assert subject.output_names == ("left", "right")
    assert torch.equal(subject.calibration[0], 2 * torch.eye(3))
    assert dense_level(subject) == 0.5


def test_a_subject_as_it_is(write: Write) -> None:
    subject = made(write, 'Subject.from_module(net(), X, Y, name="theirs", about="So it is.")')
    assert (subject.name, subject.about) == ("theirs", "So it is.")
    assert subject.labels.tolist() == [0, 1, 1]
    assert subject.origin


DATASETS = {
    "a dataset": "TensorDataset(X, Y)",
    "a loader": "DataLoader(TensorDataset(X, Y), batch_size=2)",
    "a stream": "Stream()",
    "numbers as labels": "Listed()",
}


@pytest.mark.parametrize("data", DATASETS.values(), ids=DATASETS.keys())
def test_a_dataset_is_read(write: Write, data: str) -> None:
    name = write(f"""
class Stream(IterableDataset):
    def __iter__(self):
        return iter(list(zip(X, Y)))

class Listed(Dataset):
    def __len__(self):
        return 3
    def __getitem__(self, i):
        return X[i], int(Y[i])

def make():
    return net(), {data}
""")
    subject = call_factory(f"{name}:make")
    assert torch.equal(subject.samples[0], torch.eye(3))
    assert subject.labels.tolist() == [0, 1, 1]


def test_a_large_dataset_is_read_in_part(write: Write) -> None:
    subject = made(write, "(net(), TensorDataset(X.repeat(1000, 1)))")
    assert subject.sample_count == 2000
    assert subject.labels is None


def test_what_it_says_of_loading_makes_the_same_network(write: Write) -> None:
    for returned in ("net()", "(net(), X)", '{"model": net()}', "Subject.from_module(net())"):
        subject = made(write, returned)
        scope: dict[str, object] = {}
        exec(subject.loading, scope)
        model = scope["model"]
        assert isinstance(model, torch.nn.Module)
        assert torch.equal(model.get_parameter("0.weight"), subject.weight("0.weight"))


def test_a_method_of_a_class_in_a_package(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "their_package"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "nets.py").write_text(HEAD + "class Nets:\n    @staticmethod\n    def small():\n        return net()\n")
    subject = call_factory("their_package.nets:Nets.small")
    scope: dict[str, object] = {}
    exec(subject.loading, scope)
    assert scope["model"]


BAD: dict[str, tuple[str, str]] = {
    "no such function": ("def make_net(): return net()", r"has no make; did you mean make_net"),
    "no function": ("make = 3", "is a value of type int and no function; write one that returns a module"),
    "arguments": ("def make(width, depth=2): return net()", "needs the arguments width, and is called without any"),
    "it fails": ("def make():\n    raise ValueError('first\\nlast')", r"raised ValueError: last \(of_somebody_\d+\.py"),
    "it exits": ("def make(): raise SystemExit(3)", "raised SystemExit: 3"),
    "nothing": ("def make(): net()", r"returned nothing \(None\); return a module, \(module, samples\)"),
    "a class": ("def make(): return nn.Linear", "returned the class Linear"),
    "too many": ("def make(): return net(), X, Y, 3", r"returned a tuple of 4 \(Sequential, Tensor, Tensor, int\)"),
    "the wrong order": ("def make(): return X, net()", "returned a value of type Tensor as its model"),
    "no model": ("def make(): return {'samples': X}", "returned nothing"),
    "an unknown key": (
        "def make(): return {'model': net(), 'sample': X}",
        "'sample'; did you mean 'samples'. the keys are model, samples",
    ),
    "no score": ("def make(): return {'model': net(), 'score': 0.5}", "value of type float as score"),
    "words": ("def make(): return net(), 'images.pt'", "samples of of_somebody_.* are a value of type str"),
    "lengths": ("def make(): return net(), X, Y[:2]", "equally many"),
    "an empty dataset": ("def make(): return net(), TensorDataset(X[:0])", "the dataset is empty"),
    "a broken dataset": (
        "class Broken(Dataset):\n    def __len__(self): return 2\n    def __getitem__(self, i): raise OSError('gone')\n"
        "def make(): return net(), Broken()",
        "the samples of .* cannot be read: OSError: gone",
    ),
    "no weights": ("def make(): return nn.ReLU()", "nothing in make can be pruned"),
    "it breaks at once": ("1 / 0", r"cannot be imported: it raised ZeroDivisionError: division by zero \(of_somebody"),
    "a library is missing": (
        "import not_installed_anywhere",
        "it needs not_installed_anywhere, which is not installed",
    ),
    "it is no Python": ("def make(:", "cannot be imported: it raised SyntaxError"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_used_is_told_in_words(write: Write, text: str, message: str) -> None:
    with pytest.raises(SubjectError, match=message) as caught:
        call_factory(f"{write(text)}:make")
    assert "\n" not in str(caught.value)


def test_no_such_module(write: Write) -> None:
    name = write("")
    with pytest.raises(SubjectError, match=rf"there is no module {name}x, .* did you mean {name}\?"):
        call_factory(f"{name}x:make")
    with pytest.raises(SubjectError, match="there is no module nowhere"):
        call_factory("nowhere.at.all:make")
    for words in ("nowhere", ":make", "nowhere:"):
        with pytest.raises(SubjectError, match="names no function"):
            call_factory(words)
