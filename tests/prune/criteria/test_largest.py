"""Largest first, worked by hand and against |w| sorted by torch."""

import struct

import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, Subject, compute_masks, load_subject
from pruning_explorer.errors import ScoreError
from pruning_explorer.prune.engine import rank_targets
from tests.prune.criteria.tiny import assert_scores, linear, scores_of


def test_the_largest_go_first() -> None:
    """Powers of two are halved where |w| doubles: 0.5 -> 4, 1 -> 2, 2 -> 1, but for the last bit."""
    subject = Subject.from_module(linear([[1, -2], [0.5, -4]]))
    assert_scores(scores_of(subject, "largest", "weight"), [[2, 1], [4, 0.5]])
    masks = compute_masks(subject, Recipe("largest", amount=0.5))
    assert masks["weight"].tolist() == [[True, False], [True, False]]


def test_it_is_the_order_of_magnitude_backwards_to_the_last_bit() -> None:
    """Neighbours among floats, denormals, zero and the largest of all: 1 / |w| would take some of them for equal."""
    bits = [0, 1, 2, 0x00800000, 0x3F7FFFFF, 0x3F800000, 0x3F800001, 0x3F800002, 0x7F7FFFFE, 0x7F7FFFFF]
    numbers = [struct.unpack("f", struct.pack("I", each))[0] for each in bits]
    layer = nn.Linear(len(numbers), 1, bias=False)
    layer.weight = nn.Parameter(torch.tensor([numbers]))
    scores = scores_of(Subject.from_module(layer), "largest", "weight")[0]
    assert bool((scores[1:] < scores[:-1]).all())


def test_it_keeps_what_the_opposite_removes() -> None:
    """On every target of a real network, for any amount: the ranks of both add up to n - 1."""
    subject = load_subject("spirals-mlp")
    smallest, largest = (rank_targets(subject, Recipe(name)) for name in ("magnitude", "largest"))
    for target, up, down in zip(smallest.targets, smallest.rankings, largest.rankings, strict=True):
        weight = subject.weight(target.name).abs().flatten()
        assert len(weight.unique()) == len(weight)
        assert (up.ranks + down.ranks).tolist() == [target.numel - 1] * target.numel
        assert weight.argsort(descending=True).tolist() == down.ranks.argsort().tolist()


def test_equal_weights_go_in_flat_order() -> None:
    subject = Subject.from_module(linear([[3, -3], [3, 1]]))
    assert compute_masks(subject, Recipe("largest", amount=0.25))["weight"].tolist() == [[False, True], [True, True]]


def test_a_group_goes_by_its_own_magnitude() -> None:
    """Rows of norms 5, 13 and 1: the second goes first, then the first."""
    subject = Subject.from_module(linear([[3, -4], [5, 12], [0, 1]]))
    masks = [compute_masks(subject, Recipe("largest", "channel:dim=0,n=2", amount=each / 3)) for each in (1, 2)]
    assert [each["weight"].any(dim=1).tolist() for each in masks] == [[True, False, True], [False, False, True]]


def test_half_precision_is_widened() -> None:
    subject = Subject.from_module(linear([[1, 2], [4, 8]]).bfloat16())
    assert compute_masks(subject, Recipe("largest", amount=0.5))["weight"].tolist() == [[True, True], [False, False]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_has_no_magnitude_has_no_score(bad: float) -> None:
    with pytest.raises(ScoreError, match="weight"):
        compute_masks(Subject.from_module(linear([[1, bad]])), Recipe("largest"))
