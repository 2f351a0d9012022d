"""The exit order of one target, and the cut through several, on numbers small enough to do by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pruning_explorer.errors import ScoreError
from pruning_explorer.prune.ranking import global_cut, rank, rank_rows, rank_survivors
from tests.prune.oracle import keep_by_stable_sort

float32 = st.floats(0, width=32, allow_nan=False, allow_infinity=False)


def test_ranks_by_hand() -> None:
    """0.5 goes first, then the two ones in flat-index order, then 3."""
    ranking = rank(torch.tensor([[1.0, 0.5], [3.0, 1.0]]), "w")
    assert ranking.ranks.tolist() == [1, 0, 3, 2]
    assert ranking.ordered_bits.view(np.float32).tolist() == [0.5, 1.0, 1.0, 3.0]
    assert [ranking.keep(removed).int().tolist() for removed in range(5)] == [
        [1, 1, 1, 1],
        [1, 0, 1, 1],
        [0, 0, 1, 1],
        [0, 0, 1, 0],
        [0, 0, 0, 0],
    ]
    assert (ranking.groups, ranking.nbytes) == (4, 32)


@given(st.lists(float32 | st.sampled_from([0.0, -0.0, 1.0, 1e-45, 3.4e38]), min_size=1, max_size=40))
def test_ranks_are_a_stable_sort(values: list[float]) -> None:
    """Zeros of both signs and the smallest denormals among them."""
    scores = torch.tensor(values)
    ranking = rank(scores, "w")
    assert sorted(ranking.ranks.tolist()) == list(range(len(values)))
    assert torch.equal(torch.from_numpy(ranking.scores), scores)
    for removed in range(len(values) + 1):
        assert torch.equal(ranking.keep(removed), keep_by_stable_sort(scores, removed))


@pytest.mark.parametrize(
    ("scores", "found"),
    [
        ([1.0, np.nan, np.nan], "2 NaN of 3"),
        ([np.inf, 1.0], "1 infinite of 2"),
        ([-1.0, 1.0], "1 negative of 2"),
        ([np.nan, -np.inf, -2.0], "1 NaN, 1 infinite, 2 negative of 3"),
    ],
)
def test_scores_that_cannot_be_ranked(scores: list[float], found: str) -> None:
    with pytest.raises(ScoreError, match=rf"^fc\.weight has scores that cannot be ranked \({found}\); repair"):
        rank(torch.tensor(scores), "fc.weight")


def test_neither_scores_nor_their_memory_are_touched() -> None:
    scores = torch.tensor([[3.0, -0.0], [1.0, 2.0]]).T
    before = scores.clone()
    assert rank(scores, "w").ranks.tolist() == [3, 1, 0, 2]
    assert torch.equal(scores, before)


def test_global_cut_by_hand() -> None:
    """Scores 2 1 2 | 3 2 | 0: the zero goes, then the one, then the twos of the first target, then the other's."""
    rankings = [rank(torch.tensor(values), "w") for values in ([2.0, 1.0, 2.0], [3.0, 2.0], [0.0])]
    assert global_cut(rankings, np.arange(7)).tolist() == [
        [0, 0, 0],
        [0, 0, 1],
        [1, 0, 1],
        [2, 0, 1],
        [3, 0, 1],
        [3, 1, 1],
        [3, 2, 1],
    ]
    # The first may lose one at most: the others make up for it, until all limits bind
    assert global_cut(rankings, np.arange(7), [1, 2, 1]).tolist() == [
        [0, 0, 0],
        [0, 0, 1],
        [1, 0, 1],
        [1, 1, 1],
        [1, 2, 1],
        [1, 2, 1],
        [1, 2, 1],
    ]


scores_of_several = st.lists(
    st.lists(st.sampled_from([0.0, 1e-45, 0.5, 1.0, 2.0]) | float32, min_size=1, max_size=8).map(torch.tensor),
    min_size=1,
    max_size=4,
)


@given(scores_of_several)
def test_global_cut_is_one_stable_sort_of_all(several: list[Tensor]) -> None:
    total = sum(len(scores) for scores in several)
    removed = global_cut([rank(scores, "w") for scores in several], np.arange(total + 1))
    for count in range(total + 1):
        keep = keep_by_stable_sort(torch.cat(several), count).split([len(scores) for scores in several])
        assert removed[count].tolist() == [int((~part).sum()) for part in keep]


def test_what_never_goes_comes_last() -> None:
    """By hand: of 4 1 3 2 the 1 and the 3 are held; 2 and 4 go, and no cut comes near the others."""
    held = torch.tensor([[False, True], [True, False]])
    ranking = rank(torch.tensor([[4.0, 1.0], [3.0, 2.0]]), "w", held)
    assert ranking.ranks.tolist() == [1, 2, 3, 0]
    assert (ranking.groups, ranking.removable) == (4, 2)
    assert ranking.scores.tolist() == [4, 1, 3, 2]
    other = rank(torch.tensor([1.5, 3.5]), "v")
    assert global_cut([ranking, other], np.arange(7)).tolist() == [
        [0, 0],
        [0, 1],
        [1, 1],
        [1, 2],
        [2, 2],
        [2, 2],
        [2, 2],
    ]


@given(scores_of_several, st.data())
def test_held_groups_leave_the_order_of_the_others(several: list[Tensor], data: st.DataObject) -> None:
    for scores in several:
        held = torch.tensor(data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))))
        ranking = rank(scores, "w", held)
        free = rank(scores[~held], "w")
        assert ranking.removable == free.groups
        assert ranking.ranks[~held.numpy()].tolist() == free.ranks.tolist()
        assert torch.equal(torch.from_numpy(ranking.scores), scores)


def test_rows_by_hand() -> None:
    """Each row has its own order; rank 0 is one weight in each."""
    scores = torch.tensor([[3.0, 1.0, 2.0], [10.0, 10.0, 5.0]])
    ranking = rank_rows(scores, "w")
    assert ranking.ranks.tolist() == [2, 0, 1, 1, 2, 0]
    assert (ranking.groups, ranking.rows, ranking.removable, ranking.nbytes) == (3, 2, 3, 48)
    assert ranking.keep(2).int().tolist() == [1, 0, 0, 0, 1, 0]
    assert ranking.scores.tolist() == scores.flatten().tolist()


def test_the_row_that_holds_most_limits_all() -> None:
    held = torch.tensor([[False, True, False], [True, True, False]])
    ranking = rank_rows(torch.tensor([[3.0, 1.0, 2.0], [1.0, 2.0, 3.0]]), "w", held)
    assert ranking.removable == 1
    assert ranking.ranks.tolist() == [1, 2, 0, 1, 2, 0]


def test_rows_along_another_dim() -> None:
    """Of a transposed convolution an output's row is one index of dim 1."""
    scores = torch.tensor([[[4.0, 1.0], [1.0, 2.0]], [[3.0, 2.0], [4.0, 3.0]]])
    ranking = rank_rows(scores, "w", row_dims=(1,))
    assert ranking.ranks.reshape(2, 2, 2).tolist() == [[[3, 0], [0, 1]], [[2, 1], [3, 2]]]


def test_bad_scores_in_a_row() -> None:
    with pytest.raises(ScoreError, match=r"1 NaN of 4"):
        rank_rows(torch.tensor([[1.0, 2.0], [np.nan, 1.0]]), "w")


def test_survivors_by_hand() -> None:
    """3 1 2 0 lose two, the 0 and the 1; the others are scored 5 and 7, where it is gone whatever is said."""
    first = rank(torch.tensor([3.0, 1.0, 2.0, 0.0]), "w")
    again = rank_survivors(first, 2, torch.tensor([5.0, torch.nan, 7.0, -1.0]), "w")
    assert again.ranks.tolist() == [2, 1, 3, 0]
    assert again.scores.tolist() == [5, 1, 7, 0]
    assert again.ordered_bits.tolist() == [0, 0, *(int(np.float32(x).view(np.uint32)) + 1 for x in (5, 7))]
    with pytest.raises(ScoreError, match="1 NaN of 2"):
        rank_survivors(first, 2, torch.tensor([torch.nan, 1.0, 7.0, 1.0]), "w")


def test_survivors_of_rows_and_the_largest_score() -> None:
    scores = torch.tensor([[3.0, 1.0, 2.0], [1.0, 2.0, 3.0]])
    again = rank_survivors(rank_rows(scores, "w"), 1, 4 - scores, "w", row_dims=(0,))
    assert again.ranks.tolist() == [1, 0, 2, 0, 2, 1]
    assert (again.groups, again.rows, again.removable) == (3, 2, 3)
    largest = torch.finfo(torch.float32).max
    again = rank_survivors(rank(torch.tensor([1.0, largest]), "w"), 1, torch.tensor([0.0, largest]), "w")
    assert global_cut([again], np.arange(3)).tolist() == [[0], [1], [2]]
