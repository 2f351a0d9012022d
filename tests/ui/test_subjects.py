"""What the operator's networks are called: by the last part of a path, and never two the same."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pruning_explorer.app_options import Asked
from pruning_explorer.errors import SubjectError
from pruning_explorer.ui import subjects
from pruning_explorer.ui.subjects import name_apart, open_for_all, opened_by


@pytest.mark.parametrize(
    ("name", "words", "taken", "apart"),
    [
        ("net", "runs/second/net.pt2", {}, "net"),
        ("net", "runs/second/net.pt2", {"net"}, "second/net"),
        ("net", "/runs/second/net.pt2", {"net", "second/net"}, "runs/second/net"),
        ("net", "/net.pt2", {"net"}, "net (2)"),
        ("net", "net.pt2", {"net", "net (2)"}, "net (3)"),
        ("bert", "hf:./one/bert/", {"bert"}, "one/bert"),
        ("llama", "one/llama/model.safetensors.index.json", {"llama"}, "one/llama"),
        ("pets", "mine:pets", {"pets"}, "pets (2)"),
    ],
)
def test_as_many_folders_as_tell_two_names_apart(name: str, words: str, taken: set[str], apart: str) -> None:
    assert name_apart(name, words, taken) == apart


def test_two_files_of_one_name_are_both_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "_OPERATORS", {})
    monkeypatch.setattr(subjects, "_ASKED", {})
    files = [tmp_path / run / "model.safetensors" for run in ("first", "second", "third")]
    for file in files:
        file.parent.mkdir()
        save_file({"fc.weight": torch.ones(4, 3)}, file)
    one, two = (open_for_all(Asked(str(file))).name for file in files[:2])
    assert (one, two) == ("model.safetensors", "second/model.safetensors")
    assert open_for_all(Asked(str(files[2]), name="mine")).name == "mine"
    assert [opened_by(name) for name in (one, two, "mine", "digits-cnn")] == [*map(str, files), ""]
    for taken in ("mine", "digits-cnn"):
        with pytest.raises(SubjectError, match=f"a network called {taken} already; give this one another --name"):
            open_for_all(Asked(str(files[0]), name=taken))
