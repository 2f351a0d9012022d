"""The report: what masks do to a subject, in one value."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pruning_explorer.measure.cost import cost_totals, layer_cost
from pruning_explorer.measure.drift import Drift, measure_drift
from pruning_explorer.measure.forward import Outcome, run_subject
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.measure.quality import (
    dense_quality,
    interval_name,
    quality_label,
    quality_totals,
    sample_quality,
    table_of,
)
from pruning_explorer.measure.sparsity import layer_sparsity, sparsity_totals
from pruning_explorer.prune.behaviour import Behaviour, behaviour_of
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.subject import Subject


@dataclass(frozen=True, eq=False)
class Report:
    """What masks do to a subject. A table is None where the subject lacks what it needs.

    Attributes:
        subject, subject_id, recipe_id: what was measured; ``recipe_id`` is None for masks made by hand.
        quality_name: what being right is called, ``"accuracy"`` or ``"exact match"``; ``"mean F1"`` where a metric
            gives fractions.
        quality_interval: how its intervals are found, ``"Wilson"`` or ``"bootstrap"``.
        layers: :func:`~pruning_explorer.measure.sparsity.layer_sparsity` with the columns ``macs_dense`` and
            ``macs_theoretical`` of :func:`~pruning_explorer.measure.cost.layer_cost` (NaN without samples).
        drift: :func:`~pruning_explorer.measure.drift.sample_drift`; None without samples.
        layer_drift: :func:`~pruning_explorer.measure.layer_drift.layer_drift`; None without samples.
        quality: :func:`~pruning_explorer.measure.quality.quality_table`; None without labels.
        totals: ``"sparsity"``, ``"cost"``, ``"drift"``, ``"quality"``: each a dict of figures over all, as
            ``sparsity_totals``, ``cost_totals``, ``drift_totals`` and ``quality_totals`` give them, or None.
        dense_spread: how far two dense runs on the same inputs are apart, ||b - a|| / ||a||: 0 where the network
            answers alike each time; None without samples.
        notes: what else a person has to know of how the network behaves, a sentence or two each.
    """

    subject: str
    subject_id: str
    recipe_id: str | None
    quality_name: str
    quality_interval: str
    layers: pd.DataFrame
    drift: pd.DataFrame | None
    layer_drift: pd.DataFrame | None
    quality: pd.DataFrame | None
    totals: dict[str, Any]
    dense_spread: float | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for strict JSON: tables as lists of rows; NaN and infinite figures as None."""
        return {
            "subject": self.subject,
            "subject_id": self.subject_id,
            "recipe_id": self.recipe_id,
            "quality_name": self.quality_name,
            "quality_interval": self.quality_interval,
            "totals": _plain(self.totals),
            "dense_spread": _plain(self.dense_spread),
            "notes": list(self.notes),
            "layers": _rows(self.layers),
            "quality": _rows(self.quality),
            "layer_drift": _rows(self.layer_drift),
            "drift": _rows(self.drift),
        }


def build_report(subject: Subject, masks: Masks) -> Report:
    """Measure everything that masks do to a subject; without samples or labels, what can be measured without them.

    Raises:
        SubjectError: the network fails on its samples, or gives no logits; labels or metric do not go with them.
        TargetError, MaskError: the masks are not for this subject.
    """
    layers = layer_sparsity(subject, masks)
    if subject.samples is None:
        layers = layers.assign(macs_dense=math.nan, macs_theoretical=math.nan)
        return _report(subject, masks, layers, None, None, None)
    outcome = run_subject(subject, masks)
    cost = layer_cost(subject, masks).drop(columns="target")
    layers = pd.concat([layers, cost], axis=1)
    return _report(
        subject, masks, layers, outcome, measure_drift(outcome.dense, outcome.pruned), layer_drift(subject, masks)
    )


def _report(
    subject: Subject,
    masks: Masks,
    layers: pd.DataFrame,
    outcome: Outcome | None,
    drift: Drift | None,
    by_layer: pd.DataFrame | None,
) -> Report:
    dense = None if outcome is None else dense_quality(subject)
    pruned = None if outcome is None else sample_quality(subject, outcome.pruned)
    quality = None if dense is None or pruned is None else table_of(subject, dense, pruned)
    behaviour = Behaviour() if outcome is None else behaviour_of(subject)
    return Report(
        subject=subject.name,
        subject_id=subject.id,
        recipe_id=masks.recipe_id,
        quality_name=quality_label(subject),
        quality_interval=interval_name(dense, pruned),
        layers=layers,
        drift=None if drift is None else drift.frame(),
        layer_drift=by_layer,
        quality=quality,
        totals={
            "sparsity": sparsity_totals(subject, masks),
            "cost": None if outcome is None else cost_totals(subject, masks),
            "drift": None if drift is None else drift.totals(),
            "quality": quality_totals(quality),
        },
        dense_spread=behaviour.spread,
        notes=behaviour.notes,
    )


def _rows(frame: pd.DataFrame | None) -> list[dict[str, Any]] | None:
    return None if frame is None else [_plain(row) for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
