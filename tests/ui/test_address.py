"""An address reproduces what its sender saw; a broken one says what was wrong."""

from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pruning_explorer import Recipe, Subject, load_subject
from pruning_explorer.prune.recipe import offered
from pruning_explorer.ui.address import read_address, write_address
from pruning_explorer.ui.query import EXPLORE, OF_ANY_PAGE
from pruning_explorer.ui.subjects import _OPERATORS, DEFAULT_SUBJECT, find_subject

fractions = st.floats(0, 1) | st.integers(0, 1000).map(lambda step: step / 1000)
granularities = st.just("element") | st.builds(
    lambda dim, n: f"channel:dim={dim},n={n}",
    st.sampled_from([0, 1, -1]),
    st.sampled_from(["0.5", "1", "2", "inf", "-inf"]) | st.floats(-8, 8).map(str),
)


@st.composite
def recipes(draw: st.DrawFn, subject_name: str) -> Recipe:
    """Any recipe that the subject can be pruned by."""
    subject = load_subject(subject_name)
    switches = {name: draw(st.booleans()) for name in ("embeddings", "biases", "norms")}
    method = Recipe(granularity=draw(granularities), **switches)
    on_offer = [target.name for target in offered(subject, method)]
    every_name = st.sampled_from([target.name for target in subject.targets])
    return Recipe(
        criterion=draw(st.sampled_from(["magnitude", "random"])),
        granularity=method.granularity,
        scope=draw(st.sampled_from(["layer", "global"])),
        amount=draw(fractions),
        amounts=draw(st.dictionaries(every_name, fractions, max_size=3)),
        targets=draw(st.none() | st.lists(st.sampled_from(on_offer), min_size=1)),
        frozen=draw(st.lists(every_name, max_size=3)),
        cap=draw(fractions),
        **switches,
        seed=draw(st.integers(0, 2**31 - 1)),
    )


def through_a_browser(query: dict[str, list[str]]) -> dict[str, list[str]]:
    return parse_qs(urlencode(query, doseq=True), strict_parsing=True)


@pytest.mark.parametrize("name", ["digits-cnn", "adder-transformer"])
@settings(max_examples=60)
@given(data=st.data())
def test_a_written_address_reads_back_as_the_same_recipe(name: str, data: st.DataObject) -> None:
    subject = load_subject(name)
    recipe = data.draw(recipes(name))
    layer = data.draw(st.none() | st.sampled_from([target.name for target in subject.targets]))
    read = read_address(through_a_browser(write_address(subject, recipe, layer)))
    assert read.problems == ()
    assert (read.subject.name, read.recipe, read.layer) == (name, recipe, layer)
    assert read.recipe.id == recipe.id


def test_defaults_are_left_out() -> None:
    subject = load_subject("digits-cnn")
    assert write_address(subject, Recipe(), None) == {"subject": ["digits-cnn"]}
    recipe = Recipe(granularity="channel:dim=1,n=2", amount=0.8, amounts={"fc.weight": 0.25}, targets=("fc.weight",))
    assert write_address(subject, recipe, "fc.weight") == {
        "subject": ["digits-cnn"],
        "granularity": ["channel:dim=1"],
        "amount": ["0.8"],
        "target": ["fc.weight"],
        "layer_amount": ["fc.weight=0.25"],
        "layer": ["fc.weight"],
    }


def test_no_address_is_the_default_page() -> None:
    read = read_address({})
    assert (read.subject.name, read.recipe, read.layer, read.problems) == (DEFAULT_SUBJECT, Recipe(), None, ())


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"subject": ["digits-cmn"]}, "did you mean 'digits-cnn'"),
        ({"subject": [""]}, "no network is called ''"),
        ({"amount": ["1.3"]}, "amount 1.3 is outside [0, 1]; 0.013 removes 1.3 %; the default 0.5 is shown instead"),
        ({"amount": ["nan"]}, "amount must be a number"),
        ({"amount": ["half"]}, "amount must be a number, not 'half'"),
        ({"amount": [""]}, "amount must be a number, not ''"),
        ({"cap": ["-0.1"]}, "cap -0.1 is outside [0, 1]"),
        ({"seed": ["1.5"]}, "seed must be a whole number, not '1.5'"),
        ({"seed": ["9" * 5000]}, "seed must be a whole number"),
        ({"biases": ["maybe"]}, "biases must be true or false, not 'maybe'; the default false"),
        ({"criterion": ["l1"]}, "unknown criterion 'l1'; choose one of magnitude, random"),
        ({"granularity": ["row"]}, "unknown granularity 'row'"),
        ({"granularity": ["channel:axis=1"]}, "has no setting 'axis=1'"),
        ({"granularity": ["channel:dim=9"]}, "dim 9 is outside [-5, 4]"),
        ({"granularity": ["channel:dim=4"]}, "no layer of digits-cnn can be pruned by channel:dim=4"),
        ({"scope": ["all"]}, "unknown scope 'all'"),
        ({"target": ["conv9.weight"]}, "digits-cnn has no parameter 'conv9.weight'"),
        ({"freeze": ["conv9.weight"]}, "digits-cnn has no parameter 'conv9.weight'"),
        ({"layer": ["conv9.weight"]}, "digits-cnn has no parameter 'conv9.weight'"),
        ({"layer_amount": ["conv9.weight=0.1"]}, "digits-cnn has no parameter 'conv9.weight'"),
        ({"layer_amount": ["fc.weight"]}, "has no “=”; write it as conv1.weight=0.3"),
        ({"layer_amount": ["0.3"]}, "has no “=”"),
        ({"layer_amount": ["fc.weight=30"]}, "amount 30 is outside [0, 1]; 0.3 removes 30 %"),
        ({"layer_amount": ["=0.3"]}, "has no parameter ''"),
        ({"ammount": ["0.8"]}, "unknown part “ammount”"),
    ],
)
def test_each_kind_of_badness_says_so_and_falls_back_to_the_default(query: dict[str, list[str]], says: str) -> None:
    read = read_address(query)
    assert len(read.problems) == 1
    assert says in read.problems[0]
    assert (read.subject.name, read.recipe, read.layer) == (DEFAULT_SUBJECT, Recipe(), None)


def test_a_layer_that_the_granularity_cannot_group_is_said_and_the_others_shown() -> None:
    read = read_address({"granularity": ["channel:dim=1"], "target": ["fc.bias", "fc.weight"]})
    assert len(read.problems) == 1
    assert "fc.bias cannot be pruned by channel:dim=1" in read.problems[0]
    assert read.recipe == Recipe(granularity="channel:dim=1")


def test_what_is_good_stands_beside_several_that_are_bad() -> None:
    read = read_address(
        {
            "subject": ["spirals-mlp"],
            "amount": ["0.8"],
            "scope": ["nowhere"],
            "seed": ["x"],
            "target": ["fc1.weight", "gone.weight"],
            "layer_amount": ["fc2.weight=0.1", "gone.weight=0.2", "fc1.weight"],
            "layer": ["gone.weight"],
            "colour": ["red"],
        }
    )
    assert read.subject.name == "spirals-mlp"
    assert read.recipe == Recipe(amount=0.8, targets=("fc1.weight",), amounts={"fc2.weight": 0.1})
    assert read.layer is None
    assert len(read.problems) == len(set(read.problems)) == 6


def test_of_what_is_given_twice_the_last_counts() -> None:
    """As of flags on a command line; the first values here would each be a different page, or a problem."""
    read = read_address(
        {
            "subject": ["digits-cmn", "spirals-mlp"],
            "amount": ["2", "0.2", "0.8"],
            "scope": ["all", "global"],
            "layer": ["gone.weight", "fc1.weight", "fc2.weight"],
            "layer_amount": ["fc2.weight=0.1", "fc2.weight=0.4"],
        }
    )
    assert read.problems == ()
    assert read.subject.name == "spirals-mlp"
    assert read.recipe == Recipe(scope="global", amount=0.8, amounts={"fc2.weight": 0.4})
    assert read.layer == "fc2.weight"


def test_a_name_of_a_layer_may_have_an_equals_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.ModuleDict({"width=4": nn.Linear(4, 3)})
    monkeypatch.setitem(_OPERATORS, "odd", Subject.from_module(network, name="odd"))
    recipe = Recipe(amounts={"width=4.weight": 0.25})
    query = write_address(find_subject("odd"), recipe, None)
    assert query["layer_amount"] == ["width=4.weight=0.25"]
    read = read_address(through_a_browser(query))
    assert (read.recipe, read.problems) == (recipe, ())


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(sorted(EXPLORE | OF_ANY_PAGE)) | st.text(max_size=20),
        st.lists(
            st.text(max_size=30)
            | st.sampled_from(
                ["digits-cnn", "1", "0.5", "channel:n=0", "element:", "fc.weight", "fc.bias=1", "random"]
            ),
            min_size=1,
            max_size=3,
        ),
        max_size=5,
    )
)
def test_no_address_raises(query: dict[str, list[str]]) -> None:
    read = read_address(query)
    assert offered(read.subject, read.recipe)
    read.recipe.chosen(read.subject)
