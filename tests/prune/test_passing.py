"""Masks cut from scores that pass by in pieces are those of the sorted ones, to the bit."""

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, compute_masks
from pruning_explorer.errors import ScoreError
from pruning_explorer.prune import passing
from pruning_explorer.prune.criteria import CRITERIA, Criterion
from pruning_explorer.prune.passing import pass_targets
from pruning_explorer.prune.ranking import global_cut, rank

NARROW = [torch.float32, torch.bfloat16, torch.float16]
FEW = [0.0, -0.0, 1.0, -1.0, 1.0078125, 2.0, 2.0**-14, 6e-8]
"""Two of them differ in the lower half of a float32's bits alone; equal ones are the rule."""


def passed_masks(subject: Subject, recipe: Recipe) -> dict[str, Tensor]:
    passed = pass_targets(subject, recipe)
    removed = passed.removed_at([recipe.amount])[0].tolist()
    return {
        target.name: torch.from_numpy(np.concatenate(list(passed.keep(index, removed[index])))).view(target.shape)
        for index, target in enumerate(passed.targets)
    }


def assert_same(subject: Subject, recipe: Recipe) -> None:
    found, wanted = passed_masks(subject, recipe), compute_masks(subject, recipe)
    assert found.keys() == set(wanted)
    for name, mask in wanted.items():
        assert torch.equal(found[name], mask), (recipe, name)


def network(seed: int, dtypes: list[torch.dtype], *, tied_scores: bool) -> Subject:
    generator = torch.Generator().manual_seed(seed)

    def values(*shape: int) -> Tensor:
        if tied_scores:
            return torch.tensor(FEW)[torch.randint(len(FEW), shape, generator=generator)]
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    layers: list[nn.Module] = [nn.Linear(6, 5), nn.Conv2d(4, 3, 2), nn.ConvTranspose2d(3, 4, 2), nn.Linear(3, 70)]
    for place, layer in enumerate(layers):
        for name, each in list(layer.named_parameters()):
            setattr(layer, name, nn.Parameter(values(*each.shape).to(dtypes[place % len(dtypes)])))
    # One that does not lie in row-major order
    turned = nn.Linear(7, 3, bias=False)
    turned.weight = nn.Parameter(values(7, 3).to(dtypes[0]).t())
    return Subject.from_module(nn.Sequential(*layers, turned), runnable=False)


recipes = st.builds(
    Recipe,
    criterion=st.sampled_from(["magnitude", "largest", "lamp", "random"]),
    granularity=st.sampled_from(["element", "n_m:n=1,m=3"]),
    scope=st.sampled_from(["layer", "global", "row"]),
    amount=st.floats(0, 1),
    biases=st.just(False),
    cap=st.sampled_from([1.0, 0.5]),
    seed=st.integers(0, 3),
)


@settings(deadline=None)
@given(st.data(), recipes, st.integers(0, 99), st.sampled_from([1, 7, 1 << 18]), st.booleans())
def test_every_mask_is_that_of_the_sorted_scores(
    data: st.DataObject, recipe: Recipe, seed: int, piece: int, tied_scores: bool
) -> None:
    dtypes = data.draw(st.sampled_from([[torch.float32], [torch.float64], NARROW, [torch.float64, torch.bfloat16]]))
    subject = network(seed, dtypes, tied_scores=tied_scores)
    amounts: dict[str, Any] = data.draw(st.sampled_from([{}, {"0.weight": 0.3}, {"3.weight": 1.0, "1.weight": 0.0}]))
    recipe = replace(recipe, amounts=amounts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passing, "PIECE", piece)
        assert_same(subject, recipe)


@pytest.mark.parametrize("granularity", ["channel:dim=1,n=1", "block:rows=2,cols=2", "block:rows=1,cols=1"])
@pytest.mark.parametrize("scope", ["layer", "global"])
def test_groups_are_cut_as_ever(granularity: str, scope: Any) -> None:
    subject = network(0, [torch.float32], tied_scores=False)
    targets = tuple(target.name for target in subject.targets if len(target.shape) > 1 and target.out_dim == 0)
    for amount in (0.0, 0.4, 1.0):
        assert_same(subject, Recipe(granularity=granularity, scope=scope, amount=amount, targets=targets))


@pytest.mark.parametrize("allocation", ["uniform", "erk"])
@pytest.mark.parametrize("scope", ["layer", "row"])
def test_a_total_is_shared_as_ever(allocation: Any, scope: Any) -> None:
    subject = network(1, NARROW, tied_scores=True)
    for amount in (0.1, 0.75):
        assert_same(subject, Recipe(allocation=allocation, scope=scope, amount=amount))


def test_what_never_goes_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def held(_scoring: Any, target: Any) -> Tensor:
        return torch.arange(target.numel).view(target.shape) % 3 == 0

    mine = Criterion("mine", "", "", lambda s, t: s.weight(t).abs(), protect=held)
    monkeypatch.setitem(CRITERIA, "mine", mine)
    subject = network(2, [torch.float32], tied_scores=True)
    for scope in ("layer", "global", "row"):
        assert_same(subject, Recipe(criterion="mine", scope=scope, amount=0.9))


@pytest.mark.parametrize("scope", ["layer", "global", "row"])
def test_scores_that_cannot_be_ranked_are_said_as_ever(scope: Any) -> None:
    layer = nn.Linear(3, 2, bias=False)
    layer.weight = nn.Parameter(torch.tensor([[1.0, torch.nan, 2.0], [torch.inf, 3.0, torch.nan]]))
    subject = Subject.from_module(layer, runnable=False)
    for amount in (0.0, 0.5):
        with pytest.raises(ScoreError, match=r"cannot be ranked \(2 NaN, 1 infinite of 6\)"):
            passed_masks(subject, Recipe(scope=scope, amount=amount))


def test_counts_and_sorted_scores_agree_on_every_cut() -> None:
    """In one ranking, too, where one is counted and the other sorted."""
    subject = network(3, [torch.float32], tied_scores=True)
    passed = pass_targets(subject, Recipe(scope="global", targets=("0.weight", "3.weight")))
    one, other = (rank(subject.weight(target.name).abs(), target.name) for target in passed.targets)
    totals = np.arange(one.groups + other.groups + 1)
    wanted = global_cut([one, other], totals)
    assert global_cut(passed.rankings, totals).tolist() == wanted.tolist()
    assert global_cut([passed.rankings[0], other], totals).tolist() == wanted.tolist()


@pytest.mark.parametrize("scope", ["layer", "global", "row"])
def test_a_layer_is_never_copied(scope: Any) -> None:
    """Of 16 MiB of weights, of which a ranking would take as much again and more."""
    layer = nn.Linear(2048, 2048, bias=False)
    subject = Subject.from_module(layer, runnable=False, identity=b"large")
    recipe = Recipe(scope=scope, amount=0.5)
    tracemalloc.start()
    passed = pass_targets(subject, recipe)
    removed = int(passed.removed_at([recipe.amount])[0, 0])
    kept = sum(int(np.count_nonzero(piece)) for piece in passed.keep(0, removed))
    _, peak = tracemalloc.get_traced_memory()  # of numpy's arrays; torch's are not counted
    tracemalloc.stop()
    assert kept == layer.weight.numel() // 2
    assert peak < 12 << 20
