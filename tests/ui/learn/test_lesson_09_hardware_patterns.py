"""Lesson 9 against torch: N of every M by topk in each group, and free choice by ``prune.l1_unstructured``."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils import prune

from pruning_explorer import compute_masks, load_subject
from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.scenes.hardware_patterns import HARDWARE_PATTERNS
from pruning_explorer.lessons.stages import stage_of
from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.torch_alone import logits_of, spirals, trained

LAYERS = ("fc2", "fc3")
PATTERNS = {"2:4": (2, 4, 50), "1:4": (1, 4, 75), "4:8": (4, 8, 50)}
STOPS = (0, 20, 50, 75, 100)
Masks = dict[str, Tensor]


def weight(name: str) -> Tensor:
    matrix: Tensor = trained("spirals-mlp").get_submodule(name).weight.detach()
    return matrix


def free(percent: int, layers: tuple[str, ...] = LAYERS) -> Masks:
    network = trained("spirals-mlp")
    for name in layers:
        prune.l1_unstructured(network.get_submodule(name), "weight", amount=percent / 100)
    return {name: network.get_submodule(name).weight_mask for name in layers}


def in_pattern(percent: int, n: int, m: int) -> Masks:
    """The smallest go first, but for the N largest of every M, which stay."""
    masks = {}
    for name in LAYERS:
        size = weight(name).abs()
        groups = size.reshape(-1, m)
        stays = torch.zeros_like(groups).scatter_(1, groups.topk(n, dim=1).indices, 1).bool().reshape(size.shape)
        order = torch.where(stays, torch.inf, size).flatten().argsort()
        wanted = min(round(percent / 100 * size.numel()), int((~stays).sum()))
        mask = torch.ones(size.numel())
        mask[order[:wanted]] = 0
        masks[name] = mask.reshape(size.shape)
    return masks


def accuracy(masks: Masks) -> float:
    network = trained("spirals-mlp")
    for name, mask in masks.items():
        prune.custom_from_mask(network.get_submodule(name), "weight", mask)
    points, labels = spirals()
    return float((logits_of(network, points).argmax(dim=1) == labels).double().mean())


def magnitude(masks: Masks) -> float:
    kept = sum(float((weight(name).double().abs() * mask).sum()) for name, mask in masks.items())
    return kept / sum(float(weight(name).double().abs().sum()) for name in masks)


def gone(masks: Masks) -> float:
    return sum(float((mask == 0).sum()) for mask in masks.values()) / sum(mask.numel() for mask in masks.values())


def percent_of(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


@pytest.fixture(scope="module")
def page() -> LearnPage:
    page = LearnPage("hardware-patterns")
    page.answer(1)
    return page


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_panel_is_torchs(page: LearnPage, pattern: str) -> None:
    page.set(pattern=pattern)
    n, m, _ = PATTERNS[pattern]
    commonest = 100 * float(spirals()[1].bincount().max()) / len(spirals()[1])
    assert page.panel("Accuracy as more goes")["lines"] == [["guessing", pytest.approx(commonest, abs=0.06)]]
    for percent in STOPS:
        sides = {"Free choice": free(percent), pattern: in_pattern(percent, n, m)}
        for title, masks in sides.items():
            panel, end = page.panel(title), title if title == pattern else "free choice"
            assert panel["group"] == m
            assert np.array(panel["values"]) == pytest.approx(weight("fc3").numpy(), abs=0.006)
            assert np.array_equal(np.array(panel["leaves"]) <= percent, masks["fc3"].numpy() == 0)
            assert page.figure(f"Removed, {end}", percent) == percent_of(gone(masks))
            assert page.figure(f"Magnitude kept, {end}", percent) == percent_of(magnitude(masks))
            assert page.figure(f"Accuracy, {end}", percent) == percent_of(accuracy(masks))
            curve = next(each for each in page.panel("Accuracy as more goes")["series"] if each["name"] == title)
            assert curve["values"][percent] == pytest.approx(100 * accuracy(masks), rel=1e-4)
        of_group = [masks["fc3"].reshape(-1, m).sum(dim=1) for masks in sides.values()]
        assert page.panel(f"Groups of {m} by what they keep")["rows"][percent] == [
            [f"{kept} of {m}", *(str(int((each == kept).sum())) for each in of_group)] for kept in range(m, -1, -1)
        ]


@pytest.mark.parametrize("shown", PATTERNS)
def test_the_truth_says_of_2_4_what_torch_gives(page: LearnPage, shown: str) -> None:
    """Whatever pattern is shown."""
    page.set(pattern=shown)
    text = " ".join(page.text.split())
    pattern = "2:4"
    n, m, end = PATTERNS[pattern]
    chosen, fixed = free(end), in_pattern(end, n, m)
    assert bool((fixed["fc3"].reshape(-1, m).sum(dim=1) == n).all())
    assert not bool((in_pattern(end - 1, n, m)["fc2"].reshape(-1, m).sum(dim=1) == n).all())
    kept = (
        f"At {end} %, free choice keeps {percent_of(magnitude(chosen))} of the sum of absolute weights, {pattern} only"
    )
    assert f"{kept} {percent_of(magnitude(fixed))}" in text
    differ = int(((chosen["fc3"] == 1) & (fixed["fc3"] == 0)).sum())
    assert f"it removes {differ} weights that free choice would keep" in text
    of_group = chosen["fc3"].reshape(-1, m).sum(dim=1)
    assert f"more than {n} in {int((of_group > n).sum())} of {48 // m} groups" in text
    accuracies = [percent_of(accuracy(masks)) for masks in (chosen, fixed, free(0))]
    told = "Accuracy is {} with free choice and {} with {pattern} (dense {}).".format(*accuracies, pattern=pattern)
    assert told in text
    crowded = int(of_group.argmax())
    held = ", ".join(f"{each:.2f}" for each in weight("fc3").reshape(-1, m)[crowded].tolist()).replace("-", "−")
    place = f"in {crowded * m % 16} to in {crowded * m % 16 + m - 1}"
    assert f"Row out {crowded * m // 16} of fc3.weight holds {held} ({place})." in text
    assert f"free choice keeps {int(of_group[crowded])} of them" in text
    sparser = in_pattern(75, 1, 4)
    assert f"({percent_of(magnitude(sparser))} against {percent_of(magnitude(free(75)))})" in text
    assert f"({percent_of(accuracy(sparser))} against {percent_of(accuracy(free(75)))})" in text
    everywhere = free(end, ("fc1", *LAYERS))
    assert f"to {end} % as in lesson 2, {percent_of(accuracy(everywhere))} are left" in text
    assert accuracy(everywhere) < accuracy(chosen)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_to_try_follows_the_pattern(page: LearnPage, pattern: str) -> None:
    page.set(pattern=pattern)
    text = " ".join(page.text.split())
    n, m, end = PATTERNS[pattern]
    stay = {1: "the largest", 2: "the 2 largest", 4: "the 4 largest"}[n]
    assert f"no amount removes {stay} of every {m} neighbours in a row. fc3.weight has {48 // m} such groups." in text
    assert page.panel(pattern)["note"] == f"No amount removes {stay} of every {m} neighbours."
    assert f"Drag the amount from 0 past {end} %: {pattern} is complete" in text
    assert trained("spirals-mlp").fc1.in_features == 2
    assert "Here fc2 and fc3 of `spirals-mlp` are pruned; fc1 has rows of 2," in text


def test_more_magnitude_can_mean_fewer_right_answers() -> None:
    chosen, fixed = free(75), in_pattern(75, 1, 4)
    assert magnitude(chosen) > magnitude(fixed)
    assert accuracy(chosen) < accuracy(fixed)


@pytest.mark.parametrize("percent", [20, 50, 100])
def test_explore_opens_with_the_pattern(percent: int) -> None:
    subject = load_subject("spirals-mlp")
    masks = compute_masks(subject, stage_of(subject, HARDWARE_PATTERNS, {}).recipe(percent))
    assert all(torch.equal(masks[f"{name}.weight"], mask.bool()) for name, mask in in_pattern(percent, 2, 4).items())


@pytest.mark.parametrize("name", ["tutorial-mlp", "digits-mlp"])
def test_a_network_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(LessonError, match="choose a"):
        HARDWARE_PATTERNS.build(load_subject(name), {"pattern": "2:4"})
