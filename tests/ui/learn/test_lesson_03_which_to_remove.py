"""Lesson 3: every number of it, from torch alone."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.pruned_alone import (
    PERCENTS,
    Prune,
    answers,
    at_random,
    grid,
    largest_of_each,
    layers_of,
    percent_of,
    pruned,
    smallest_of_each,
)
from tests.ui.learn.torch_alone import spirals

POINTS, LABELS = spirals()
NAMES = ("Magnitude", "Random, median", "Largest first", "Random, seed 3")


@pytest.fixture(scope="module")
def lesson() -> LearnPage:
    page = LearnPage("which-to-remove", amount="0.2", seed="3")
    page.answer(2)
    return page


def right(how: Callable[[int], Prune]) -> torch.Tensor:
    """The fraction of samples that is right at every percent, ``[101]``."""
    given = torch.stack([answers(pruned("spirals-mlp", how(percent)), POINTS) for percent in PERCENTS])
    return (given == LABELS).double().mean(dim=1)


@pytest.fixture(scope="module")
def shares() -> dict[str, torch.Tensor]:
    """Of each order the fraction that is right at every percent; at random for each of five seeds, ``[5, 101]``."""
    draws = torch.stack([right(partial(at_random, seed=seed)) for seed in range(5)])
    return {
        "Magnitude": right(smallest_of_each),
        "Random, median": draws,
        "Largest first": right(largest_of_each),
        "Random, seed 3": draws[3],
    }


@pytest.fixture(scope="module")
def lines(shares: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: each.median(dim=0).values if each.dim() == 2 else each for name, each in shares.items()}


@pytest.fixture(scope="module")
def breaks(lines: dict[str, torch.Tensor]) -> dict[str, int]:
    return {name: int((line[0] - line > 0.05 + 1e-9).nonzero()[0]) for name, line in lines.items()}


def test_a_curve_for_each_order(
    lesson: LearnPage, shares: dict[str, torch.Tensor], lines: dict[str, torch.Tensor]
) -> None:
    curve = lesson.panel("Accuracy over the amount")
    assert curve["growing"]
    assert [each["name"] for each in curve["series"]] == list(NAMES)
    for each in curve["series"]:
        np.testing.assert_allclose(each["values"], 100 * lines[each["name"]], atol=0.051)
    band = curve["series"][1]
    np.testing.assert_allclose(band["low"], 100 * shares["Random, median"].amin(dim=0), atol=0.051)
    np.testing.assert_allclose(band["high"], 100 * shares["Random, median"].amax(dim=0), atol=0.051)
    assert (np.array(band["high"]) - np.array(band["low"])).max() > 5


def test_the_table_says_where_each_breaks_once_it_has(
    lesson: LearnPage, lines: dict[str, torch.Tensor], breaks: dict[str, int]
) -> None:
    rows = lesson.panel("Where each breaks")["rows"]
    for percent in PERCENTS:
        for name, (order, now, broken) in zip(NAMES, rows[percent], strict=True):
            assert order == name
            assert float(now.removesuffix(" %")) == pytest.approx(100 * float(lines[name][percent]), abs=0.051)
            assert broken == (f"{breaks[name]} %" if percent >= breaks[name] else "not yet")


def test_three_planes_side_by_side(lesson: LearnPage) -> None:
    ways = {
        "Magnitude": smallest_of_each,
        "Random, seed 3": partial(at_random, seed=3),
        "Largest first": largest_of_each,
    }
    for title, how in ways.items():
        panel = lesson.panel(title)
        plane = grid(panel["extent"], panel["size"])
        for percent in (0, 5, 20, 60):
            found = answers(pruned("spirals-mlp", how(percent)), plane)
            assert panel["answers"][percent].ravel().tolist() == found.tolist()


def test_the_sentences_say_what_torch_says(
    lesson: LearnPage, shares: dict[str, torch.Tensor], lines: dict[str, torch.Tensor], breaks: dict[str, int]
) -> None:
    text = " ".join(lesson.text.split())
    magnitude, random, largest, _ = (lines[name] for name in NAMES)
    at = [breaks[name] for name in ("Largest first", "Random, median", "Magnitude")]
    assert at == sorted(set(at)), "the answer that is called right names another order"
    assert f"They break at {at[0]} %, {at[1]} % and {at[2]} %, in that order" in text
    draws = [int((each[0] - each > 0.05 + 1e-9).nonzero()[0]) for each in shares["Random, median"]]
    assert f"the first breaks at {min(draws)} %, the last at {max(draws)} %" in text
    assert f"Its draws break between {min(draws)} % and {max(draws)} %, none before Largest first" in text
    assert at[0] <= min(draws) <= max(draws) < at[2], "no draw breaks before Largest first, or after Magnitude"
    five = [f"{100 * float(line[5]):.1f} %" for line in (largest, random, magnitude)]
    assert (
        f"At 5 %, accuracy is {five[0]} with Largest first, {five[1]} with Random, median, and {five[2]} with Magnitude"
        in text
    )
    small, large = (size_gone(pruned("spirals-mlp", how(5))) for how in (smallest_of_each, largest_of_each))
    assert f"the smallest weights are {small:.1f} % of the sum over all weights, the largest {large:.1f} %" in text
    behind = int((magnitude < random).nonzero()[0])
    ahead = int((largest > random).nonzero()[0])
    forty = [f"{100 * float(line[40]):.1f} %" for line in (largest, random)]
    assert (
        f"Largest first is above Random, median, for the first time at {ahead} %, and at 40 % with {forty[0]} against "
        f"{forty[1]}; Magnitude falls behind Random, median, for the first time at {behind} %" in text
    )
    for stop, pair in ((ahead, (largest, random)), (behind, (magnitude, random))):
        assert all(line[stop] < line[0] - 0.25 for line in pair), "both are badly broken"
    assert largest[40] > random[40]
    guess = LABELS.mode().values == LABELS
    assert f"not far from guessing ({percent_of(guess)})" in text
    assert max(abs(float(line[behind]) - float(guess.double().mean())) for line in (magnitude, random)) < 0.05


def size_gone(network: nn.Module) -> float:
    """Of the sum of all absolute weights, the percentage that is removed."""
    layers = [module for module, _ in layers_of(network)]
    whole = sum(module.weight_orig.abs().sum().item() for module in layers)
    return 100 * sum(module.weight_orig.abs()[module.weight_mask == 0].sum().item() for module in layers) / whole


def test_another_seed_shows_another_draw_and_changes_no_sentence(lesson: LearnPage) -> None:
    page = LearnPage("which-to-remove", amount="0.2")
    page.answer(2)
    assert page.text.replace("Seed: 0", "Seed: 3") == lesson.text
    assert (page.panel("Random, seed 0")["answers"] != lesson.panel("Random, seed 3")["answers"]).any()
    ours, other = (each.panel("Accuracy over the amount")["series"] for each in (lesson, page))
    assert ours[:3] == other[:3]
    assert (other[3]["name"], ours[3]["name"]) == ("Random, seed 0", "Random, seed 3")
    assert ours[3]["values"] != other[3]["values"]
