"""Counts over all amounts say what the masks at each of them do."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning_explorer import Recipe, Subject, load_subject
from pruning_explorer.measure.counts import Counts, counts_at
from pruning_explorer.measure.report import report_of
from pruning_explorer.prune.engine import rank_targets

RECIPES = [
    Recipe(),
    Recipe(scope="global"),
    Recipe(scope="global", cap=0.6),
    Recipe(scope="row"),
    Recipe(granularity="n_m:n=2,m=4"),
    Recipe(granularity="block:rows=3,cols=5"),
    Recipe(granularity="channel"),
    Recipe(granularity="channel", scope="global", cap=0.9),
    Recipe(criterion="random", seed=3),
    Recipe(amounts={"block1.conv1.weight": 0.3}),
    Recipe(scope="global", amounts={"fc.weight": 0.25}),
    Recipe(allocation="erk"),
]


def counts_of(subject: Subject, recipe: Recipe, amount: float) -> Counts:
    ranked = rank_targets(subject, recipe)
    return counts_at(subject, ranked, ranked.removed_at([amount]))


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@given(thousandth=st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_they_are_those_of_the_masks(recipe: Recipe, thousandth: int) -> None:
    subject, amount = load_subject("digits-cnn"), thousandth / 1000
    counts = counts_of(subject, recipe, amount)
    report = report_of(subject, replace(recipe, amount=amount))
    assert counts.kept[0].tolist() == report.sparsity_by_layer["kept"].tolist()
    assert counts.nonzero_kept is None
    assert report.cost is not None
    removed = 1 - counts.kept[0] / report.layers["weights"]
    saved = float((report.layers["macs_dense"] * removed).sum())
    assert report.cost["macs_dense"] - saved == pytest.approx(report.cost["macs_theoretical"])


@pytest.mark.parametrize("granularity", ["element", "channel", "block:rows=3,cols=5"])
def test_zeros_that_were_there_before_are_told_apart(granularity: str) -> None:
    subject = load_subject("digits-mlp")
    model = subject.model
    name = subject.targets[0].name
    weight = dict(model.named_parameters())[name].detach().clone()
    weight[::3, ::2] = 0
    copy = torch.nn.Sequential(torch.nn.Linear(weight.shape[1], weight.shape[0]))
    copy[0].weight.data = weight
    holed = Subject.from_module(copy, torch.zeros(2, weight.shape[1]), name="holed")
    recipe = Recipe(granularity=granularity)
    for amount in (0.0, 0.2, 0.5, 0.9, 1.0):
        counts = counts_of(holed, recipe, amount)
        totals = report_of(holed, replace(recipe, amount=amount)).sparsity
        lost = totals["nonzero_parameters_dense"] - totals["nonzero_parameters"]
        if counts.nonzero_kept is None:
            assert counts.kept.sum() == int((weight != 0).sum()) - lost
        else:
            assert counts.nonzero_kept.sum() == int((weight != 0).sum()) - lost


def test_after_a_schedule_they_hold_at_its_own_amount() -> None:
    subject = load_subject("digits-mlp")
    recipe = Recipe(amount=0.8, criterion="wanda", schedule="linear:steps=3")
    counts = counts_of(subject, recipe, 0.8)
    assert counts.kept[0].tolist() == report_of(subject, recipe).sparsity_by_layer["kept"].tolist()


def test_without_inputs_zeros_are_not_counted() -> None:
    subject = load_subject("tutorial-mlp")
    bare = replace(subject, samples=None, labels=None, runnable=False)
    ranked = rank_targets(bare, Recipe())
    counts = counts_at(bare, ranked, ranked.removed_at([0.0, 1.0]))
    assert counts.nonzero_kept is None
    assert counts.kept.tolist() == [[20, 12], [0, 0]]
