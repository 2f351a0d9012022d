"""What is registered is documented, and what is documented is there: docs/REFERENCE.md against the program."""

import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pruning_explorer import Recipe
from pruning_explorer.cli import main
from pruning_explorer.prune.recipe_settings import SETTINGS
from pruning_explorer.ui import query
from pruning_explorer.ui.learn.state import VIEWS
from tests.reference import REFERENCE, TABLE, TABLES, written_anew

TEXT = REFERENCE.read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of every table below a heading, without the lines that name columns."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", TEXT, flags=re.DOTALL | re.MULTILINE)
    assert found is not None, heading
    lines = [line.strip("| \n").split(" | ") for line in found[1].splitlines() if line.startswith("| ")]
    separators = [number for number, line in enumerate(lines) if line[0] == "---"]
    heads = {number - 1 for number in separators}
    return [line for number, line in enumerate(lines) if number not in heads and line[0] != "---"]


def names(heading: str, column: int = 0) -> list[str]:
    return [row[column].strip("`") for row in rows(heading) if row[column].startswith("`")]


def keys(value: Any, path: str = "", closed: tuple[str, ...] = ()) -> Iterator[str]:
    """``totals.cost.macs_dense``, ``layers[].target`` ...: every key in a JSON value, but what lies in the closed."""
    if isinstance(value, dict) and path not in closed:
        for name, each in value.items():
            here = f"{path}.{name}" if path else name
            yield here
            yield from keys(each, here, closed)
    elif isinstance(value, list):
        for each in value:
            yield from keys(each, f"{path}[]", closed)


def printed(*arguments: str) -> Any:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(list(arguments)) == 0
    return json.loads(out.getvalue())


def test_every_table_of_what_is_declared_is_there_and_as_it_is_declared_now() -> None:
    assert [found[2] for found in TABLE.finditer(TEXT)] == sorted(TABLES, key=lambda name: TEXT.index(f": {name} -->"))
    assert written_anew(TEXT) == TEXT, "run: python -m tests.reference"


def test_every_row_says_something() -> None:
    for found in re.finditer(r"^\| `.*$", TEXT, flags=re.MULTILINE):
        name, meaning, *_ = found[0].strip("| ").split(" | ")
        assert meaning.strip(), name


def test_a_recipe_has_the_documented_fields_and_no_others() -> None:
    documented = names("The recipe")
    assert sorted(documented) == sorted(each.name for each in fields(Recipe))


def test_an_address_has_the_documented_parts_and_no_others() -> None:
    documented: dict[str, set[str]] = {}
    for page, part, *_ in rows("Addresses"):
        if part.startswith("`"):
            documented.setdefault(page, set()).add(part.strip("`"))
    assert documented == {
        "Explore": query.EXPLORE - set(SETTINGS),
        "Compare": query.COMPARE,
        "Learn": query.LEARN,
        "Models": query.MODELS,
    }
    assert all(f"`{part}" in TEXT for part in query.OF_ANY_PAGE)
    views = next(meaning for _, part, meaning in rows("Addresses") if part == "`view`")
    assert set(re.findall(r"`(\w+)`", views)) == set(VIEWS) - {"lessons"}


def test_the_reports_json_has_the_documented_keys_and_no_others() -> None:
    content = printed("report", "digits-mlp", "--within", "5", "--json")
    assert set(keys(content, closed=("recipe",))) == set(names("JSON of `report`"))
    assert set(content["recipe"]) == set(names("The recipe"))


def test_the_comparisons_json_has_the_documented_keys_and_no_others(tmp_path: Path) -> None:
    for name, recipe in {"a": Recipe(amount=0.8), "b": Recipe("random", amount=0.8)}.items():
        (tmp_path / f"{name}.json").write_text(recipe.to_json())
    files = [word for name in "ab" for word in ("--recipe", str(tmp_path / f"{name}.json"))]
    content = printed("compare", "digits-mlp", *files, "--amounts", "0.5", "--json")
    found = set(keys(content, closed=("recipes[].recipe", "unread")))
    of_report = names("JSON of `report`")
    shared = {
        name.replace("quality[]", "classes[]") for name in of_report if name.startswith(("layers[]", "quality[]"))
    }
    assert found == {*names("JSON of `compare`"), *shared}
    assert {row["measure"] for row in content["table"]} == set(names("Measures"))
    assert set(content["recipes"][0]["recipe"]) == set(names("The recipe"))


@pytest.mark.parametrize("heading", ["Criteria", "Granularities", "Scopes", "Allocations", "Schedules"])
def test_every_choice_can_be_read_as_it_is_written_here(heading: str) -> None:
    field = {"Criteria": "criterion", "Granularities": "granularity"}.get(heading, heading[:-1].lower())
    assert names(heading)
    for name in names(heading):
        assert str(getattr(Recipe.from_dict({field: name}), field)).partition(":")[0] == name
