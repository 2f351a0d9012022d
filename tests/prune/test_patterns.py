"""N of every M, and blocks: by hand, as methods of the library, and beside torch.ao's sparsifier."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.ao.pruning import WeightNormSparsifier
from torch.nn.utils import prune

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import RecipeError
from pruning_explorer.prune import patterns
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.patterns import Block, LnBlock, NOfMUnstructured, best_of_each
from tests.prune.oracle import amounts, assert_nested, masks_of, network_of, weights

some = settings(max_examples=60)

EIGHT = torch.tensor([[1.0, -8.0, 3.0, 2.0, 7.0, -5.0, 6.0, 4.0]])


def mask_of(granularity: str, amount: float, weight: Tensor, **others: object) -> Tensor:
    return masks_of(Recipe(granularity=granularity, amount=amount, **others), weight)["0.weight"]


def torch_ao(weight: Tensor, **config: object) -> Tensor:
    """The mask of torch's own sparsifier on a Linear of this weight."""
    network = nn.Sequential(nn.Linear(weight.shape[1], weight.shape[0], bias=False))
    network[0].weight = nn.Parameter(weight.clone())
    sparsifier = WeightNormSparsifier(**config)
    sparsifier.prepare(network, [{"tensor_fqn": "0.weight"}])
    sparsifier.step()
    return network[0].parametrizations.weight[0].mask.bool()


def test_two_of_four_by_hand() -> None:
    """1 and 2 of the first four go, 5 and 4 of the others."""
    assert mask_of("n_m", 0.5, EIGHT).int().tolist() == [[0, 1, 1, 0, 1, 0, 1, 0]]


@pytest.mark.parametrize("dim", [0, 1])
def test_the_best_of_each_are_the_same_piece_by_piece(dim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = torch.rand(9, 7, generator=torch.Generator().manual_seed(0))
    whole = best_of_each(scores, 1, 3, dim)
    monkeypatch.setattr(patterns, "IN_PARTS_FROM", 1)
    monkeypatch.setattr(patterns, "PIECE", 20)
    assert torch.equal(best_of_each(scores, 1, 3, dim), whole)


def test_n_m_below_its_own_sparsity_takes_the_least_of_those_that_may_go() -> None:
    """By hand: 1, 2, 4 and 5 may go, in this order; three of eight do. The 3 is less than the 4, and stays."""
    assert mask_of("n_m", 0.375, EIGHT).int().tolist() == [[0, 1, 1, 0, 1, 1, 1, 0]]
    assert mask_of("n_m", 0.125, EIGHT).int().tolist() == [[0, 1, 1, 1, 1, 1, 1, 1]]


def test_n_m_never_goes_beyond_its_own_sparsity() -> None:
    masks = masks_of(Recipe(granularity="n_m", amount=1.0), EIGHT)
    assert masks.kept("0.weight") == 4
    assert masks.requested_total == 1.0


def test_a_short_group_keeps_n() -> None:
    """Six inputs: a group of four and a group of two, which both stay; of one weight one stays."""
    assert mask_of("n_m", 1.0, EIGHT[:, :6]).int().tolist() == [[0, 1, 1, 0, 1, 1]]
    assert mask_of("n_m:n=1,m=4", 1.0, EIGHT[:, :5]).int().tolist() == [[0, 1, 0, 0, 1]]


def test_of_equal_weights_the_first_go() -> None:
    assert mask_of("n_m:n=1,m=3", 1.0, torch.ones(1, 6)).int().tolist() == [[0, 0, 1, 0, 0, 1]]


def test_neighbours_lie_along_the_input_dim() -> None:
    """A convolution's groups are four inputs at one place of the kernel; a transposed one has its inputs in dim 0."""
    torch.manual_seed(0)
    conv, transposed = nn.Conv2d(8, 6, 3), nn.ConvTranspose2d(8, 6, 3)
    masks = compute_masks(Subject.from_module(nn.Sequential(conv, transposed)), Recipe(granularity="n_m", amount=0.5))
    assert (masks["0.weight"].view(6, 2, 4, 3, 3).sum(2) == 2).all()
    assert (masks["1.weight"].view(2, 4, 6, 3, 3).sum(1) == 2).all()


@some
@given(weights(min_dims=2), st.integers(1, 40), st.integers(1, 40), st.data())
def test_n_m_is_the_stable_order_of_each_group(weight: Tensor, n: int, more: int, data: st.DataObject) -> None:
    m, dim = n + more, data.draw(st.integers(0, 1))
    best = best_of_each(weight.abs(), n, m, dim).movedim(dim, -1).flatten(0, -2)
    rows = weight.abs().double().movedim(dim, -1).flatten(0, -2)
    for row, found in zip(rows, best, strict=True):
        for group, marks in zip(row.split(m), found.split(m), strict=True):
            expected = torch.zeros(len(group), dtype=torch.bool)
            expected[torch.sort(group, stable=True).indices[-n:]] = True
            assert torch.equal(marks, expected)


@some
@given(st.lists(weights(min_dims=2), min_size=1, max_size=3), st.sampled_from(("layer", "row", "global")), st.data())
def test_n_m_holds_at_every_amount(layers: list[Tensor], scope: str, data: st.DataObject) -> None:
    """At least N of each group stay, more amount removes the same and more, and all that may go does in the end."""
    subject = Subject.from_module(network_of(*layers))
    recipe = Recipe(granularity="n_m:n=1,m=3", scope=scope, amount=data.draw(st.floats(0, 1)))
    if all(layer.shape[1] == 1 for layer in layers):
        with pytest.raises(RecipeError, match=r"no layer .* its input dim is 1, so 1 of every 3 are all there are"):
            compute_masks(subject, recipe)
        return
    some_gone = compute_masks(subject, recipe)
    all_gone = compute_masks(subject, Recipe(granularity=recipe.granularity, scope=scope, amount=1.0))
    assert_nested(some_gone, all_gone)
    for mask in all_gone.values():
        for row in mask.movedim(1, -1).flatten(0, -2):
            assert [int(group.sum()) for group in row.split(3)] == [1] * -(-len(row) // 3)


@some
@given(st.integers(1, 6), st.integers(1, 5), st.sampled_from((2, 4, 8)), st.data())
def test_n_m_is_what_torch_ao_does(rows: int, groups: int, m: int, data: st.DataObject) -> None:
    """Where whole groups fill the row: it fills up a short one with weights that count as the largest."""
    zeros = data.draw(st.integers(1, m - 1))
    weight = (torch.randperm(rows * groups * m, generator=torch.Generator().manual_seed(rows)) + 1.0).view(rows, -1)
    theirs = torch_ao(weight, sparsity_level=1.0, sparse_block_shape=(1, m), zeros_per_block=zeros)
    assert torch.equal(mask_of(f"n_m:n={m - zeros},m={m}", 1.0, weight), theirs)
    assert torch.equal(mask_of(f"n_m:n={m - zeros},m={m}", zeros / m, weight), theirs)


RAGGED = torch.tensor([[1.0, 1.0, 3.0], [1.0, 2.0, 0.0], [0.0, -2.0, -1.5]])


def test_blocks_by_hand() -> None:
    """2 x 2 blocks of 3 x 3: L1 norms 5, 3 / 2, 1.5; L2 7^.5, 3 / 2, 1.5; inf 2, 3 / 2, 1.5."""
    assert mask_of("block:rows=2,cols=2,n=1", 0.25, RAGGED).int().tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 0]]
    assert mask_of("block:rows=2,cols=2,n=1", 0.75, RAGGED).int().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert mask_of("block:rows=2,cols=2", 0.75, RAGGED).int().tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    scores = Block(2, 2, 1).group_scores(RAGGED.abs())
    assert scores.tolist() == [[5, 3], [2, 1.5]]


@pytest.mark.parametrize("n", [-math.inf, -2, 0, 0.5, 1, 2, 3, math.inf])
def test_what_fills_up_a_block_does_not_count(n: float) -> None:
    """Each block's norm is that of the weights in it, in convolutions over the flattened kernel."""
    torch.manual_seed(0)
    weight = torch.rand(5, 2, 2, 2) + 0.1
    matrix = weight.view(5, 8)
    expected = [
        [float(torch.linalg.vector_norm(matrix[i : i + 2, j : j + 3], ord=n)) for j in (0, 3, 6)] for i in (0, 2, 4)
    ]
    torch.testing.assert_close(Block(2, 3, n).group_scores(weight), torch.tensor(expected))


def test_weights_that_go_with_ragged_blocks() -> None:
    """By hand: the blocks hold 4, 2, 2 and 1 weights and go in the order of their L1 norms 1.5, 2, 3, 5."""
    ranked = rank_targets(Subject.from_module(network_of(RAGGED)), Recipe(granularity="block:rows=2,cols=2,n=1"))
    removed = ranked.removed_at([0.0, 0.25, 0.5, 0.75, 1.0])[:, 0]
    assert removed.tolist() == [0, 1, 2, 3, 4]
    assert ranked.removed_weights(0, removed).tolist() == [0, 1, 3, 5, 9]


@some
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.sampled_from((1, 2)), st.data())
def test_blocks_are_what_torch_ao_does(
    rows: int, cols: int, down: int, across: int, n: int, data: st.DataObject
) -> None:
    """Where blocks fill the matrix: at an edge torch.ao takes a block's mean where ours takes its norm."""
    stream = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31)))
    weight = torch.randn(rows * down, cols * across, generator=stream)
    amount = data.draw(amounts(down * across))
    if round(amount * down * across) == down * across:
        return  # torch.ao keeps one block of all at any level below 1
    theirs = torch_ao(weight, sparsity_level=amount, sparse_block_shape=(rows, cols), norm=n)
    assert torch.equal(mask_of(f"block:rows={rows},cols={cols},n={n}", amount, weight), theirs)


@some
@given(st.data(), weights(min_dims=2, kinds=("distinct", "normal")))
def test_their_methods_work_with_the_library(data: st.DataObject, weight: Tensor) -> None:
    """``prune.*`` given our methods makes our masks."""
    amount = data.draw(amounts(weight.numel()))
    network = network_of(weight)
    NOfMUnstructured.apply(network[0], "weight", amount=amount, n=1, m=4)
    if weight.shape[1] > 1:
        assert torch.equal(network[0].weight_mask.bool(), mask_of("n_m:n=1,m=4", amount, weight))
    network = network_of(weight)
    LnBlock.apply(network[0], "weight", amount=amount, rows=2, cols=3, n=1)
    assert torch.equal(network[0].weight_mask.bool(), mask_of("block:rows=2,cols=3,n=1", amount, weight))
    assert not hasattr(prune.remove(network[0], "weight"), "weight_mask")


def test_a_second_call_takes_of_what_is_left() -> None:
    """By hand: 1 and 2 go, then half of the six left, of which the pattern allows 4 and 5.

    Of the blocks of L1 norms 9, 5, 12, 10 one of four goes, then one of three.
    """
    network = network_of(EIGHT)
    NOfMUnstructured.apply(network[0], "weight", amount=2)
    assert network[0].weight_mask.int().tolist() == [[0, 1, 1, 0, 1, 1, 1, 1]]
    NOfMUnstructured.apply(network[0], "weight", amount=0.5)
    assert network[0].weight_mask.int().tolist() == [[0, 1, 1, 0, 1, 0, 1, 0]]
    network = network_of(EIGHT)
    LnBlock.apply(network[0], "weight", amount=0.25, rows=1, cols=2, n=1)
    LnBlock.apply(network[0], "weight", amount=1 / 3, rows=1, cols=2, n=1)
    assert network[0].weight_mask.int().tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]]


def test_methods_check_their_amounts() -> None:
    for method in (NOfMUnstructured, LnBlock):
        with pytest.raises(ValueError, match="amount"):
            method(1.5)
        with pytest.raises(ValueError, match="amount=9"):
            method.apply(network_of(EIGHT)[0], "weight", amount=9)


REFUSED = [
    ("n_m:n=4,m=4", "n_m keeps 4 of every 4, which removes nothing; choose n below m"),
    ("n_m:n=0", r"n 0 is outside \[1, 255\]"),
    ("n_m:m=300", r"m 300 is outside \[2, 256\]"),
    ("block:rows=0", r"rows 0 is outside \[1, 4096\]"),
    ("block:rows=1.5", "rows must be a whole number"),
]


@pytest.mark.parametrize(("granularity", "message"), REFUSED)
def test_settings_that_make_no_sense(granularity: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Recipe(granularity=granularity)


def test_targets_that_have_no_such_groups() -> None:
    subject = Subject.from_module(nn.Sequential(nn.Linear(2, 3), nn.ConvTranspose1d(4, 4, 1), nn.Linear(3, 2)))
    assert list(compute_masks(subject, Recipe(granularity="n_m", biases=True))) == ["1.weight", "2.weight"]
    assert list(compute_masks(subject, Recipe(granularity="block"))) == ["0.weight", "2.weight"]
    for recipe, message in (
        (Recipe(granularity="n_m", targets=("0.weight",)), r"0\.weight .* n_m:n=2,m=4: its input dim is 2, so 2 of"),
        (Recipe(granularity="n_m", targets=("0.bias",)), "one dim only"),
        (Recipe(granularity="block", targets=("0.bias",)), "one dim only"),
        (Recipe(granularity="block", targets=("1.weight",)), "outputs lie along dim 1"),
    ):
        with pytest.raises(RecipeError, match=message):
            compute_masks(subject, recipe)
