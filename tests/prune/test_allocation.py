"""One total for all layers: met exactly, in the shares of the papers, and never a weight back as it grows."""

from itertools import pairwise
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pruning_explorer import Masks, Recipe, Subject, compute_masks
from pruning_explorer.prune.allocation import allocate, raw_density
from pruning_explorer.prune.engine import rank_targets
from tests.prune.oracle import assert_nested, masks_of, network_of, shapes, weights

some = settings(max_examples=80)


def lost(masks: Masks) -> list[int]:
    return [int((~mask).sum()) for mask in masks.values()]


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(prod(shape)))


def shares(totals: list[int], sizes: list[int], raw: list[float], limits: list[int] | None = None) -> list[list[int]]:
    whole = np.array(sizes)
    return allocate(np.array(totals), whole, np.array(limits or sizes), np.array(raw), np.ones_like(whole)).tolist()


def test_raw_densities_by_hand() -> None:
    assert raw_density("uniform", (3, 4)) == 1
    assert raw_density("erk", (10, 20)) == 30 / 200
    assert raw_density("erk", (8, 4, 3, 3)) == 18 / 288
    assert raw_density("erk", (5,)) == 1


def test_uniform_by_hand() -> None:
    """Half of 5 + 5 + 5 is 8 (half to even); each alone would lose 2, so that all lose 6."""
    layers = normal(5), normal(5), normal(5)
    assert lost(masks_of(Recipe(), *layers)) == [2, 2, 2]
    # All three round up to 3 at the same density: the first two of them make the total
    assert lost(masks_of(Recipe(allocation="uniform"), *layers)) == [3, 3, 2]


def test_erk_by_hand() -> None:
    """Linears of 10 x 10 and 10 x 40, 500 weights, 80 % to go: 100 stay.

    Raw densities are 20/100 and 50/400, so 100 = s (20 + 50): densities 2/7 and 5/28, of which 28.57 and 71.43 stay.
    """
    assert lost(masks_of(Recipe(amount=0.8, allocation="erk"), normal(10, 10), normal(10, 40))) == [71, 329]


def test_erk_saturates_by_hand() -> None:
    """2 x 2 and 20 x 20 at 50 %: 202 of 404 stay. Raw densities are 1 and 0.1: s (4 + 40) = 202 is s = 4.6, above 1.

    So the small layer stays dense, and the large one keeps the other 198.
    """
    assert lost(masks_of(Recipe(allocation="erk"), normal(2, 2), normal(20, 20))) == [0, 202]


def test_erk_of_a_convolution_by_hand() -> None:
    """8 x 4 x 3 x 3 has 288 weights and a sum of 18, 10 x 8 has 80 and 18: 92 of 368 stay, 46 of each."""
    assert lost(masks_of(Recipe(amount=0.75, allocation="erk"), normal(8, 4, 3, 3), normal(10, 8))) == [242, 34]


@some
@given(
    st.lists(weights(min_dims=2), min_size=1, max_size=5),
    st.sampled_from(("uniform", "erk")),
    st.lists(st.floats(0, 1), min_size=2, max_size=4).map(sorted),
)
def test_the_total_is_exact_and_nothing_comes_back(layers: list[Tensor], allocation: str, rising: list[float]) -> None:
    total = sum(layer.numel() for layer in layers)
    subject = Subject.from_module(network_of(*layers))
    masks = [compute_masks(subject, Recipe(amount=amount, allocation=allocation)) for amount in rising]
    assert [sum(lost(each)) for each in masks] == [round(amount * total) for amount in rising]
    for less, more in pairwise(masks):
        assert_nested(less, more)


@some
@given(st.lists(shapes(min_dims=2), min_size=1, max_size=6), st.sampled_from(("uniform", "erk")), st.data())
def test_shares_are_in_proportion(several: list[tuple[int, ...]], allocation: str, data: st.DataObject) -> None:
    """Against the papers' own way: take out the layers that would be denser than dense, and share the rest again."""
    sizes = [prod(shape) for shape in several]
    raw = [raw_density(allocation, shape) for shape in several]
    total = data.draw(st.integers(0, sum(sizes)))
    dense: set[int] = set()
    while True:
        left = [i for i in range(len(sizes)) if i not in dense]
        kept = sum(sizes) - total - sum(sizes[i] for i in dense)
        scale = kept / sum(raw[i] * sizes[i] for i in left) if left else 0
        too_dense = {i for i in left if scale * raw[i] > 1}
        if not too_dense:
            break
        dense |= too_dense
    expected = [sizes[i] if i in dense else scale * raw[i] * sizes[i] for i in range(len(sizes))]
    found = np.array(sizes) - shares([total], sizes, raw)[0]
    # Rounding moves the scale a little, so that no layer is off by more than half a weight and its part of that
    assert np.abs(found - expected).max() <= 1 + len(sizes) / 2


def test_many_amounts_at_once_are_the_single_ones() -> None:
    sizes, raw = [7, 30, 100, 1], [0.9, 0.3, 0.1, 2.0]
    totals = list(range(sum(sizes) + 1))
    table = shares(totals, sizes, raw)
    assert [sum(row) for row in table] == totals
    assert table == [shares([total], sizes, raw)[0] for total in totals]
    assert (np.diff(np.array(table), axis=0) >= 0).all()


def test_what_a_capped_layer_does_not_lose_the_others_do() -> None:
    """By hand: 15 of 20 shall go and one may lose 5 at most: the other loses its 10. Beyond, less than asked goes."""
    assert shares([10, 15, 18], [10, 10], [1.0, 1.0], [5, 10]) == [[5, 5], [5, 10], [5, 10]]
    masks = masks_of(Recipe(amount=0.7, cap=0.75, allocation="erk"), normal(2, 2), normal(20, 20))
    assert lost(masks) == [0, 283]
    masks = masks_of(Recipe(amount=0.9, cap=0.8, allocation="uniform"), normal(10), normal(10, 10))
    assert lost(masks) == [8, 80]


def test_a_layer_with_its_own_amount_has_no_part_in_the_total() -> None:
    layers = normal(5), normal(5), normal(100)
    masks = masks_of(Recipe(allocation="uniform", amounts={"2.weight": 0.1}), *layers)
    assert lost(masks) == [3, 2, 10]
    assert dict(masks.requested) == {"0.weight": 0.5, "1.weight": 0.5, "2.weight": 0.1}
    assert masks.requested_total == pytest.approx((5 + 10) / 110)


def test_of_erk_only_the_total_is_requested() -> None:
    masks = masks_of(Recipe(allocation="erk", amount=0.8, amounts={"0.weight": 0.1}), normal(10, 10), normal(10, 40))
    assert dict(masks.requested) == {"0.weight": 0.1}
    assert masks.requested_total == pytest.approx((10 + 320) / 500)


def test_channels_share_a_total_of_channels() -> None:
    """Half of 3 + 5 + 7 channels is 8 (half to even), where each alone would lose 2 + 2 + 4."""
    subject = Subject.from_module(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 5), nn.Linear(5, 7), nn.Linear(7, 4)))
    recipe = Recipe(granularity="channel", allocation="uniform", frozen=("3.weight",))
    ranked = rank_targets(subject, recipe)
    assert ranked.removed_at([0.5]).sum() == 8


def test_rows_meet_a_total_as_nearly_as_whole_places_allow() -> None:
    """By hand: 3 rows of 4 and 2 of 5, 22 weights. As the density falls, the second layer rounds down at 0.9 and 0.7
    and 0.5, the first at 0.875 and 0.625 and 0.375: 2, 5, 7, 10, 12, 15 weights are gone.
    """
    layers = normal(3, 4), normal(2, 5)
    for amount, expected in ((0.5, [6, 4]), (14 / 22, [6, 6]), (1.0, [12, 10])):
        masks = masks_of(Recipe(scope="row", amount=amount, allocation="uniform"), *layers)
        assert lost(masks) == expected
        for mask in masks.values():
            assert len(set(mask.sum(1).tolist())) == 1
