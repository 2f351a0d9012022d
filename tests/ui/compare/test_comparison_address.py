"""The address of a comparison carries every recipe; what cannot be read is said, and the others go on."""

from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning_explorer import Recipe, load_subject
from pruning_explorer.ui.compare.address import LONGEST_NAME, read_comparison, write_comparison
from pruning_explorer.ui.compare.columns import Column

words = st.text(max_size=LONGEST_NAME).map(lambda text: " ".join(text.split()))
recipes = st.builds(
    Recipe,
    criterion=st.sampled_from(["magnitude", "random", "wanda", "lamp"]),
    granularity=st.sampled_from(["element", "channel:dim=1,n=inf", "n_m:n=2,m=4", "block:rows=4,cols=1,n=2"]),
    amount=st.floats(0, 1),
    amounts=st.dictionaries(st.sampled_from(["block1.conv1.weight", "block2.conv2.weight"]), st.floats(0, 1)),
    schedule=st.sampled_from(["one-shot", "cubic:steps=7"]),
    recalibrate=st.booleans(),
    seed=st.integers(0, 99),
)


def through_a_browser(query: dict[str, list[str]]) -> dict[str, list[str]]:
    return parse_qs(urlencode(query, doseq=True), strict_parsing=True)


@settings(max_examples=50)
@given(entries=st.lists(st.tuples(words, recipes), min_size=2, max_size=4))
def test_a_written_comparison_reads_back_as_the_same(entries: list[tuple[str, Recipe]]) -> None:
    subject = load_subject("digits-cnn")
    columns = [Column(number, recipe, name) for number, (name, recipe) in enumerate(entries)]
    read = read_comparison(through_a_browser(write_comparison(subject, columns)))
    assert read.problems == ()
    assert read.subject.name == "digits-cnn"
    assert list(read.recipes) == entries


def test_the_plainest_recipe_is_not_lost() -> None:
    subject = load_subject("tutorial-mlp")
    query = through_a_browser(write_comparison(subject, [Column(1, Recipe()), Column(2, Recipe(amount=0.75))]))
    assert [recipe for _, recipe in read_comparison(query).recipes] == [Recipe(), Recipe(amount=0.75)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("criterion=luck", "recipe B: unknown criterion 'luck'"),
        ("amount=80", "recipe B: amount 80 is outside [0, 1]"),
        ("subject=digits-vit", "recipe B has a part “subject”"),
        ("nonsense", ""),
    ],
)
def test_a_bad_recipe_is_said_and_the_others_stand(text: str, problem: str) -> None:
    read = read_comparison({"subject": ["digits-cnn"], "recipe": ["amount=0.9", text, "scope=global"]})
    assert any(each.startswith(problem) for each in read.problems) or not problem
    assert [recipe for _, recipe in read.recipes] == [Recipe(amount=0.9), Recipe(), Recipe(scope="global")]


def test_more_than_four_recipes_are_too_many() -> None:
    read = read_comparison({"recipe": [f"amount=0.{digit}" for digit in range(1, 7)]})
    assert len(read.recipes) == 4
    assert "it has 6 recipes; the first 4 are shown" in read.problems


def test_an_unknown_network_and_an_unknown_part_are_said() -> None:
    read = read_comparison({"subject": ["digits"], "colour": ["blue"], "recipe": ["amount=0.1"]})
    assert read.subject.name == "digits-cnn"
    assert any("colour" in each for each in read.problems)
    assert any("no network is called 'digits'" in each for each in read.problems)
    assert read.recipes == (("", Recipe(amount=0.1)),)


def test_of_what_is_given_twice_the_last_counts() -> None:
    query = {"subject": ["digits-cnn", "digits-mlp"], "recipe": ["name=early&name=late&amount=0.1&amount=0.7"]}
    read = read_comparison(query)
    assert read.subject.name == "digits-mlp"
    assert read.recipes == (("late", Recipe(amount=0.7)),)
