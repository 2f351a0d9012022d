"""The terminal says what the package says, and what it cannot do it says in one line."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pruning_explorer import Recipe, build_report, compute_masks, load_subject, most_within, sample_names, write_script
from pruning_explorer.cli import main
from pruning_explorer.cli.parser import make_parser
from pruning_explorer.cli.recipe_flags import read_recipe
from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.recipe_settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent


def recipe_of(*flags: str) -> Recipe:
    arguments = ["report", "tutorial-mlp", *flags]
    return read_recipe(make_parser(arguments).parse_args(arguments))


def refuse_constant(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


@pytest.mark.parametrize(
    ("flags", "recipe"),
    [
        ((), Recipe()),
        (("--amount", "0.8", "--scope", "global"), Recipe(amount=0.8, scope="global")),
        (("--amount", "1"), Recipe(amount=1.0)),
        (("--granularity", "channel:dim=1,n=-inf"), Recipe(granularity="channel:dim=1,n=-inf")),
        (("--criterion", "random", "--seed", "7"), Recipe(criterion="random", seed=7)),
        (("--embeddings", "--biases", "--norms", "--cap", "0.9"),
         Recipe(embeddings=True, biases=True, norms=True, cap=0.9)),
        (("--target", "fc1.weight", "--target", "fc2.weight"), Recipe(targets=("fc1.weight", "fc2.weight"))),
        (("--layer-amount", "fc1.weight=0.25", "--freeze", "fc2.weight"),
         Recipe(amounts={"fc1.weight": 0.25}, frozen=("fc2.weight",))),
    ],
)  # fmt: skip
def test_flags_make_a_recipe(flags: tuple[str, ...], recipe: Recipe) -> None:
    assert recipe_of(*flags) == recipe


def test_flags_go_before_a_recipe_file(tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(Recipe(amount=0.3, biases=True, seed=3).to_json())
    assert recipe_of("--recipe", str(file)) == Recipe(amount=0.3, biases=True, seed=3)
    assert recipe_of("--recipe", str(file), "--amount", "0.6", "--no-biases") == Recipe(amount=0.6, seed=3)


def test_a_file_larger_than_any_recipe_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "recipe.json").open("wb") as file:
        file.truncate(1 << 40)  # of which the disk holds nothing
    with pytest.raises(RecipeError, match="a recipe has at most 1,048,576"):
        recipe_of("--recipe", str(tmp_path / "recipe.json"))


def test_a_name_of_a_layer_may_have_an_equals_sign() -> None:
    assert recipe_of("--layer-amount", "width=4.weight=0.25").amounts == {"width=4.weight": 0.25}


@pytest.mark.parametrize("command", ["report", "code"])
def test_every_setting_is_a_flag_with_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    help_text = " ".join(capsys.readouterr().out.split())
    for setting in SETTINGS.values():
        assert f"--{setting.name.replace('_', '-')} " in help_text
        assert setting.help in help_text


def test_json_is_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "tutorial-mlp", "--amount", "0.2", "--scope", "global", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out, parse_constant=refuse_constant)
    subject, recipe = load_subject("tutorial-mlp"), Recipe(amount=0.2, scope="global")
    assert Recipe.from_dict(printed.pop("recipe")) == recipe
    assert printed == build_report(subject, compute_masks(subject, recipe)).to_dict()


@pytest.mark.parametrize("name", sample_names())
def test_a_report_fits_a_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", name, "--amount", "0.5"]) == 0
    printed = capsys.readouterr().out
    subject = load_subject(name)
    assert max(map(len, printed.splitlines())) <= 100
    assert "nan" not in printed
    assert f"recipe {Recipe().id}" in printed
    assert all(target.name in printed for target in subject.targets if target.role == "weight")
    assert (subject.labels is not None) == ("95 % Wilson" in printed)


def test_a_report_says_requested_beside_achieved(capsys: pytest.CaptureFixture[str]) -> None:
    # 0.3 of the 20 and the 12 weights: 6 and round(3.6) = 4 go, 10 of 32
    assert main(["report", "tutorial-mlp", "--amount", "0.3"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "30.0 % requested, 31.2 % achieved: 10 of 32 weights in 2 targets" in printed


def test_a_report_names_what_its_method_passes_over(capsys: pytest.CaptureFixture[str]) -> None:
    main(["report", "digits-gru", "--criterion", "apoz"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "Left dense, because the method cannot be used on them: gru.weight_ih_l0: apoz: its products are" in printed
    main(["report", "digits-gru", "--criterion", "wanda"])
    assert "Left dense" not in capsys.readouterr().out


def test_code_is_the_recipes_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["code", "digits-cnn", "--amount", "0.7"]) == 0
    assert capsys.readouterr().out.strip() == write_script(load_subject("digits-cnn"), Recipe(amount=0.7)).strip()


def test_subjects_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["subjects"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(sample_names())
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["prune"], "invalid choice: 'prune'"),
        (["report"], "SUBJECT"),
        (["report", "digits-cn"], "did you mean 'digits-cnn'?"),
        (["report", "digits-cnn", "--amount", "50"], "amount 50 is outside [0, 1]; 0.5 removes 50 %"),
        (["report", "digits-cnn", "--amount", "half"], "amount must be a number, not 'half'"),
        (["report", "digits-cnn", "--seed", "1.5"], "seed must be"),
        (["report", "digits-cnn", "--criterion", "size"], "unknown criterion 'size'"),
        (["report", "digits-cnn", "--scope", "all"], "unknown scope 'all'"),
        (["report", "digits-cnn", "--target", "conv9.weight"], "no parameter 'conv9.weight'"),
        (["report", "digits-cnn", "--layer-amount", "conv1.weight"], "write it as conv1.weight=0.3"),
        (["report", "digits-cnn", "--layer-amount", "conv1.weight=2"], "amount 2 is outside [0, 1]"),
        (["report", "digits-cnn", "--recipe", "nowhere.json"], "nowhere.json cannot be read"),
        (["report", "digits-cnn", "--within", "one"], "--within must be a number of points, not 'one'"),
        (["report", "digits-cnn", "--within", "1", "--amount", "0.5"], "leave --amount out"),
        (["report", "digits-cnn", "--within", "101"], "101 points is outside [0, 100]"),
        (["report", "digits-cnn", "--sparsity", "0.5"], "unrecognized arguments: --sparsity 0.5"),
    ],
)
def test_what_makes_no_sense_is_one_line_on_stderr(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(arguments)
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert problem in printed.err
    assert printed.err.count("\n") == 1


def test_help_waits_for_no_torch() -> None:
    code = "import sys; from pruning_explorer.cli.parser import make_parser; make_parser(['--help']).format_help();"
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("words", ["report digits-cnn", "report adder-transformer --criterion wanda", "subjects"])
def test_numbers_wait_for_no_compiler(words: str) -> None:
    code = (
        f"import sys; from pruning_explorer.cli import main; main({words.split()!r});"
        "heavy = {'torch._dynamo', 'torch._inductor', 'sympy', 'torch_pruning', 'transformers', 'plotly'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "pruning_explorer", "--help"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert all(word in ran.stdout for word in ("report", "code", "subjects"))
    assert isinstance(make_parser([]), argparse.ArgumentParser)


def test_within_finds_the_amount_and_reports_on_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "digits-cnn", "--within", "1", "--scope", "global", "--json"]) == 0
    content = json.loads(capsys.readouterr().out, parse_constant=refuse_constant)
    found = most_within(load_subject("digits-cnn"), Recipe(scope="global"), 1.0)
    assert content["within"] == found.to_dict()
    assert content["recipe"]["amount"] == found.amount
    quality = content["totals"]["quality"]
    assert 100 * (quality["dense"] - quality["pruned"]) == pytest.approx(found.cost)
    assert main(["report", "digits-cnn", "--within", "1", "--scope", "global"]) == 0
    assert capsys.readouterr().out.startswith(f"{100 * found.amount:.1f} % can go for at most 1 point of accuracy: ")
