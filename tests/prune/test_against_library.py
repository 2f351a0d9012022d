"""``torch.nn.utils.prune`` is the oracle: on the same weights and seed our masks are its masks, bit for bit.

Where equal scores meet the cut its choice is unspecified: there the count is exact and ours go in flat-index order.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import Masks, Recipe, Subject, compute_masks
from pruning_explorer.prune.criteria import seed_of
from pruning_explorer.prune.sorting import as_ranked
from tests.prune.oracle import (
    DTYPES,
    amounts,
    assert_same_up_to_ties,
    keep_by_stable_sort,
    masks_of,
    network_of,
    weights,
)

NORMS = (1, 2, 3, 0.5, math.inf, -math.inf)
SEEDS = st.integers(0, 2**31 - 1)
many = settings(max_examples=120)


def kept_channels(mask: Tensor, dim: int) -> Tensor:
    """Bool per channel; every channel must be kept or removed whole."""
    rows = mask.bool().movedim(dim, 0).flatten(1)
    assert torch.equal(rows.all(1), rows.any(1))
    return rows.all(1)


def ln_norm(weight: Tensor, n: float, dim: int) -> Tensor:
    return torch.norm(weight, p=n, dim=[d for d in range(weight.dim()) if d != dim % weight.dim()])


@many
@given(st.data(), weights())
def test_l1_unstructured(data: st.DataObject, weight: Tensor) -> None:
    amount = data.draw(amounts(weight.numel()))
    theirs = prune.l1_unstructured(network_of(weight)[0], "weight", amount).weight_mask
    ours = masks_of(Recipe(amount=amount), weight)["0.weight"]
    assert_same_up_to_ties(ours, theirs, weight.abs())
    assert torch.equal(ours, keep_by_stable_sort(weight.abs(), round(amount * weight.numel())))


@many
@given(st.data(), weights(), SEEDS)
def test_random_unstructured(data: st.DataObject, weight: Tensor, seed: int) -> None:
    """The second layer, so that its own stream is not the recipe's seed itself."""
    amount = data.draw(amounts(weight.numel()))
    network = network_of(torch.ones(3), weight)
    subject = Subject.from_module(network)
    own_seed = seed_of(subject.target("1.weight"), seed)
    torch.manual_seed(own_seed)
    theirs = prune.random_unstructured(network[1], "weight", amount).weight_mask
    ours = compute_masks(subject, Recipe("random", amount=amount, seed=seed))["1.weight"]
    torch.manual_seed(own_seed)
    scores = 1 - as_ranked(
        torch.rand(weight.shape, dtype=weight.dtype)
    )  # in half precision 1 - x makes ties of its own
    assert_same_up_to_ties(ours, theirs, scores)
    assert torch.equal(ours, keep_by_stable_sort(scores, round(amount * weight.numel())))


@many
@given(st.data(), weights(min_dims=2), st.sampled_from(NORMS))
def test_ln_structured(data: st.DataObject, weight: Tensor, n: float) -> None:
    dim = data.draw(st.integers(-weight.dim(), weight.dim() - 1))
    amount = data.draw(amounts(weight.shape[dim]))
    theirs = prune.ln_structured(network_of(weight)[0], "weight", amount, n, dim).weight_mask
    ours = masks_of(Recipe(granularity=f"channel:dim={dim},n={n}", amount=amount), weight)["0.weight"]
    channels, norm = kept_channels(ours, dim), ln_norm(weight, n, dim)
    assert_same_up_to_ties(channels, kept_channels(theirs, dim), norm)
    assert torch.equal(channels, keep_by_stable_sort(norm, round(amount * len(norm))))


@many
@given(st.data(), weights(min_dims=2), SEEDS)
def test_random_structured(data: st.DataObject, weight: Tensor, seed: int) -> None:
    dim = data.draw(st.integers(-weight.dim(), weight.dim() - 1))
    amount = data.draw(amounts(weight.shape[dim]))
    network = network_of(torch.ones(2, 2), weight)
    subject = Subject.from_module(network)
    torch.manual_seed(seed_of(subject.target("1.weight"), seed))
    theirs = prune.random_structured(network[1], "weight", amount, dim).weight_mask
    ours = compute_masks(subject, Recipe("random", f"channel:dim={dim}", amount=amount, seed=seed))["1.weight"]
    assert torch.equal(ours, theirs.bool())


def library_globally(network: nn.Module, method: type, amount: float) -> list[Tensor]:
    layers = [(layer, "weight") for layer in network.children()]
    prune.global_unstructured(layers, pruning_method=method, amount=amount)
    return [layer.weight_mask for layer, _ in layers]


def joined(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


@many
@given(st.data(), st.lists(weights(), min_size=1, max_size=4))
def test_global_l1(data: st.DataObject, several: list[Tensor]) -> None:
    """Of mixed dtypes too; equal scores at the cut go in the order of the layers, then by flat index."""
    total = sum(weight.numel() for weight in several)
    amount = data.draw(amounts(total))
    theirs = joined(library_globally(network_of(*several), prune.L1Unstructured, amount))
    ours = joined(list(masks_of(Recipe(scope="global", amount=amount), *several).values()))
    scores = joined([weight.abs().double() for weight in several])
    assert_same_up_to_ties(ours, theirs, scores)
    assert torch.equal(ours, keep_by_stable_sort(scores, round(amount * total)))


@many
@given(st.data(), st.lists(weights(), min_size=1, max_size=4), SEEDS)
def test_global_random(data: st.DataObject, several: list[Tensor], seed: int) -> None:
    """Also of mixed dtypes, where the library draws for all in the dtype they are promoted to."""
    total = sum(weight.numel() for weight in several)
    amount = data.draw(amounts(total))
    network = network_of(*several)
    torch.manual_seed(seed)
    theirs = joined(library_globally(network, prune.RandomUnstructured, amount))
    ours = joined(list(masks_of(Recipe("random", scope="global", amount=amount, seed=seed), *several).values()))
    torch.manual_seed(seed)
    scores = 1 - as_ranked(torch.rand_like(joined(several)))
    assert_same_up_to_ties(ours, theirs, scores)
    assert torch.equal(ours, keep_by_stable_sort(scores, round(amount * total)))


@many
@given(weights(), SEEDS)
def test_custom_from_mask(weight: Tensor, seed: int) -> None:
    mask = torch.rand(weight.shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    theirs = prune.custom_from_mask(network_of(weight)[0], "weight", mask)
    ours = network_of(weight)
    Masks.from_dict(Subject.from_module(ours), {"0.weight": mask}).apply(ours)
    assert torch.equal(ours[0].weight_mask, theirs.weight_mask)
    assert torch.equal(ours[0].weight, theirs.weight)


CHANNELS_LAST = {
    "l1": Recipe(amount=0.4),
    "random": Recipe("random", amount=0.4, seed=3),
    "channels": Recipe(granularity="channel:dim=1,n=2", amount=0.4),
    "random channels": Recipe("random", "channel:dim=-3", amount=0.4),
    "global": Recipe(scope="global", amount=0.4),
    "global random": Recipe("random", scope="global", amount=0.4),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("recipe", CHANNELS_LAST.values(), ids=CHANNELS_LAST.keys())
def test_memory_format_changes_nothing(recipe: Recipe, dtype: torch.dtype) -> None:
    """Where the library itself raises: 4 of its 6 methods cannot take a channels_last weight."""
    torch.manual_seed(0)
    flat, deep = torch.randn(8, 5, 3, 3).to(dtype), torch.randn(6, 8, 3, 1, 2).to(dtype)
    last = [flat.to(memory_format=torch.channels_last), deep.to(memory_format=torch.channels_last_3d)]
    assert not any(weight.is_contiguous() for weight in last)
    expected, found = masks_of(recipe, flat, deep), masks_of(recipe, *last)
    for name in expected:
        assert torch.equal(expected[name], found[name]), name
        assert found[name].is_contiguous()


def test_norms_do_not_depend_on_the_memory_format() -> None:
    """Channels of the same values in other places have one norm but for rounding: the order of summing decides."""
    torch.manual_seed(0)
    values = torch.randn(6 * 25)
    weight = torch.stack([values[torch.randperm(150)].view(6, 5, 5) for _ in range(64)])
    recipe = Recipe(granularity="channel:dim=0,n=2", amount=0.5)
    last = masks_of(recipe, weight.to(memory_format=torch.channels_last))["0.weight"]
    theirs = prune.ln_structured(network_of(weight)[0], "weight", 0.5, 2, 0).weight_mask
    assert_same_up_to_ties(last.all(3).all(2).all(1), theirs.flatten(1).all(1), ln_norm(weight, 2, 0))


def test_library_still_refuses_channels_last() -> None:
    """If this fails, the library has learnt it: hold ours against it here too."""
    with pytest.raises(RuntimeError, match="view"):
        prune.l1_unstructured(nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last), "weight", 0.5)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_large_normal_weights(dtype: torch.dtype) -> None:
    """Where ties at the cut are the rule: 120,000 weights in bf16 have some 1,400 magnitudes."""
    torch.manual_seed(1)
    weight = torch.randn(300, 400).to(dtype)
    for amount in (0.1, 0.5, 0.999):
        theirs = prune.l1_unstructured(network_of(weight)[0], "weight", amount).weight_mask
        ours = masks_of(Recipe(amount=amount), weight)["0.weight"]
        assert_same_up_to_ties(ours, theirs, weight.abs())


def test_half_rounds_to_even() -> None:
    """By hand: half of 5 is 2, half of 7 is 4, half of 1 is none."""
    for count, removed in ((5, 2), (7, 4), (1, 0), (3, 2)):
        weight = torch.arange(1.0, count + 1)
        kept = masks_of(Recipe(amount=0.5), weight)["0.weight"]
        assert kept.tolist() == [False] * removed + [True] * (count - removed)


def test_ties_go_in_flat_index_order() -> None:
    """By hand: six weights of magnitude 1, one of 2; half of the seven is four, the first four of the ones."""
    weight = torch.tensor([[1.0, -1.0, 2.0, 1.0], [-1.0, 1.0, -1.0, 3.0]])
    kept = masks_of(Recipe(amount=0.5), weight)["0.weight"]
    assert kept.int().tolist() == [[0, 0, 1, 0], [0, 1, 1, 1]]


def test_channels_by_hand() -> None:
    """Row norms: L1 7, 6, 4; L2 5, 6, 4; inf 4, 6, 4: one of three rows goes, and on a tie the first."""
    weight = torch.tensor([[3.0, -4.0], [0.0, 6.0], [-4.0, 0.0]])
    for n, gone in ((1, 2), (2, 2), (math.inf, 0), (-math.inf, 1)):
        kept = masks_of(Recipe(granularity=f"channel:dim=0,n={n}", amount=1 / 3), weight)["0.weight"]
        assert kept.all(1).tolist() == [row != gone for row in range(3)], n
