"""What the prune tests share: networks of given weights, draws of weights and amounts, and how masks are compared."""

from collections.abc import Mapping
from math import prod

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from pruning_explorer import Masks, Recipe, Subject, compute_masks

DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)


def network_of(*weights: Tensor) -> nn.Module:
    """A network whose layers hold these weights, whatever their shape: ``"0.weight"``, ``"1.weight"`` ..."""
    layers = []
    for weight in weights:
        layer = nn.Linear(1, 1, bias=False)
        layer.weight = nn.Parameter(weight.clone(memory_format=torch.preserve_format))
        layers.append(layer)
    return nn.Sequential(*layers)


def masks_of(recipe: Recipe, *weights: Tensor) -> Masks:
    return compute_masks(Subject.from_module(network_of(*weights)), recipe)


def keep_by_stable_sort(scores: Tensor, removed: int) -> Tensor:
    """The rule itself, the slow way: the least go first, equal ones in flat-index order."""
    keep = torch.ones(scores.numel(), dtype=torch.bool)
    keep[torch.sort(scores.flatten().double(), stable=True).indices[:removed]] = False
    return keep.view(scores.shape)


def assert_same_up_to_ties(ours: Tensor, theirs: Tensor, scores: Tensor) -> None:
    """Equal masks, but for which of the scores that equal the cut are kept; then at least as many of them.

    Args:
        ours, theirs: kept or not, per group.
        scores: per group; the least go first.
    """
    ours, theirs = ours.bool().flatten(), theirs.bool().flatten()
    assert ours.sum() == theirs.sum()
    if bool(ours.all()):
        return
    cut = scores.flatten()[~ours].max()
    at_cut = scores.flatten() == cut
    assert torch.equal(ours[~at_cut], theirs[~at_cut])
    if at_cut.sum() == 1 or bool(ours[at_cut].any()) is False:
        assert torch.equal(ours, theirs)


def assert_nested(less: Mapping[str, Tensor], more: Mapping[str, Tensor]) -> None:
    """What the larger amount keeps, the smaller one keeps too."""
    for name in less:
        assert not bool((more[name] & ~less[name]).any()), name


def shapes(min_dims: int = 1, most: int = 256) -> st.SearchStrategy[tuple[int, ...]]:
    return (
        st.lists(st.integers(1, 7), min_size=min_dims, max_size=5).map(tuple).filter(lambda shape: prod(shape) <= most)
    )


@st.composite
def weights(
    draw: st.DrawFn, min_dims: int = 1, kinds: tuple[str, ...] = ("distinct", "few values", "normal")
) -> Tensor:
    """A weight: of distinct magnitudes (no ties at all), of few values (ties nearly always), or normal.

    Half of the distinct ones of float64 are infinite or all equal in float32.
    """
    shape, dtype, kind = draw(shapes(min_dims)), draw(st.sampled_from(DTYPES)), draw(st.sampled_from(kinds))
    stream = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    count = prod(shape)
    if kind == "normal":
        return torch.randn(shape, generator=stream).to(dtype)
    if kind == "few values":
        few = torch.tensor([-2.0, -1.0, -0.0, 0.0, 1.0, 2.0])
        return few[torch.randint(len(few), shape, generator=stream)].to(dtype)
    # Whole numbers up to 256 over a power of two are exact in all three dtypes
    magnitudes = (torch.randperm(count, generator=stream) + 1) / 64
    signs = torch.randint(2, (count,), generator=stream) * 2 - 1
    if dtype == torch.float64 and draw(st.booleans()):
        magnitudes = (1 + magnitudes.double() * 2.0**-35) * draw(st.sampled_from([1.0, 1e39, 1e-60]))
    return (magnitudes * signs).view(shape).to(dtype)


@st.composite
def amounts(draw: st.DrawFn, groups: int) -> float:
    """A fraction in [0, 1], among them those that fall half way between two counts, which round to the even one."""
    half_way = (draw(st.integers(0, max(0, groups - 1))) + 0.5) / groups
    edges = [0.0, 1.0, half_way, 1e-12, 1 / groups, 1 - 1e-12]
    return draw(st.sampled_from(edges) | st.floats(0, 1))
