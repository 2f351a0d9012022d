"""LAMP and FPGM, worked by hand."""

from math import sqrt

import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, Subject, compute_masks, load_subject
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.criteria import weights as weights_module
from tests.prune.criteria.tiny import assert_scores, linear, scores_of


def test_lamp_divides_each_square_by_those_that_are_not_smaller() -> None:
    """Squares 1, 4, 4, 9; of the equal ones the first counts as the smaller."""
    subject = Subject.from_module(linear([[1, -2], [2, -3]]))
    assert_scores(scores_of(subject, "lamp", "weight"), [[1 / 18, 4 / 17], [4 / 13, 9 / 9]])


def test_lamp_of_zeros_is_zero() -> None:
    subject = Subject.from_module(linear([[0, 0], [0, 0]]))
    assert_scores(scores_of(subject, "lamp", "weight"), [[0, 0], [0, 0]])
    subject = Subject.from_module(linear([[0, 2], [0, 0]]))
    assert_scores(scores_of(subject, "lamp", "weight"), [[0, 1], [0, 0]])


def test_lamp_of_channels_takes_their_norms() -> None:
    """Rows of norms 5, 13 and 1; squares 25, 169 and 1."""
    subject = Subject.from_module(linear([[3, -4], [5, 12], [0, 1]]))
    assert_scores(scores_of(subject, "lamp", "weight", "channel:dim=0,n=2"), [25 / 194, 1, 1 / 195])


def test_lamp_of_what_a_schedule_left_is_what_it_was() -> None:
    subject = Subject.from_module(linear([[1, -2], [2, -3]]))
    masks = {"weight": torch.tensor([[False, False], [True, True]])}
    assert_scores(scores_of(subject, "lamp", "weight", masks=masks), [[0, 0], [4 / 13, 1]])
    assert CRITERIA["lamp"].static


def test_lamp_leaves_every_layer_its_largest_weight() -> None:
    """By magnitude alone, the second layer would go whole."""
    subject = Subject.from_module(nn.Sequential(linear([[8, 9], [7, 6]]), linear([[0.1, 0.2]])))
    by_lamp = compute_masks(subject, Recipe(criterion="lamp", scope="global", amount=4 / 6))
    by_magnitude = compute_masks(subject, Recipe(scope="global", amount=2 / 6))
    assert by_lamp.kept("1.weight") == 1
    assert by_magnitude.kept("1.weight") == 0


def test_lamp_keeps_its_order_beyond_float32() -> None:
    """Squares of 1e30 and 2e30 are no float32 numbers; they are worked out in float64."""
    subject = Subject.from_module(linear([[1e30, 2e30]]))
    assert_scores(scores_of(subject, "lamp", "weight"), [[1 / 5, 1]])


def three_filters() -> Subject:
    """Points (0, 0), (3, 4) and (6, 8) on one line."""
    return Subject.from_module(linear([[0, 0], [3, 4], [6, 8]]))


def test_fpgm_sums_distances_to_all_other_channels() -> None:
    subject = three_filters()
    assert_scores(scores_of(subject, "fpgm", "weight", "channel:dim=0"), [5 + 10, 5 + 5, 5 + 10])
    assert compute_masks(subject, Recipe(criterion="fpgm", granularity="channel", amount=1 / 3))["weight"].tolist() == [
        [True, True],
        [False, False],
        [True, True],
    ]


def test_fpgm_of_input_channels() -> None:
    """Columns (0, 3, 6) and (0, 4, 8) are sqrt(0 + 1 + 4) apart."""
    assert_scores(scores_of(three_filters(), "fpgm", "weight", "channel:dim=1"), [sqrt(5), sqrt(5)])
    assert_scores(scores_of(three_filters(), "fpgm", "weight", "channel:dim=-1"), [sqrt(5), sqrt(5)])


def test_fpgm_under_single_weights_gives_each_its_channels_score() -> None:
    assert_scores(scores_of(three_filters(), "fpgm", "weight"), [[15, 15], [10, 10], [15, 15]])


def test_fpgm_knows_no_neighbour_that_is_gone() -> None:
    masks = {"weight": torch.tensor([[True, True], [True, True], [False, False]])}
    assert_scores(scores_of(three_filters(), "fpgm", "weight", "channel", masks), [5, 5, 0])


def test_fpgm_of_a_transposed_convolution_compares_its_outputs() -> None:
    layer = nn.ConvTranspose1d(1, 3, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[1.0], [2.0], [5.0]]]))
    assert_scores(scores_of(Subject.from_module(layer), "fpgm", "weight"), [[[1 + 4], [1 + 3], [4 + 3]]])


def test_fpgm_of_many_channels_is_the_same_by_inner_products(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject.from_module(load_subject("digits-cnn").copy_model().double())
    exact = scores_of(subject, "fpgm", "block2.conv1.weight", "channel")
    monkeypatch.setattr(weights_module, "EXACT_DISTANCES", 0)
    products = scores_of(subject, "fpgm", "block2.conv1.weight", "channel")
    assert not torch.equal(products, exact)
    torch.testing.assert_close(products, exact, rtol=1e-7, atol=0)


def test_fpgm_refuses_what_has_no_channels() -> None:
    subject = Subject.from_module(linear([[1]], bias=[2]))
    assert CRITERIA["fpgm"].refuse(subject, subject.target("bias")) == (
        "it has one dim only, so it has no channels to compare"
    )
