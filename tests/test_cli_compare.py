"""`compare` in a terminal says what compare() says, of every recipe that can be measured."""

import json
import math
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, Subject, compare, compute_masks, load_subject
from pruning_explorer.cli import main
from pruning_explorer.cli.comparison_text import write_comparison
from pruning_explorer.cli.parser import make_parser
from pruning_explorer.cli.recipe_flags import read_recipe
from pruning_explorer.comparison_file import comparison_html
from pruning_explorer.figures.comparison_table import table_frame
from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.recipe_settings import SCOPES
from pruning_explorer.prune.schedule import SCHEDULES

FOUR = {
    "plain": Recipe(amount=0.8),
    "all-together": Recipe(amount=0.8, scope="global"),
    "dice": Recipe(amount=0.8, criterion="random"),
    "whole-channels-with-a-very-long-name-indeed": Recipe(amount=0.6, granularity="channel", schedule="cubic:steps=3"),
}
TWO = {"plain": FOUR["plain"], "all-together": FOUR["all-together"]}
AMOUNTS = (0.5, 0.75, 1.0)

Printed = pytest.CaptureFixture[str]


def command(folder: Path, subject: str, recipes: Mapping[str, Recipe | str], *flags: str) -> list[str]:
    arguments = ["compare", subject]
    for name, recipe in recipes.items():
        file = folder / f"{name}.json"
        file.write_text(recipe if isinstance(recipe, str) else recipe.to_json())
        arguments += ["--recipe", str(file)]
    return [*arguments, "--amounts", ",".join(map(str, AMOUNTS)), *flags]


def strict_json(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", ["spirals-mlp", "tutorial-mlp", "digits-cnn"])
def test_a_comparison_fits_a_terminal(name: str, tmp_path: Path, capsys: Printed) -> None:
    assert main(command(tmp_path, name, FOUR)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert max(map(len, printed.out.splitlines())) <= 100
    assert "nan" not in printed.out.lower().split()
    subject = load_subject(name)
    for each in (*FOUR.values(), *(target for target in subject.targets if target.role == "weight")):
        assert (each.id if isinstance(each, Recipe) else each.name) in printed.out
    for words in ("Side by side", "Sparsity by layer:", "Over amounts", "Agreement of the masks", "Hardest first"):
        assert words in " ".join(printed.out.split())
    assert ("by class" in printed.out) == (subject.labels is not None)
    assert "C: medians of 5 seeds" in " ".join(printed.out.split())


def test_the_widest_numbers_fit_a_terminal() -> None:
    recipes = {f"{'long name ' * 4}{number}": recipe for number, recipe in enumerate(FOUR.values())}
    found = compare(load_subject("digits-cnn"), recipes, AMOUNTS)
    table = found.table.assign(value=0.99999, low=0.9999, high=0.99999, dense=0.99999, verdict="best")
    widest = {"nats": (0.000834, 0.000834, 0.000999), "dB": (-math.inf, -102.34, 102.34), "count": (1e7, 1e7, 1e7)}
    for unit, values in widest.items():
        table.loc[table["unit"] == unit, ["value", "low", "high"]] = values
    for point in (point for curve in found.job.curves for point in curve.points):
        point.update(compression=9.9999, quality=0.99999, kl_nats=0.000123)
    vars(found)["table"] = table  # which is else computed
    written = write_comparison(found, {"x" * 60: "y " * 90})
    assert max(map(len, written.splitlines())) <= 100
    for words in ("0.000834–0.000999", "−102.3 to 102.3", "no signal left  ", ">99.9 0.000123", "10.0 M best"):
        assert words in written


def test_a_network_of_one_output_has_no_answers_to_flip() -> None:
    torch.manual_seed(0)
    subject = Subject.from_module(nn.Linear(6, 1), samples=torch.randn(8, 6), name="one-number")
    written = write_comparison(compare(subject, TWO, AMOUNTS), {})
    assert "SQNR" in written
    assert "Hardest first" not in written
    assert "Agreement with dense" not in written
    assert "nan" not in written


def test_the_best_and_its_tie_are_said_in_words(tmp_path: Path, capsys: Printed) -> None:
    recipes = {"one": Recipe(amount=0.25), "half": Recipe(amount=0.5), "same": Recipe(amount=0.5, seed=1)}
    assert main(command(tmp_path, "tutorial-mlp", recipes)) == 0
    lines = capsys.readouterr().out.splitlines()
    # 0.25 of 20 and of 12 weights: 8 of 32 go, and 7 biases stay; 0.5: 16 go
    (left,) = [line.split() for line in lines if line.startswith("Parameters left")]
    assert left[2:] == ["39", "31", "23", "best", "at", "23", "tie"]
    (layer,) = [line.split() for line in lines if line.startswith("fc1.weight")]
    assert layer[1:] == ["4x5", "20", "25.0", "%", "50.0", "%", "50.0", "%"]


def test_json_is_the_comparison(tmp_path: Path, capsys: Printed) -> None:
    assert main(command(tmp_path, "spirals-mlp", TWO, "--json")) == 0
    printed = strict_json(capsys.readouterr().out)
    found = compare(load_subject("spirals-mlp"), TWO, AMOUNTS)
    assert [Recipe.from_dict(each["recipe"]) for each in printed["recipes"]] == list(TWO.values())
    assert [each["problem"] for each in printed["recipes"]] == [None, None]
    for name in ("table", "layers", "classes", "agreement", "curves"):
        rows = pd.DataFrame(printed[name])
        expected = getattr(found, name)
        assert list(rows.columns) == list(expected.columns)
        for column in expected.select_dtypes("number"):
            finite = expected[column].where(np.isfinite(expected[column]))
            np.testing.assert_array_equal(rows[column].astype(float), finite.astype(float))
    assert printed["exemplars"][0]["sample"] == found.exemplars["sample"].iloc[0]


def test_csv_holds_the_numbers_of_compare(tmp_path: Path, capsys: Printed) -> None:
    table, curves = tmp_path / "out.csv", tmp_path / "out-curves.csv"
    assert main(command(tmp_path, "digits-cnn", FOUR, "--csv", str(table))) == 0
    assert capsys.readouterr().err.splitlines() == [f"{table} was written", f"{curves} was written"]
    found = compare(load_subject("digits-cnn"), FOUR, AMOUNTS)
    expected = table_frame(found.table)
    pd.testing.assert_frame_equal(pd.read_csv(table), pd.read_csv(StringIO(expected.to_csv(index=False))))
    written = pd.read_csv(curves)
    assert len(written) == len(AMOUNTS) * (3 + 5)
    assert set(written["recipe"]) == {f"{letter} · {name}" for letter, name in zip("ABCD", FOUR, strict=True)}
    numbers = [column for column in written.columns if column != "recipe"]
    pd.testing.assert_frame_equal(written[numbers], found.curves[numbers], check_dtype=False)


def test_html_is_the_page_of_the_comparison(tmp_path: Path, capsys: Printed) -> None:
    out = tmp_path / "out.html"
    assert main(command(tmp_path, "tutorial-mlp", TWO, "--html", str(out))) == 0
    assert capsys.readouterr().err == f"{out} was written\n"
    assert out.read_text(encoding="utf-8") == comparison_html(compare(load_subject("tutorial-mlp"), TWO, AMOUNTS))


def test_a_bad_recipe_beside_good_ones_is_told_and_the_others_go_on(tmp_path: Path, capsys: Printed) -> None:
    recipes = {
        "plain": FOUR["plain"],
        "unknown": '{"criterion": "size"}',
        "misfit": Recipe(targets=("conv1.weight",)),
        "broken": "{",
    }
    assert main(command(tmp_path, "tutorial-mlp", recipes)) == 0
    printed = capsys.readouterr()
    first, second, third = printed.err.splitlines()
    assert "unknown: unknown criterion 'size'" in first
    assert "broken: this is not JSON" in second
    assert "misfit: " in third
    assert "conv1.weight" in third
    out = " ".join(printed.out.split())
    assert "A · plain Magnitude; amount 80.0 %" in out
    assert "B · misfit" in out
    assert "– · unknown not measured: unknown criterion 'size'" in out
    assert max(map(len, printed.out.splitlines())) <= 100


def test_a_bad_recipe_is_in_the_json_too(tmp_path: Path, capsys: Printed) -> None:
    recipes = {"plain": FOUR["plain"], "misfit": Recipe(targets=("conv1.weight",)), "broken": "{"}
    assert main(command(tmp_path, "tutorial-mlp", recipes, "--json")) == 0
    printed = strict_json(capsys.readouterr().out)
    assert [each["problem"] is None for each in printed["recipes"]] == [True, False]
    assert list(printed["unread"]) == ["broken"]
    assert {row["recipe"] for row in printed["table"]} == {0}


def test_a_criterion_that_needs_labels_is_told_where_there_are_none(tmp_path: Path, capsys: Printed) -> None:
    recipes = {"plain": FOUR["plain"], "gradients": Recipe(criterion="gradient")}
    assert main(command(tmp_path, "tutorial-mlp", recipes)) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "gradients: " in line
    assert "labels" in line


@pytest.mark.parametrize(
    "recipes",
    [
        {"broken": "{", "unknown": '{"criterion": "size"}'},
        {"one": Recipe(targets=("conv1.weight",)), "two": Recipe(targets=("conv2.weight",))},
    ],
)
def test_where_no_recipe_can_be_measured_the_command_fails(
    recipes: Mapping[str, Recipe | str], tmp_path: Path, capsys: Printed
) -> None:
    assert main(command(tmp_path, "tutorial-mlp", recipes)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 3


def test_files_of_one_name_are_told_apart(tmp_path: Path, capsys: Printed) -> None:
    for folder, recipe in (("a", FOUR["plain"]), ("b", FOUR["dice"])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "recipe.json").write_text(recipe.to_json())
    paths = [str(tmp_path / folder / "recipe.json") for folder in ("a", "b")]
    assert main(["compare", "tutorial-mlp", "--recipe", paths[0], "--recipe", paths[1], "--amounts", "0.5"]) == 0
    out = capsys.readouterr().out
    assert "A · recipe " in out
    assert "B · recipe (2)" in out


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ([], "takes 2 to 4 recipes, one --recipe FILE for each; there is one"),
        (["--recipe", "R"] * 4, "there are 5"),
        (["--recipe", "nowhere.json"], "nowhere.json cannot be read: No such file"),
        (["--recipe", "R", "--amounts", "0.5,50"], "amount 50 is outside [0, 1]; 0.5 removes 50 %"),
        (["--recipe", "R", "--amounts", "half"], "amount must be a number, not 'half'"),
        (["--recipe", "R", "--amounts", ","], "--amounts names no amount"),
        (["--recipe", "R", "--html", "nowhere/out.html"], "out.html cannot be written: there is no folder nowhere"),
        (["--recipe", "R", "--csv", "."], "cannot be written: it is a folder"),
        (["--recipe", "R", "--scores", "nowhere.npz"], "nowhere.npz cannot be read: No such file"),
        (["--recipe", "R", "--scores", "R"], "is neither a .safetensors nor an .npz file"),
        (["--recipe", "R", "--amount", "0.5"], "--amount"),
    ],
)
def test_what_makes_no_sense_is_one_line_on_stderr(
    flags: list[str], problem: str, tmp_path: Path, capsys: Printed
) -> None:
    file = tmp_path / "plain.json"
    file.write_text(FOUR["plain"].to_json())
    given = ["--recipe", str(file), *(str(file) if flag == "R" else flag for flag in flags)]
    try:
        code: object = main(["compare", "tutorial-mlp", *given])
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert problem in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("name", ["report", "compare", "code"])
def test_help_lists_all_there_is(name: str, capsys: Printed) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    printed = capsys.readouterr().out
    text = " ".join(printed.split())
    for criterion in CRITERIA.values():
        assert f" {criterion.name}" in text
        assert criterion.paper in text
    for choice in (*GRANULARITIES.values(), *SCOPES.values(), *ALLOCATIONS.values(), *SCHEDULES.values()):
        assert f" {choice.name}" in text
        assert choice.help in text
    assert max(map(len, printed.splitlines())) <= 100
    assert "%%" not in printed


def save(folder: Path, **tensors: Any) -> str:
    path = folder / "own.npz"
    np.savez(path, **tensors)
    return str(path)


def test_scores_of_ones_own_are_taken_and_named(tmp_path: Path, capsys: Printed) -> None:
    # The last of each row's five weights is worth least
    path = save(tmp_path, **{"fc1.weight": np.tile([5.0, 4.0, 3.0, 2.0, 1.0], (4, 1)).astype(np.float32)})
    flags = ["--scores", path, "--criterion", "scores", "--amount", "0.2", "--json"]
    assert main(["report", "tutorial-mlp", *flags]) == 0
    printed = capsys.readouterr()
    recipe = Recipe.from_dict(strict_json(printed.out)["recipe"])
    name = re.search(r"scores:file=[0-9a-f]{12}", printed.err)
    assert name is not None
    assert str(recipe.criterion) == name[0]
    mask = compute_masks(load_subject("tutorial-mlp"), recipe)["fc1.weight"]
    assert mask.tolist() == [[True] * 4 + [False]] * 4


def test_a_mask_of_ones_own_removes_what_it_removes(tmp_path: Path) -> None:
    kept = np.ones((4, 5), dtype=bool)
    kept[0, :3] = False
    arguments = ["report", "tutorial-mlp", "--scores", save(tmp_path, **{"fc1.weight": kept}), "--criterion", "mask"]
    recipe = read_recipe(make_parser(arguments).parse_args(arguments))
    assert compute_masks(load_subject("tutorial-mlp"), recipe)["fc1.weight"].tolist() == kept.tolist()


def test_a_recipe_without_a_file_takes_the_one_that_is_given(tmp_path: Path, capsys: Printed) -> None:
    path = save(tmp_path, **{"fc1.weight": np.ones((4, 5), dtype=np.float32)})
    recipes = {"plain": FOUR["plain"], "own": '{"criterion": "scores", "amount": 0.5}'}
    assert main(command(tmp_path, "tutorial-mlp", recipes, "--scores", path)) == 0
    assert "B · own" in capsys.readouterr().out
    assert main(command(tmp_path, "tutorial-mlp", recipes, "--scores", path, "--scores", path)) == 0
    assert "own: criterion scores could mean any of 2 files" in capsys.readouterr().err


def test_own_scores_of_another_shape_leave_the_others_alone(tmp_path: Path, capsys: Printed) -> None:
    path = save(tmp_path, **{"fc1.weight": np.ones((5, 4), dtype=np.float32)})
    recipes = {"plain": FOUR["plain"], "own": '{"criterion": "scores"}'}
    assert main(command(tmp_path, "tutorial-mlp", recipes, "--scores", path)) == 0
    printed = capsys.readouterr()
    assert "(5, 4)" in printed.err
    assert "(4, 5)" in printed.err
    assert "A · plain" in printed.out
