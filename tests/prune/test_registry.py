"""A criterion, a granularity and a source of one's own, in a package of one's own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import ScoreError
from pruning_explorer.prune.criteria import CRITERIA, Criterion
from tests.foreign_package import FOREIGN, install

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def foreign(tmp_path: Path) -> Run:
    """Run Python where the package of others is installed."""
    install(tmp_path)

    def run(*arguments: str, more: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        if more:
            install(tmp_path, more)
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_what_another_package_offers_is_used_like_our_own(
    foreign: Run,
) -> None:
    done = foreign(
        *("-m", "pruning_explorer", "report", "digits-mlp", "--criterion", "from-the-end"),
        *("--granularity", "every-nth:step=8", "--amount", "0.5", "--scope", "global", "--json"),
    )
    assert done.returncode == 0, done.stderr
    recipe = json.loads(done.stdout)["recipe"]
    assert (recipe["criterion"], recipe["granularity"]) == ("from-the-end", "every-nth:step=8,loud=false")
    help_text = foreign("-m", "pruning_explorer", "report", "--help").stdout
    assert "from-the-end" in help_text
    assert "Weights at equal distances go together." in " ".join(help_text.split())
    assert "step: How far apart." in " ".join(help_text.split())


def test_a_source_of_ones_own_is_asked_by_its_prefix(
    foreign: Run,
) -> None:
    done = foreign("-m", "pruning_explorer", "subjects", "zoo:line")
    assert done.returncode == 0, done.stderr
    assert ["0.weight", "Linear", "weight", "4x6"] in [line.split()[:4] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("first", ["foreign_package", "pruning_explorer.prune.criteria"])
def test_either_package_may_be_imported_first(first: str, foreign: Run) -> None:
    code = f"import {first}; from pruning_explorer.prune.criteria import CRITERIA; print('from-the-end' in CRITERIA)"
    done = foreign("-c", code)
    assert (done.stdout.strip(), done.stderr) == ("True", "")


def test_what_cannot_be_used_is_left_out_with_a_word(foreign: Run) -> None:
    problems = {
        f"{FOREIGN}:nothing": f"{FOREIGN}:nothing cannot be imported: AttributeError",
        "not_there:X": "not_there:X cannot be imported: ModuleNotFoundError",
        f"{FOREIGN}:SCORES": f"{FOREIGN}:SCORES is function; let it be Criterion",
        f"{FOREIGN}:TAKEN": "there is one called 'magnitude' already",
        f"{FOREIGN}:ODD": "it is called 'a:b=c'; let its name be lower-case letters",
    }
    bad = "\n".join(f"bad-{i} = {value}" for i, value in enumerate(problems))
    code = "from pruning_explorer.prune.criteria import CRITERIA; print(len(CRITERIA), 'from-the-end' in CRITERIA)"
    done = foreign("-c", code, more={"pruning_explorer.criteria": f"from-the-end = {FOREIGN}:FROM_THE_END\n{bad}"})
    assert done.stdout.split() == [str(len(CRITERIA.built_in) + 1), "True"], done.stderr
    told = " ".join(done.stderr.split())
    for i, problem in enumerate(problems.values()):
        assert f"bad-{i} of {FOREIGN} is left out of pruning_explorer.criteria: {problem}" in told


@pytest.mark.parametrize(
    ("score", "problem"),
    [
        (lambda scoring, target: 1 / 0, r"criterion mine failed on 0\.weight: ZeroDivisionError: division by zero"),
        (lambda scoring, target: None, r"criterion mine gave NoneType for 0\.weight; it must give a tensor \[3, 4\]"),
        (lambda scoring, target: torch.ones(3), r"gave \[3\] for 0\.weight; it must give a tensor \[3, 4\], one score"),
    ],
)
def test_a_criterion_that_fails_says_so(
    score: Callable[..., object], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CRITERIA, "mine", Criterion("mine", "Mine", "…", score))
    subject = Subject.from_module(torch.nn.Sequential(torch.nn.Linear(4, 3)))
    with pytest.raises(ScoreError, match=problem):
        compute_masks(subject, Recipe("mine"))
