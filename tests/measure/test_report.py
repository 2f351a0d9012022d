import json
import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, Subject, build_report, compute_masks
from pruning_explorer.errors import MaskError, SubjectError
from pruning_explorer.measure.cost import cost_totals
from pruning_explorer.measure.drift import drift_totals, sample_drift
from pruning_explorer.measure.forward import run_subject
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.measure.quality import quality_table
from pruning_explorer.measure.report import Report, report_of
from pruning_explorer.measure.sparsity import sparsity_totals
from pruning_explorer.prune.masks import Masks


def strict_json(content: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(content, allow_nan=False))


def test_a_report_holds_what_its_parts_measure(everything: Subject) -> None:
    recipe = Recipe(amount=0.5)
    masks = compute_masks(everything, recipe)
    report = build_report(everything, masks)
    outcome = run_subject(everything, masks)
    assert (report.subject, report.recipe) == (everything, recipe)
    assert report.drift is not None
    assert report.layer_drift is not None
    assert report.quality is not None
    pd.testing.assert_frame_equal(report.drift, sample_drift(outcome.dense, outcome.pruned))
    pd.testing.assert_frame_equal(report.layer_drift, layer_drift(everything, masks))
    pd.testing.assert_frame_equal(report.quality, quality_table(everything, outcome.dense, outcome.pruned))
    assert report.layers["macs_theoretical"].sum() == pytest.approx(report.layers["macs_dense"].sum() / 2)
    assert report.totals["sparsity"] == sparsity_totals(everything, masks)
    assert report.totals["cost"] == cost_totals(everything, masks)
    assert report.totals["drift"] == drift_totals(outcome.dense, outcome.pruned)
    assert report.totals["quality"]["samples"] == 24
    content = report.to_dict()
    assert strict_json(content) == content
    assert [row["target"] for row in content["layers"]] == list(masks)
    assert len(content["drift"]) == 24


def test_without_samples(make: Callable[..., Subject]) -> None:
    subject = make(lambda: nn.Linear(4, 3))
    report = build_report(subject, compute_masks(subject, Recipe(amount=0.5)))
    assert report.drift is report.layer_drift is report.quality is None
    assert report.totals["drift"] is report.totals["cost"] is report.totals["quality"] is None
    content = strict_json(report.to_dict())
    assert content["layers"][0]["removed"] == 6
    assert content["layers"][0]["macs_dense"] is None


def test_without_labels(make: Callable[..., Subject]) -> None:
    subject = make(lambda: nn.Linear(4, 3), torch.ones(2, 4))
    report = build_report(subject, compute_masks(subject, Recipe(amount=0.5)))
    assert report.quality is report.totals["quality"] is None
    assert report.drift is not None
    assert strict_json(report.to_dict())["quality"] is None


def test_nothing_removed_and_what_json_cannot_say(make: Callable[..., Subject]) -> None:
    subject = make(lambda: nn.Linear(4, 3), torch.ones(2, 4))
    report = build_report(subject, compute_masks(subject, Recipe(amount=0.0)))
    assert report.totals["drift"]["sqnr_db"] == math.inf
    assert strict_json(report.to_dict())["totals"]["drift"]["sqnr_db"] is None
    assert report.totals["drift"]["agreement"] == 1


def test_a_network_that_pruning_breaks(make: Callable[..., Subject]) -> None:
    class Normed(nn.Module):
        """Divides by the norm of what it made: 0 / 0 once all of it is pruned away."""

        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 3, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = self.fc(x)
            return hidden / hidden.norm(dim=1, keepdim=True)

    subject = make(Normed, torch.ones(2, 4), labels=torch.tensor([0, 0]))
    report = build_report(subject, Masks.from_dict(subject, {"fc.weight": torch.zeros(3, 4)}))
    totals = strict_json(report.to_dict())["totals"]
    assert totals["drift"]["kl_nats"] is None
    assert (totals["drift"]["agreement"], totals["drift"]["unanswered"]) == (0, 2)
    assert totals["quality"]["pruned"] == 0
    assert totals["sparsity"]["dead_channels"] == 3


def test_sequences_are_json_too(make: Callable[..., Subject]) -> None:
    subject = make(lambda: nn.Embedding(5, 3), torch.arange(4).reshape(2, 2), labels=torch.tensor([[0, 1], [2, 0]]))
    masks = compute_masks(subject, Recipe(amount=0.2, embeddings=True))
    content = strict_json(build_report(subject, masks).to_dict())
    assert all(len(row["dense_top1"]) == 2 for row in content["drift"])
    assert content["quality_name"] == "exact match"
    assert [row["group"] for row in content["quality"]] == ["all"]


def test_one_report_for_all_who_ask_and_nothing_is_run_until_it_is_looked_at(make: Callable[..., Subject]) -> None:
    class Counted(nn.Linear):
        calls = 0

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            Counted.calls += 1
            return super().forward(inputs)

    subject = make(lambda: Counted(4, 3), torch.ones(2, 4), labels=torch.tensor([0, 1]))
    report = report_of(subject, Recipe(amount=0.5))
    assert report.sparsity["achieved"] == 0.5
    assert report.sparsity_by_layer["removed"].tolist() == [6]
    assert Counted.calls == 0
    report.measure()
    assert report_of(subject, Recipe(amount=0.5)) is report
    measured = Counted.calls
    assert measured > 0
    assert report.to_dict()["totals"]["quality"]["samples"] == 2
    outcome = report.outcome
    report.measure()
    assert report.outcome is outcome
    assert report.recipe == Recipe(amount=0.5)


def test_masks_made_by_hand_have_no_recipe(everything: Subject) -> None:
    name = everything.targets[0].name
    masks = Masks.from_dict(everything, {name: torch.ones(everything.targets[0].shape)})
    report = build_report(everything, masks)
    assert report.to_dict()["recipe_id"] is None
    with pytest.raises(MaskError, match="by hand"):
        _ = report.recipe


def test_what_cannot_be_judged_is_refused_and_the_report_alone_tells_it(
    make: Callable[..., Subject],
) -> None:
    subject = make(lambda: nn.Linear(4, 3), torch.ones(2, 4), metric=lambda logits, labels: logits)
    masks = compute_masks(subject, Recipe())
    with pytest.raises(SubjectError) as refused:
        build_report(subject, masks)
    told = Report(subject, masks)
    assert told.quality is told.totals["quality"] is None
    assert told.quality_problem == str(refused.value)
    assert told.drift is not None
