"""A pruned network goes out of a terminal as it does from the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from pruning_explorer import Recipe, compute_masks, load_subject
from pruning_explorer.cli import main
from pruning_explorer.exports.contents import WHATS
from pruning_explorer.prune.cache import ALL_CACHES
from pruning_explorer.sources.networks import DigitsMLP


@pytest.fixture(autouse=True)
def _cache_as_it_was() -> Iterator[None]:
    limit = ALL_CACHES.limit
    yield
    ALL_CACHES.set_limit(limit)


def test_flags_and_a_recipe_file_say_what_is_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "r.json"
    recipe.write_text(Recipe(scope="global", amount=0.2).to_json())
    out = tmp_path / "out.safetensors"
    told = ["export", "digits-mlp", "--recipe", str(recipe), "--amount", "0.8", "--as", "masks", "--out", str(out)]
    assert main(told) == 0
    wanted = Recipe(scope="global", amount=0.8)
    masks = compute_masks(load_subject("digits-mlp"), wanted)
    found = load_file(out)
    assert found.keys() == masks.keys()
    assert all(bool((found[name] == masks[name]).all()) for name in masks)
    with safe_open(out, "pt") as file:
        assert Recipe.from_json(file.metadata()["pruning_explorer.recipe"]) == wanted
    printed = capsys.readouterr()
    assert f"{out} will take {out.stat().st_size / 1024:.1f} KiB" in printed.err
    assert f"{out}: {out.stat().st_size:,} bytes, 3 tensors (masks) of digits-mlp, magnitude x element x global, " in (
        printed.out
    )
    assert "safetensors.torch opened it again: every bit is as computed. In plain torch:" in printed.out


def test_what_is_printed_loads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", "digits-mlp", "--out", "it's.pt"]) == 0
    lines = capsys.readouterr().out.partition("In plain torch:\n")[2]
    model = DigitsMLP()
    exec(lines, {"model": model})
    assert int((model.fc1.weight == 0).sum()) == 64 * 300 // 2


def test_a_file_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x.pt"
    out.write_text("mine")
    assert main(["export", "tutorial-mlp", "--out", str(out)]) == 2
    assert f"{out} is there already; name another file, or write --overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main(["export", "tutorial-mlp", "--out", str(out), "--overwrite"]) == 0
    assert out.read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("out", "reason"),
    [("x.bin", "has no ending that says what to write"), ("no/x.pt", "there is no folder"), (".", "it is a folder")],
)
def test_what_cannot_be_written_is_said_in_one_line(
    out: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "tutorial-mlp", "--out", str(tmp_path / out)]) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_help_says_what_can_be_saved(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for name, what in WHATS.items():
        assert f"{name}: {what}" in shown
