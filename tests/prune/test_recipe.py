"""A recipe is checked where it is made, reads back what it writes, and is known by its content."""

import copy
import dataclasses
import hashlib
import json
import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pruning_explorer import Recipe, Subject
from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.grouping import Channel, Element
from pruning_explorer.prune.recipe import passed_over

names = st.text("abc.0_weight", min_size=1, max_size=8)
fractions = st.floats(0, 1)
granularities = st.just("element") | st.builds(
    "channel:dim={},n={}".format,
    st.integers(-5, 4),
    st.sampled_from([1, 2, 0.5, math.inf, -math.inf]) | st.floats(-20, 20, allow_nan=False),
)
recipes_not_global = st.builds(
    Recipe,
    criterion=st.sampled_from(["magnitude", "random"]),
    granularity=granularities,
    scope=st.sampled_from(["layer", "row"]),
    amount=fractions,
    amounts=st.dictionaries(names, fractions, max_size=3),
    targets=st.none() | st.lists(names, max_size=3),
    frozen=st.lists(names, max_size=3),
    cap=fractions,
    embeddings=st.booleans(),
    biases=st.booleans(),
    norms=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
    allocation=st.sampled_from(["each", "uniform", "erk"]),
    schedule=st.just("one-shot")
    | st.builds("{}:steps={}".format, st.sampled_from(["linear", "cubic", "geometric"]), st.integers(1, 100)),
    recalibrate=st.booleans(),
)
recipes = recipes_not_global | recipes_not_global.map(
    lambda recipe: dataclasses.replace(recipe, scope="global", allocation="each")
)


@given(recipes)
def test_json_both_ways(recipe: Recipe) -> None:
    """To the last bit of every number."""
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.id == recipe.id
    assert hash(again) == hash(recipe)
    assert Recipe.from_dict(recipe.to_dict(defaults=False)) == recipe
    json.loads(recipe.to_json(), parse_constant=pytest.fail)  # NaN and Infinity are no JSON


@given(recipes, recipes)
def test_id_tells_recipes_apart(one: Recipe, other: Recipe) -> None:
    assert (one.id == other.id) == (one == other)
    assert re.fullmatch("[0-9a-f]{12}", one.id)


def test_id_of_the_default_never_changes() -> None:
    """It is in links and stored runs: what is not default, as JSON, by BLAKE2b."""
    assert Recipe().id == hashlib.blake2b(b"{}", digest_size=6).hexdigest()
    content = b'{"amount": 0.8, "granularity": "channel:n=1"}'
    assert Recipe(amount=0.8, granularity="channel:n=1").id == hashlib.blake2b(content, digest_size=6).hexdigest()


def test_id_ignores_defaults_and_the_order_of_settings_and_names() -> None:
    same = [
        Recipe(granularity="channel"),
        Recipe(granularity="channel:"),
        Recipe(granularity="channel:dim=0"),
        Recipe(granularity="channel:n=2,dim=0"),
        Recipe(granularity="channel:dim=0,n=2.0"),
        Recipe(granularity="channel", amount=0.5, cap=1, seed=0, frozen=[], amounts={}),
    ]
    assert len({recipe.id for recipe in same}) == 1
    assert len(set(same)) == 1
    assert {str(recipe.granularity) for recipe in same} == {"channel:dim=0,n=2"}
    assert Recipe(targets=["b", "a", "b"]).id == Recipe(targets=("a", "b")).id
    assert Recipe(amounts={"b": 0.1, "a": 0.2}).id == Recipe(amounts={"a": 0.2, "b": 0.1}).id
    assert Recipe(targets=()).id != Recipe().id


def test_a_recipe_can_be_copied_and_pickled() -> None:
    recipe = Recipe("random", "channel:n=1", amounts={"a": 0.1}, targets=("a", "b"))
    assert copy.deepcopy(recipe) == pickle.loads(pickle.dumps(recipe)) == dataclasses.replace(recipe) == recipe


def test_frozen_through_and_through() -> None:
    given_amounts = {"a": 0.1}
    recipe = Recipe(amounts=given_amounts)
    before = recipe.id
    given_amounts["a"] = 0.9
    assert recipe.id == before
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.amount = 0.1  # type: ignore[misc]
    with pytest.raises(TypeError):
        recipe.amounts["a"] = 0.9  # type: ignore[index]


# field -> value, and what the message says: the value, the range or the choice, the way out
REFUSED = [
    ("amount", 1.3, r"^amount 1\.3 is outside \[0, 1\]; 0\.013 removes 1\.3 %$"),
    ("amount", 1 + 1e-9, r"^amount 1\.000000001 is outside \[0, 1\]"),
    ("amount", 30.0, r"^amount 30 is outside \[0, 1\]; 0\.3 removes 30 %$"),
    ("amount", -0.1, r"^amount -0\.1 is outside \[0, 1\]$"),
    ("amount", math.nan, "^amount must be a number, not nan$"),
    ("amount", math.inf, r"^amount inf is outside \[0, 1\]$"),
    ("amount", True, "^amount must be a number, not True$"),
    ("amount", "0.5", "^amount must be a number, not '0.5'$"),
    ("amount", None, "^amount must be a number, not None$"),
    ("amount", 1, r"^amount 1 is a whole number, which torch reads as that many weights; .* 1\.0 for all$"),
    ("amount", 30, r"^amount 30 is a whole number, .* such as 0\.3 for 30 %$"),
    ("amount", 5000, r"^amount 5000 is a whole number, .* such as 0\.5 for half$"),
    ("amounts", {"fc.weight": 2.0}, r"^amount of fc\.weight 2 is outside \[0, 1\]; 0\.02 removes 2 %$"),
    ("amounts", {"fc.weight": 3}, r"^amount of fc\.weight 3 is a whole number"),
    ("amounts", {3: 0.5}, "^amounts must map target names"),
    ("amounts", [0.5], "^amounts must map target names"),
    ("cap", 1.5, r"^cap 1\.5 is outside \[0, 1\]"),
    ("cap", "all", "^cap must be a number, not 'all'$"),
    ("seed", -1, r"^seed -1 is outside \[0, 2147483647\]$"),
    ("seed", 2**31, r"^seed 2147483648 is outside \[0, 2147483647\]$"),
    ("seed", 1.5, "^seed must be a whole number, not 1.5$"),
    ("seed", math.inf, "^seed must be a whole number, not inf$"),
    ("biases", 1, "^biases must be true or false, not 1$"),
    ("embeddings", 0, "^embeddings must be true or false, not 0$"),
    ("norms", "no", "^norms must be true or false, not 'no'$"),
    ("criterion", "hessian", "^unknown criterion 'hessian'; choose one of magnitude, random"),
    ("criterion", ["magnitude"], "^criterion must be a word"),
    ("granularity", "blocks", "^unknown granularity 'blocks'; choose one of element, channel"),
    ("granularity", None, "^granularity must be a word, not None$"),
    ("granularity", "channel:dims=0", "^granularity 'channel' has no setting 'dims=0'; its settings: dim, n$"),
    ("granularity", "channel:dim", "^granularity 'channel' has no setting 'dim'; its settings: dim, n$"),
    ("granularity", "element:n=1", "^granularity 'element' has no setting 'n=1'; its settings: none$"),
    ("granularity", "channel:dim=x", "^dim must be a whole number, not 'x'$"),
    ("granularity", "channel:dim=1.5", "^dim must be a whole number, not '1.5'$"),
    ("granularity", "channel:dim=7", r"^dim 7 is outside \[-5, 4\]$"),
    ("granularity", "channel:n=two", "^n must be a number, not 'two'$"),
    ("granularity", "channel:n=nan", "^n must be a number, not nan$"),
    ("granularity", "channel:dim=0,dim=1", "^granularity 'channel' has dim twice; write it once$"),
    ("scope", "model", "^unknown scope 'model'; choose one of layer, row, global$"),
    ("scope", ["layer"], r"^scope must be a word, not \['layer'\]$"),
    ("scope", "rows", "^unknown scope 'rows'; choose one of layer, row, global$"),
    ("allocation", "erdos", "^unknown allocation 'erdos'; choose one of each, uniform, erk$"),
    ("allocation", None, "^allocation must be a word, not None$"),
    ("schedule", "cosine", "^unknown schedule 'cosine'; choose one of one-shot, linear, cubic, geometric$"),
    ("schedule", "one-shot:steps=2", "^schedule 'one-shot' has no setting 'steps=2'; its settings: none$"),
    ("schedule", "linear:steps=0", r"^steps 0 is outside \[1, 100\]$"),
    ("schedule", "linear:steps=2.5", "^steps must be a whole number, not '2.5'$"),
    ("recalibrate", 1, "^recalibrate must be true or false, not 1$"),
    ("targets", "conv1.weight", "^targets must be a list of target names, not 'conv1.weight'$"),
    ("targets", [1], r"^targets must be a list of target names, not \[1\]$"),
    ("frozen", None, "^frozen must be a list of target names, not None$"),
]


@pytest.mark.parametrize(("field", "value", "message"), REFUSED, ids=[f"{f}={v!r}" for f, v, _ in REFUSED])
def test_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Recipe(**{field: value})


def test_a_global_ranking_takes_no_allocation() -> None:
    for allocation in ("uniform", "erk"):
        with pytest.raises(RecipeError, match=f"^scope global .* allocation {allocation} has no say; choose"):
            Recipe(scope="global", allocation=allocation)


def test_schedules_are_written_one_way() -> None:
    assert str(Recipe(schedule="cubic").schedule) == "cubic:steps=10"
    assert Recipe(schedule="cubic: steps = 10 ").id == Recipe(schedule="cubic").id
    assert Recipe(schedule="cubic").to_dict(defaults=False) == {"schedule": "cubic"}
    assert Recipe(schedule="cubic:steps=9").to_dict(defaults=False) == {"schedule": "cubic:steps=9"}


def test_numbers_of_other_kinds() -> None:
    """What a notebook may hand over: 0, and numpy's numbers."""
    assert Recipe(amount=0).amount == 0.0
    for amount in (np.float64(0.25), np.float32(0.25)):
        recipe = Recipe(amount=amount)
        assert type(recipe.amount) is float
        assert recipe.id == Recipe(amount=0.25).id
    assert Recipe(seed=np.int64(3)).id == Recipe(seed=3).id
    with pytest.raises(RecipeError, match="whole number"):
        Recipe(amount=np.int64(2))


BROKEN_JSON = [
    ("", "this is not JSON"),
    ("{", "this is not JSON"),
    ("[1]", "an object of named fields, not list"),
    ("null", "an object of named fields, not NoneType"),
    ('{"amout": 0.5}', "no field 'amout'; its fields: allocation, amount, amounts, biases, cap, criterion, embeddings"),
    ('{"amount": NaN}', "amount must be a number, not nan"),
    ('{"amount": "half"}', "amount must be a number, not 'half'"),
    ('{"amount": 30}', r"amount 30 is outside \[0, 1\]; 0\.3 removes 30 %"),
    ('{"amounts": {"a": null}}', "amount of a must be a number, not None"),
    ('{"amounts": 0.5}', "amounts must map"),
    ('{"targets": "a"}', "targets must be a list"),
    ('{"criterion": null}', "criterion must be a word"),
    ('{"criterion": {}}', "criterion must be a word"),
    ('{"granularity": 1}', "granularity must be a word"),
    ('{"scope": {}}', "scope must be a word, not {}"),
    ('{"amount": 1' + "0" * 400 + "}", "is a whole number"),
    ('{"seed": 1e400}', "seed must be a whole number"),
    ("[" * 100_000, "this is not JSON"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN_JSON, ids=[text[:20] for text, _ in BROKEN_JSON])
def test_broken_json(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Recipe.from_json(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([field.name for field in dataclasses.fields(Recipe)]), json_values, max_size=4))
def test_whatever_a_file_holds_there_is_a_recipe_or_a_recipe_error(content: dict[str, object]) -> None:
    try:
        recipe = Recipe.from_json(json.dumps(content))
    except RecipeError as error:
        assert str(error)  # noqa: PT017
    else:
        assert Recipe.from_json(recipe.to_json()) == recipe


def test_json_may_write_one_without_a_point() -> None:
    assert Recipe.from_json('{"amount": 1, "amounts": {"a": 0}, "cap": 1}') == Recipe(amount=1.0, amounts={"a": 0.0})


def test_what_is_switched_on_and_cannot_be_pruned_is_named_with_a_reason() -> None:
    subject = Subject.from_module(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)))
    assert passed_over(subject, Recipe(biases=True, norms=True)) == {}
    assert passed_over(subject, Recipe(granularity="channel")) == {}
    one_dim = "channel:dim=0,n=2: it has one dim only, so its channels are its elements"
    assert passed_over(subject, Recipe(granularity="channel", biases=True)) == {"0.bias": one_dim}
    assert passed_over(subject, Recipe(granularity="channel:dim=2", biases=True, norms=True)) == {
        "0.weight": "channel:dim=2,n=2: it has 2 dims, so there is no dim 2",
        **dict.fromkeys(("0.bias", "1.weight", "1.bias"), one_dim.replace("dim=0", "dim=2")),
    }
    assert passed_over(subject, Recipe(granularity="channel", biases=True, targets=("0.bias",))) == {}


def test_granularities_are_read_and_written_one_way() -> None:
    assert GRANULARITIES.read("element").grouping == Element()
    assert GRANULARITIES.read("channel").grouping == Channel(dim=0, n=2.0)
    assert GRANULARITIES.read("channel: n = -inf , dim=-1").grouping == Channel(dim=-1, n=-math.inf)
    assert str(GRANULARITIES.read("channel:n=1")) == "channel:dim=0,n=1"
    assert GRANULARITIES.read("channel:n=1").text(defaults=False) == "channel:n=1"
    assert GRANULARITIES.read("channel:dim=0").text(defaults=False) == "channel"


@given(st.floats(allow_nan=False))
def test_settings_keep_every_digit(n: float) -> None:
    assert GRANULARITIES.read(str(GRANULARITIES.read(f"channel:n={n!r}"))).grouping == Channel(n=n)
