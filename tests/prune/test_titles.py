"""What a recipe is called where there is little room."""

from dataclasses import replace

import pytest

from pruning_explorer import Recipe
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.titles import title_of

TITLES = {
    "Magnitude": Recipe(amount=0.3, targets=("fc.weight",)),
    "Magnitude, per row": Recipe(scope="row"),
    "Magnitude, 2:4, global": Recipe(granularity="n_m", scope="global"),
    "Magnitude, channels": Recipe(granularity="channel"),
    "Magnitude, channels of dim 1": Recipe(granularity="channel:dim=1"),
    "Magnitude, 4×2 blocks": Recipe(granularity="block:cols=2"),
    "Magnitude, exact total": Recipe(allocation="uniform"),
    "Magnitude, ERK, recalibrated": Recipe(allocation="erk", recalibrate=True),
    "Magnitude, linear in 3 steps": Recipe(schedule="linear:steps=3"),
    "Random, seed 7": Recipe("random", seed=7),
}


@pytest.mark.parametrize(("title", "recipe"), TITLES.items(), ids=TITLES.keys())
def test_a_title_says_what_differs_from_the_plainest_recipe(title: str, recipe: Recipe) -> None:
    assert title_of(recipe) == title


def test_a_granularity_that_says_no_title_is_called_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GRANULARITIES, "mine", replace(GRANULARITIES["n_m"], name="mine", in_title=None))
    assert title_of(Recipe(granularity="mine:n=1")) == "Magnitude, mine:n=1,m=4"
