"""The largest amount within a loss: by hand on points that are made up, and on a network against every step of it."""

import math
from dataclasses import replace

import pytest
import torch

from pruning_explorer import Recipe, Subject, most_within
from pruning_explorer.errors import RecipeError, SubjectError
from pruning_explorer.lab.curve_points import Point, measure_points
from pruning_explorer.lab.curves import CurveJob, new_curve
from pruning_explorer.lab.most_within import MostWithinQueue, read_points
from pruning_explorer.measure.quality import dense_level
from pruning_explorer.sources.samples import load_sample

BARE = Subject.from_module(torch.nn.Linear(2, 2), name="bare")


def points(**quality: float) -> list[Point]:
    """``points(a0=0.98, a500=0.9)``: amounts in thousandths."""
    return [{"amount": int(name[1:]) / 1000, "quality": value, "achieved": 0.0} for name, value in quality.items()]


def test_the_largest_amount_that_is_within_and_the_next_one() -> None:
    found = read_points(BARE, Recipe(), points(a0=0.99, a500=0.98, a750=0.7, a250=0.99), 1.0, 0.99)
    assert (found.amount, found.beyond, found.earlier) == (0.5, 0.75, None)
    assert found.cost == pytest.approx(1)
    assert found.beyond_cost == pytest.approx(29)
    assert found.point is not None
    assert found.beyond_point is not None
    assert (found.point["quality"], found.beyond_point["quality"]) == (0.98, 0.7)
    assert not found.exact
    assert found.next_to_measure == 0.625


def test_one_sample_in_a_hundred_is_one_point_whatever_floats_make_of_it() -> None:
    for n in (100, 300, 700):
        dense, pruned = (n - 3) / n, (n - 3 - n // 100) / n
        assert read_points(BARE, Recipe(), points(a0=dense, a900=pruned), 1.0, dense).amount == 0.9


def test_a_curve_that_goes_up_and_down_says_so() -> None:
    found = read_points(BARE, Recipe(), points(a0=0.9, a100=0.85, a200=0.9, a300=0.5), 1.0, 0.9)
    assert (found.amount, found.earlier) == (0.2, 0.1)


def test_nothing_or_everything_is_within() -> None:
    nothing = read_points(BARE, Recipe(), points(a0=0.5, a500=0.4), 1.0, 0.9)
    assert (nothing.amount, nothing.cost, nothing.exact) == (None, None, True)
    everything = read_points(BARE, Recipe(), points(a0=0.5, a1000=0.6), 1.0, 0.5)
    assert (everything.amount, everything.beyond, everything.exact) == (1.0, None, True)
    assert everything.cost == pytest.approx(-10)


def test_what_is_between_two_steps_is_not_asked_for() -> None:
    assert read_points(BARE, Recipe(), points(a500=0.9, a501=0.1), 1.0, 0.9).exact
    # Amounts that are no steps themselves: 0.96875 and what follows it
    odd = [{"amount": 0.96875, "quality": 0.9, "achieved": 0.0}, {"amount": 0.97, "quality": 0.1, "achieved": 0.0}]
    assert read_points(BARE, Recipe(), odd, 1.0, 0.9).next_to_measure == 0.969


def test_points_without_a_number_count_nowhere() -> None:
    found = read_points(BARE, Recipe(), points(a0=0.9, a400=0.9, a500=math.nan, a600=0.1), 1.0, 0.9)
    assert (found.amount, found.beyond, found.measured) == (0.4, 0.6, 3)
    with pytest.raises(SubjectError, match="not known at any amount"):
        read_points(BARE, Recipe(), points(a0=math.nan), 1.0, 0.9)


@pytest.mark.parametrize("recipe", [Recipe(scope="global"), Recipe(granularity="channel:dim=0,n=1")])
def test_it_is_the_most_of_all_steps_around_it(recipe: Recipe) -> None:
    subject = load_sample("digits-cnn")
    found = most_within(subject, recipe, 1.0)
    dense = dense_level(subject)
    assert dense is not None
    assert found.exact
    assert found.amount is not None
    assert found.beyond == pytest.approx(found.amount + 0.001)
    here, next_one = measure_points(subject, recipe, [found.amount, found.beyond])
    cost, next_cost = (100 * (dense - point["quality"]) for point in (here, next_one))
    assert cost <= 1 + 1e-6 < next_cost
    assert (found.cost, found.beyond_cost) == pytest.approx((cost, next_cost))
    assert found.recipe == replace(recipe, amount=found.amount)


def test_without_labels_flips_are_counted() -> None:
    subject = load_sample("tutorial-mlp")
    found = most_within(subject, Recipe(), 5.0)
    assert found.measure == "agreement"
    assert found.amount is not None
    (here,) = measure_points(subject, Recipe(), [found.amount])
    flipped = 100 * (1 - here["agreement"])
    assert flipped <= 5
    assert found.cost == pytest.approx(flipped)


def test_the_desk_goes_on_from_the_points_of_a_curve_and_says_what_fails() -> None:
    subject = load_sample("digits-cnn")
    recipes = [Recipe(scope="global", amount=0.0), Recipe(amount=0.0)]
    curves = CurveJob(subject, [new_curve(recipe, (0.0, 0.5, 1.0)) for recipe in recipes])
    curves.run()
    job = MostWithinQueue().ask(curves, 1.0, "me")
    assert job.wait(120)
    assert job.problems == [None, None]
    for recipe, found in zip(recipes, job.found, strict=True):
        assert found is not None
        assert found.exact
        assert found.recipe is not None
        assert replace(found.recipe, amount=0.0) == recipe
    assert job.found[0] != job.found[1]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"a loss of -1 points is outside \[0, 100\]"):
        most_within(load_sample("digits-cnn"), Recipe(), -1)
    with pytest.raises(SubjectError, match="bare has no samples"):
        most_within(BARE, Recipe())
