"""A parameter is declared once; text that a person writes is read by that declaration."""

import math

import pytest

from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.recipe_settings import SETTINGS
from pruning_explorer.prune.registry import Choices
from pruning_explorer.prune.settings import Choice, Setting, Value, format_value

KINDS = Choices(
    "kind",
    Choice,
    (
        Choice("plain", "Plain", "Nothing to set."),
        Choice("n_m", "N:M", "…", settings=(Setting("n", "N", "kept", 2, 1, 16), Setting("m", "M", "of", 4, 2, 32))),
        Choice(
            "mixed",
            "Mixed",
            "…",
            settings=(
                Setting("p", "P", "power", 1.5),
                Setting("on", "On", "switch", False),
                Setting("how", "How", "word", "a"),
            ),
        ),
    ),
)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("amount", "0.25", 0.25),
        ("amount", " 1 ", 1.0),
        ("amount", "1e-3", 0.001),
        ("seed", "7", 7),
        ("biases", "true", True),
        ("biases", "No", False),
        ("norms", "1", True),
        ("criterion", " random ", "random"),
    ],
)
def test_parse(name: str, text: str, value: Value) -> None:
    read = SETTINGS[name].parse(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("amount", "half", "amount must be a number, not 'half'"),
        ("amount", "", "amount must be a number, not ''"),
        ("amount", "nan", "amount must be a number, not nan"),
        ("amount", "80", r"amount 80 is outside \[0, 1\]; 0\.8 removes 80 %"),
        ("amount", "-0.5", r"amount -0\.5 is outside \[0, 1\]$"),
        ("seed", "1.5", "seed must be a whole number, not '1.5'"),
        ("seed", "-1", "seed -1 is outside"),
        ("biases", "maybe", "biases must be true or false, not 'maybe'"),
    ],
)
def test_parse_refuses(name: str, text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        SETTINGS[name].parse(text)


def test_every_default_passes_its_own_check() -> None:
    for setting in (*SETTINGS.values(), *(setting for each in KINDS.values() for setting in each.settings)):
        assert setting.check(setting.default) == setting.default
        assert setting.parse(format_value(setting.default)) == setting.default
        assert setting.label
        assert setting.help


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2, "2"),
        (2.0, "2"),
        (0.1, "0.1"),
        (1 / 3, "0.3333333333333333"),
        (1234567.0, "1234567"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (True, "true"),
        ("a", "a"),
    ],
)
def test_values_are_written_one_way(value: Value, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("plain", "plain", {}),
        ("plain:", "plain", {}),
        ("n_m", "n_m", {"n": 2, "m": 4}),
        ("n_m:m=8", "n_m", {"n": 2, "m": 8}),
        ("n_m: m = 8 , n = 1", "n_m", {"n": 1, "m": 8}),
        ("mixed:on=yes,how=b,p=3", "mixed", {"p": 3.0, "on": True, "how": "b"}),
    ],
)
def test_a_choice_is_read_and_written(text: str, name: str, values: dict[str, Value]) -> None:
    read = KINDS.read(text)
    assert (read.name, read.values) == (name, values)
    assert KINDS.read(read) is read
    for again in (str(read), read.text(defaults=False), KINDS[name].under(values)):
        assert KINDS.read(again) == read
        assert KINDS.read(again).values == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("other", "^unknown kind 'other'; choose one of plain, n_m, mixed$"),
        ("", "^unknown kind ''; choose one of"),
        (":n=1", "^unknown kind ''"),
        ("plain:n=1", "^kind 'plain' has no setting 'n=1'; its settings: none$"),
        ("n_m:k=1", "^kind 'n_m' has no setting 'k=1'; its settings: n, m$"),
        ("n_m:n", "^kind 'n_m' has no setting 'n'; its settings: n, m$"),
        ("n_m:=1", "^kind 'n_m' has no setting '=1'"),
        ("n_m:n=", "^n must be a whole number, not ''$"),
        ("n_m:n=99", r"^n 99 is outside \[1, 16\]$"),
        ("n_m:n=1,n=2", "^kind 'n_m' has n twice; write it once$"),
        ("mixed:on=perhaps", "^on must be true or false, not 'perhaps'$"),
    ],
)
def test_a_choice_that_is_not_there_is_refused(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        KINDS.read(text)


def test_a_choice_is_written_with_or_without_what_is_at_its_default() -> None:
    assert (str(KINDS["n_m"]), KINDS["n_m"].text(defaults=False)) == ("n_m:n=2,m=4", "n_m")
    read = KINDS.read("n_m:m=8,n=2")
    assert (str(read), read.text(defaults=False), repr(read)) == ("n_m:n=2,m=8", "n_m:m=8", "Choice('n_m:n=2,m=8')")


def test_choices_are_equal_where_the_same_is_written_for_both() -> None:
    assert KINDS.read("n_m:n=2") == KINDS["n_m"]
    assert hash(KINDS.read("n_m:n=2")) == hash(KINDS["n_m"])
    assert KINDS.read("n_m:n=1") != KINDS["n_m"]
    assert KINDS["plain"] != "plain"


def test_values_that_a_choice_cannot_take_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"^n 99 is outside \[1, 16\]$"):
        KINDS["n_m"].under({"n": 99})
    with pytest.raises(RecipeError, match=r"^kind must be a word, not 3$"):
        KINDS.read(3)  # type: ignore[arg-type]
