"""Networks of one's own in a terminal: the same words, and the same figures as from Python."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pruning_explorer import Recipe, build_report, compute_masks, load_subject
from pruning_explorer.cli import main
from tests.sources.exported_files import tiny_program

FACTORY = """
import torch
from torch import nn

print("imported")

def net():
    print("called")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    return {"model": model, "samples": torch.randn(40, 3), "labels": torch.arange(40) % 2, "score": on_its_side}

def on_its_side(logits, labels):
    return logits.argmax(dim=-1) == labels

def broken():
    raise OSError("the disk\\nis full")
"""

Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with networks of one's own, and two recipes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "terminal_nets.py").write_text(FACTORY)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    save_file({**model.state_dict(), "steps": torch.tensor([7])}, tmp_path / "net.safetensors")
    torch.save(model, tmp_path / "whole.pt")
    tiny_program(tmp_path / "tiny.pt2")
    (tmp_path / "plain.json").write_text(Recipe(amount=0.5).to_json())
    (tmp_path / "all.json").write_text(Recipe(amount=0.5, scope="global").to_json())
    yield tmp_path
    sys.modules.pop("terminal_nets", None)


def printed_by(capsys: Printed, *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def strict_json(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


WORDS = ("net.safetensors", "terminal_nets:net", "tiny.pt2")


@pytest.mark.parametrize("words", WORDS)
def test_json_is_the_report(words: str, capsys: Printed) -> None:
    report = strict_json(printed_by(capsys, "report", words, "--amount", "0.4", "--json"))
    subject, recipe = load_subject(words), Recipe(amount=0.4)
    assert Recipe.from_dict(report.pop("recipe")) == recipe
    assert report == build_report(subject, compute_masks(subject, recipe)).to_dict()


@pytest.mark.parametrize("words", WORDS)
def test_what_it_is_made_of_is_told_before_anything_is_pruned(words: str, capsys: Printed) -> None:
    lines = printed_by(capsys, "subjects", words).splitlines()
    subject = load_subject(words)
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith(f"{subject.name}: {subject.about[:20]}")
    for target in subject.targets:
        shape = "x".join(map(str, target.shape))
        assert any(line.split()[0] == target.name and shape in line for line in lines if line), target.name
    for name, why in subject.refused.items():
        assert any(line.startswith(f"{name}: {why[:20]}") for line in lines), name


def test_a_checkpoint_lists_what_it_does_not_offer(capsys: Printed) -> None:
    printed = printed_by(capsys, "subjects", "net.safetensors")
    assert "2 layers can be pruned, 4 with embeddings, biases and norms" in " ".join(printed.split())
    assert "\nsteps: " in printed.partition("Not offered:")[2]


def test_a_checkpoint_is_reported_without_outputs(capsys: Printed) -> None:
    printed = printed_by(capsys, "report", "net.safetensors", "--amount", "0.5")
    # 12 of 24 and 8 of 16
    assert "20 of 40 weights in 2 targets" in printed
    assert "Outputs need the network itself" in " ".join(printed.split())
    assert "KL(" not in printed
    assert "nan" not in printed


def test_a_metric_of_ones_own_is_named(capsys: Printed) -> None:
    printed = printed_by(capsys, "report", "terminal_nets:net", "--amount", "0.5")
    assert "Quality        on its side " in printed
    assert "Sequential that terminal_nets:net makes." in printed


def test_a_script_loads_the_network_that_was_pruned(capsys: Printed) -> None:
    code = printed_by(capsys, "code", "terminal_nets:net", "--amount", "0.5")
    scope: dict[str, Any] = {}
    exec(code, scope)
    masks = compute_masks(load_subject("terminal_nets:net"), Recipe(amount=0.5))
    assert torch.equal(scope["model"][0].weight_mask.bool(), masks["0.weight"])
    # A checkpoint has no network to load, so whoever runs the script has to bring it
    code = printed_by(capsys, "code", "net.safetensors", "--amount", "0.5")
    assert "`model` is the network that these weights belong to" in code
    compile(code, "script", "exec")


@pytest.mark.parametrize("words", ["terminal_nets:net", "net.safetensors"])
def test_recipes_are_compared(words: str, capsys: Printed) -> None:
    recipes = ("--recipe", "plain.json", "--recipe", "all.json", "--amounts", "0.5")
    found = strict_json(printed_by(capsys, "compare", words, *recipes, "--json"))
    assert [each["name"] for each in found["recipes"]] == ["plain", "all"]
    assert all(each["problem"] is None for each in found["recipes"])
    text = printed_by(capsys, "compare", words, *recipes)
    assert max(map(len, text.splitlines())) <= 100
    assert ("On its side" in text) == (words == "terminal_nets:net")
    assert ("without samples" in text) == (words == "net.safetensors")


def test_samples_of_ones_own(folder: Path, capsys: Printed) -> None:
    generator = np.random.default_rng(0)
    np.savez(folder / "held_out.npz", x=generator.standard_normal((9, 3), dtype=np.float32), labels=np.arange(9) % 2)
    for words in ("terminal_nets:net", "tiny.pt2"):
        report = strict_json(printed_by(capsys, "report", words, "--samples", "held_out.npz", "--json"))
        assert report["totals"]["drift"]["samples"] == 9
        assert report["totals"]["quality"] is not None
    assert main(["report", "net.safetensors", "--samples", "held_out.npz"]) == 2
    assert "known by its weights alone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nowhere.safetensors", "there is no file nowhere.safetensors"),
        ("terminal_nets:nett", "terminal_nets has no nett; did you mean net?"),
        ("terminal_nets:broken", "terminal_nets:broken raised OSError: is full (terminal_nets.py, line 17)"),
        ("nets_of_nobody:net", "there is no module nets_of_nobody"),
        ("hf:./nowhere", "there is no config.json in ./nowhere"),
        (
            "whole.pt",
            "model = torch.load('whole.pt', map_location='cpu', weights_only=False); torch.save(model.state_dict(), ",
        ),
    ],
)
@pytest.mark.parametrize("command", ["report", "subjects", "code", "compare"])
def test_what_cannot_be_had_is_one_line(command: str, words: str, said: str, capsys: Printed) -> None:
    recipes = ["--recipe", "plain.json", "--recipe", "all.json"] if command == "compare" else []
    assert main([command, words, *recipes]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    # What the code of somebody else prints comes before it
    assert said in printed.err.splitlines()[-1]
    assert [line for line in printed.err.splitlines() if line != "imported"] == [printed.err.splitlines()[-1]]


def test_a_whole_command(folder: Path) -> None:
    """In a process of its own, and in a folder that is not the program's."""
    done = subprocess.run(
        [sys.executable, "-m", "pruning_explorer", "report", "terminal_nets:net", "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert strict_json(done.stdout)["quality_name"] == "on its side"
    assert done.stderr.splitlines() == ["imported", "called"]
