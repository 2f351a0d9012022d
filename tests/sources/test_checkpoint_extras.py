"""What lies beside plain tensors keeps nobody from them: they are read from the outline, and nothing of it runs."""

import argparse
import collections
import datetime as dt
import os
import pathlib
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pruning_explorer import Subject, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint
from tests.sources.files_of_torch import archive_of, same_tensors, saved, tensor_pickle, write

STATE = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)).state_dict()


class Settings:
    """A class of an author's own."""

    def __init__(self) -> None:
        self.rate, self.net = 0.1, nn.Linear(2, 2)


class OwnDict(dict):  # type: ignore[type-arg]
    """A dict of an author's own."""


class OwnTensor(torch.Tensor):
    """A tensor of an author's own."""


EXTRAS: dict[str, tuple[object, str]] = {
    "a NumPy number": (np.float64(0.9), "scalar"),
    "a NumPy array": (np.arange(3.0), "_reconstruct"),
    "a NumPy generator": (np.random.default_rng(0), "numpy"),
    "arguments": (argparse.Namespace(lr=0.1, tags=[1]), "argparse.Namespace"),
    "a path": (pathlib.PurePosixPath("/x/y"), "pathlib"),
    "torch's version": (torch.__version__, "torch.torch_version.TorchVersion"),
    "a default dict": (collections.defaultdict(list, a=[1]), "collections.defaultdict"),
    "a deque": (collections.deque([1, 2]), "collections.deque"),
    "a date": (dt.datetime(2026, 1, 2), "datetime.datetime"),
    "a class of its own": (Settings(), "test_checkpoint_extras.Settings"),
    "a module": (nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
    "a function": (os.path.join, "posixpath.join"),
    "a loss": (nn.CrossEntropyLoss(), "CrossEntropyLoss"),
    "a frozen set": (frozenset((1, 2)), "builtins.frozenset"),
}


def run_loading(subject: Subject, model: nn.Module) -> None:
    exec(subject.loading, {"model": model})


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(("extra", "name"), EXTRAS.values(), ids=EXTRAS.keys())
def test_what_only_its_author_can_build_is_left_aside(
    tmp_path: Path, extra: object, name: str, legacy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for content in ({"state_dict": STATE, "epoch": 3, "extra": extra}, {"extra": extra, **STATE}):
        subject = open_checkpoint(write(tmp_path, "run.pt", saved(content, legacy=legacy)))
        assert same_tensors(subject.model.state_dict(), STATE)
        assert "left aside: " in subject.about
        assert "extra" in subject.about.partition("left aside: ")[2]
        assert name in subject.about
        assert "nothing of that was run" in subject.about
        assert "weights_only=False" in subject.loading
        if content.keys() == {"state_dict", "epoch", "extra"}:
            fresh = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
            run_loading(subject, fresh)
            assert same_tensors(fresh.state_dict(), STATE)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_other_protocols_of_pickle_open(tmp_path: Path, protocol: int) -> None:
    torch.save({"state_dict": STATE, "best": np.float64(1), "s": {1, 2}}, tmp_path / "w.pt", pickle_protocol=protocol)
    assert same_tensors(open_checkpoint(tmp_path / "w.pt").model.state_dict(), STATE)


def test_dicts_of_other_kinds_are_dicts(tmp_path: Path) -> None:
    for content in (OwnDict(state_dict=OwnDict(STATE)), collections.defaultdict(dict, STATE), OwnDict(STATE)):
        assert same_tensors(open_checkpoint(write(tmp_path, "w.pt", saved(content))).model.state_dict(), STATE)


def test_early_torch_wrote_none_for_no_hooks(tmp_path: Path) -> None:
    """Three weight files of lpips 0.1 are of that kind."""
    hooks = b"ccollections\nOrderedDict\n)R"
    early = tensor_pickle()
    assert early.count(hooks) == 1
    content = archive_of(early.replace(hooks, b"N"), _0=torch.arange(6.0).numpy().tobytes())
    torch.load(write(tmp_path, "w.pt", content), weights_only=True)
    subject = open_checkpoint(tmp_path / "w.pt")
    assert torch.equal(subject.weight("w"), torch.arange(6.0).reshape(2, 3))


# What is refused, and how the module that was saved in it is found again where one trusts the file
def _of_a_graph() -> nn.Module:
    return torch.fx.symbolic_trace(nn.Sequential(nn.Linear(4, 3)))


REFUSED: dict[str, Callable[[], object]] = {
    "a module": lambda: nn.Sequential(nn.Linear(4, 3)),
    "a module in a dict": lambda: {"epoch": 3, "model": nn.Linear(4, 3), "optimizer": None},
    "two modules": lambda: {"ema": nn.Linear(4, 3), "model": nn.Linear(4, 3)},
    "a module in a list": lambda: [3, nn.Linear(4, 3)],
    "a module in a tuple in a dict": lambda: {"nets": (1, {"g": nn.Linear(4, 3)})},
    "a module beside means": lambda: {"model": nn.Linear(4, 3), "x_mean": torch.zeros(1, 4), "x_std": torch.ones(1, 4)},
    "a module of a class of its own": lambda: Settings(),
    "a graph": _of_a_graph,
    "a state_dict that is an attribute": lambda: argparse.Namespace(weights=STATE),
    "a module in arguments": lambda: {"args": argparse.Namespace(net=nn.Linear(4, 3))},
    "a module behind a number": lambda: {0: nn.Linear(4, 3), "x": np.float64(1)},
}


@pytest.mark.parametrize("writer", ["torch.save", "torch.save before 1.6", "pickle"])
@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
def test_the_advice_on_each_refused_kind_works(
    tmp_path: Path, make: Callable[[], object], writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = pickle.dumps(content) if writer == "pickle" else saved(content, legacy=writer != "torch.save")
    write(tmp_path, "net.pt", file)
    with pytest.raises(SubjectError, match="is a pickle of Python objects") as refused:
        load_subject("net.pt")
    said, *lines = str(refused.value).splitlines()
    assert said.endswith(":")
    assert len(lines) == 2
    exec("import torch\n" + "\n".join(lines), {})
    assert {tuple(target.shape) for target in load_subject("weights.pt").targets} >= {(3, 4)} or "Settings" in said


def test_where_no_weights_are_seen_no_lines_are_given(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="no weights are seen in it; save the state_dict") as refused:
        open_checkpoint(write(tmp_path, "w.pt", saved({"best": np.float64(1), "args": argparse.Namespace(a=1)})))
    assert "\n" not in str(refused.value)


SPECIAL: dict[str, Callable[[], Tensor]] = {
    "sparse": lambda: torch.eye(3).to_sparse(),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint8),
    "nested": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "conjugated or negated": lambda: torch.ones(2, 2, dtype=torch.complex64).conj(),
    "subclassed": lambda: torch.ones(2, 2).as_subclass(OwnTensor),
}


@pytest.mark.parametrize(("kind", "make"), SPECIAL.items(), ids=SPECIAL.keys())
@pytest.mark.filterwarnings("ignore")
def test_a_tensor_that_is_not_plain_is_refused_alone_with_its_reason(
    tmp_path: Path, kind: str, make: Callable[[], Tensor]
) -> None:
    subject = open_checkpoint(write(tmp_path, "w.pt", saved({**STATE, "odd.weight": make()})))
    assert same_tensors(subject.model.state_dict(), STATE)
    assert subject.refused["odd.weight"].startswith(f"a {kind} tensor has no plain weights; ")
    assert "One tensor is not read" in subject.about
    beside = open_checkpoint(write(tmp_path, "w.pt", saved({"state_dict": STATE, "odd": make()})))
    assert f"left aside: odd (a {kind} tensor)" in beside.about
    with pytest.raises(SubjectError, match=f"holds {kind} tensors"):
        open_checkpoint(write(tmp_path, "w.pt", saved({"odd": make()})))


def with_attribute() -> nn.Parameter:
    parameter = nn.Parameter(torch.ones(2, 2))
    parameter.tag = "x"  # type: ignore[attr-defined]
    return parameter


PLAIN: dict[str, object] = {
    "a tuple as a key": {"state_dict": STATE, "confusion": {(0, 1): 3, ((1,), "a"): 4}},
    "bytes as a key": {"state_dict": STATE, "b": {b"a": 1}},
    "numbers as keys": {"state_dict": STATE, 1: 2, 2.5: 3, 1 << 70: 4, 1j: 5, None: 6, False: 7},
    "a complex number": {"state_dict": STATE, "z": 1 + 2j},
    "a bytearray": {"state_dict": STATE, "z": bytearray(b"x")},
    "bytes": {"state_dict": STATE, "z": b"\xff\x00"},
    "a set": {"state_dict": STATE, "z": {1, (2, 3)}},
    "a layout": {"state_dict": STATE, "z": [torch.strided, torch.sparse_coo]},
    "a dtype": {"state_dict": STATE, "z": [torch.float8_e5m2, torch.uint4, torch.quint4x2]},
    "a scheme": {"state_dict": STATE, "z": torch.per_tensor_affine},
    "a device": {"state_dict": STATE, "z": torch.device("cuda", 1)},
    "a counter": {"state_dict": STATE, "z": collections.Counter("abca")},
    "a size": {"state_dict": STATE, "z": torch.Size((2, 3))},
    "a long number": {"state_dict": STATE, "z": [1 << 900, -(1 << 64)]},
    "a parameter with an attribute": {"w": with_attribute(), "v": nn.Parameter(torch.zeros(2, 2))},
    "a buffer of torch": {"w": nn.Buffer(torch.ones(2, 2))},
    "a tensor on meta": {**STATE, "m": torch.ones(2, 2, device="meta")},
    "attributes of a state_dict": STATE,
    "one dict twice": {"model": STATE, "best": STATE},
    "a list of two": [STATE, 3],
}


@pytest.mark.parametrize("content", PLAIN.values(), ids=PLAIN.keys())
@pytest.mark.filterwarnings("ignore")
def test_what_torch_opens_is_opened(tmp_path: Path, content: object) -> None:
    for legacy in (False, True):
        torch.load(write(tmp_path, "m.pt", saved(content, legacy=legacy)), weights_only=True)
        subject = open_checkpoint(tmp_path / "m.pt")
        assert "was run" not in subject.about
        assert "weights_only=True" in subject.loading


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.binary(max_size=3).map(bytearray),
    st.sampled_from([torch.strided, torch.float16, torch.device("cpu"), torch.Size((2, 3)), torch.qint8]),
    st.lists(st.integers(0, 3), max_size=3).map(lambda shape: torch.zeros(shape)),
    st.sampled_from([with_attribute(), torch.eye(2).to_sparse(), nn.Parameter(torch.ones(2)), torch.ones(3, 2)[:, 1]]),
)
HASHED = st.one_of(st.text(max_size=4), st.integers(), st.binary(max_size=3), st.tuples(st.integers(), st.text()))
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(HASHED, inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3).map(collections.OrderedDict),
        st.sets(HASHED, max_size=3),
        st.dictionaries(st.text(max_size=2), st.integers(), max_size=2).map(collections.Counter),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=ANYTHING, legacy=st.booleans())
def test_whatever_torch_opens_is_opened_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, content: Any, legacy: bool
) -> None:
    """Beside a state_dict it keeps nobody from that; alone it is refused for what it lacks, never for being damaged."""
    path = tmp_path_factory.mktemp("any") / "m.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path.write_bytes(saved({"state_dict": STATE, "extra": content}, legacy=legacy))
        try:
            torch.load(path, weights_only=True)
        except pickle.UnpicklingError:
            reject()
        assert same_tensors(open_checkpoint(path).model.state_dict(), STATE)
        path.write_bytes(saved(content, legacy=legacy))
    try:
        open_checkpoint(path)
    except SubjectError as refused:
        said = str(refused)
        assert "damaged" not in said
        named = ("no state_dict", "no tensor by a name", "has no plain", "have no plain", "several networks")
        assert any(each in said for each in (*named, "can be pruned", "names a tensor"))


def test_nothing_is_written_out_or_hashed_that_takes_for_ever(tmp_path: Path) -> None:
    """A tuple of two of a tuple of two, forty times: a key, a size, and attributes."""
    deep = b"K\x01" + b"q\x00h\x00\x86" * 40
    as_a_key = tensor_pickle().replace(b"\x80\x02}", b"\x80\x02}" + deep + b"K\x01s", 1)
    assert open_checkpoint(write(tmp_path, "w.pt", archive_of(as_a_key, _0=bytes(24)))).weight("w").sum() == 0
    with pytest.raises(SubjectError, match="sets attributes of what has none"):
        open_checkpoint(write(tmp_path, "w.pt", archive_of(tensor_pickle()[:-1] + deep + b"b.", _0=bytes(24))))
    number = b"K\x06tQ"
    assert number in tensor_pickle()
    with pytest.raises(SubjectError, match="claims a storage of a tuple numbers"):
        open_checkpoint(
            write(tmp_path, "w.pt", archive_of(tensor_pickle().replace(number, deep + b"tQ"), _0=bytes(24)))
        )
