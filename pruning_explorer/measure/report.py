"""The report: what masks do to a subject, each part of it measured when it is first looked at."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pruning_explorer.errors import MaskError, SubjectError
from pruning_explorer.measure.computed_once import computed_once
from pruning_explorer.measure.cost import cost_totals, layer_cost
from pruning_explorer.measure.drift import Drift, measure_drift
from pruning_explorer.measure.forward import Outcome, run_subject
from pruning_explorer.measure.layer_drift import layer_drift
from pruning_explorer.measure.quality import (
    SampleQuality,
    dense_quality,
    interval_name,
    quality_label,
    quality_totals,
    sample_quality,
    table_of,
)
from pruning_explorer.measure.sparsity import layer_sparsity, sparsity_totals
from pruning_explorer.prune.behaviour import Behaviour, behaviour_of
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject


@dataclass(frozen=True, eq=False)
class Report:
    """The effect of masks on a subject. A part is None where the subject lacks samples or labels for it.

    Each part is measured when it is first looked at, and kept; among threads, too. Looking at one raises SubjectError
    where the network fails on its samples, or gives no logits.
    """

    subject: Subject
    masks: Masks

    @property
    def recipe(self) -> Recipe:
        """The recipe that made the masks.

        Raises:
            MaskError: they were made by hand.
        """
        if self.masks.recipe is None:
            raise MaskError("these masks were made by hand, so there is no recipe to show")
        return self.masks.recipe

    @property
    def nbytes(self) -> int:
        samples = self.subject.sample_count * 4096  # outputs and tables of a sample, generously
        return sum(target.numel for target in self.masks.targets) + samples

    @computed_once
    def sparsity_by_layer(self) -> pd.DataFrame:
        """As :func:`~pruning_explorer.measure.sparsity.layer_sparsity`; it needs no samples."""
        return layer_sparsity(self.subject, self.masks)

    @computed_once
    def layers(self) -> pd.DataFrame:
        """``sparsity_by_layer`` with each layer's multiply-adds.

        ``macs_dense`` and ``macs_theoretical`` are those of :func:`~pruning_explorer.measure.cost.layer_cost`; NaN
        without samples.
        """
        if self.subject.samples is None:
            return self.sparsity_by_layer.assign(macs_dense=math.nan, macs_theoretical=math.nan)
        return self.sparsity_by_layer.merge(layer_cost(self.subject, self.masks), on="target")

    @computed_once
    def sparsity(self) -> dict[str, Any]:
        """As :func:`~pruning_explorer.measure.sparsity.sparsity_totals`."""
        return sparsity_totals(self.subject, self.masks)

    @computed_once
    def cost(self) -> dict[str, Any] | None:
        """As :func:`~pruning_explorer.measure.cost.cost_totals`; None without samples to count multiply-adds on."""
        return None if self.subject.samples is None else cost_totals(self.subject, self.masks)

    @computed_once
    def outcome(self) -> Outcome | None:
        """Outputs of dense and pruned network; None without samples."""
        return None if self.subject.samples is None else run_subject(self.subject, self.masks)

    @computed_once
    def output_drift(self) -> Drift | None:
        """How far the outputs drift, an array of each measure; None without samples."""
        return None if self.outcome is None else measure_drift(self.outcome.dense, self.outcome.pruned)

    @computed_once
    def drift(self) -> pd.DataFrame | None:
        """As :func:`~pruning_explorer.measure.drift.sample_drift`, a row per sample; None without samples."""
        return None if self.output_drift is None else self.output_drift.frame()

    @computed_once
    def layer_drift(self) -> pd.DataFrame | None:
        """As :func:`~pruning_explorer.measure.layer_drift.layer_drift`; None without samples."""
        return None if self.subject.samples is None else layer_drift(self.subject, self.masks)

    @computed_once
    def quality(self) -> pd.DataFrame | None:
        """As :func:`~pruning_explorer.measure.quality.quality_table`.

        None where there are no samples, nothing judges them, or judging them fails.
        """
        dense, pruned, _ = self._judged
        return None if dense is None or pruned is None else table_of(self.subject, dense, pruned)

    @property
    def sample_quality(self) -> SampleQuality | None:
        """The quality of each sample under the masks, ``[N]``; None where ``quality`` is None."""
        return self._judged[1]

    @property
    def quality_problem(self) -> str | None:
        """Why quality cannot be measured: the metric fails, or labels do not fit; None where it can."""
        return self._judged[2]

    @property
    def quality_name(self) -> str:
        """The name of quality: ``"accuracy"`` or ``"exact match"``; ``"mean F1"`` where a metric gives fractions."""
        return quality_label(self.subject)

    @property
    def quality_interval(self) -> str:
        """How the intervals of ``quality`` are found: ``"Wilson"`` or ``"bootstrap"``."""
        return interval_name(*self._judged[:2])

    @property
    def totals(self) -> dict[str, Any]:
        """``"sparsity"``, ``"cost"``, ``"drift"``, ``"quality"``: each a dict of figures over all, or None.

        As ``sparsity_totals``, ``cost_totals``, ``drift_totals`` and ``quality_totals`` give them.
        """
        return {
            "sparsity": self.sparsity,
            "cost": self.cost,
            "drift": None if self.output_drift is None else self.output_drift.totals(),
            "quality": quality_totals(self.quality),
        }

    @property
    def dense_spread(self) -> float | None:
        """How far two dense runs on the same inputs are apart, ||b - a|| / ||a||; None without samples.

        It is 0 where the network gives the same outputs each time.
        """
        return self._behaviour.spread

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings about how the network behaves, for a person, a sentence or two each."""
        return self._behaviour.notes

    def measure(self) -> None:
        """Measure now everything but the tables by layer and by sample.

        Raises:
            SubjectError: the network fails on its samples, or gives no logits.
        """
        for part in ("sparsity_by_layer", "sparsity", "output_drift", "cost", "quality"):
            getattr(self, part)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for strict JSON: tables as lists of rows; NaN and infinite figures as None."""
        return {
            "subject": self.subject.name,
            "subject_id": self.subject.id,
            "recipe_id": self.masks.recipe_id,
            "quality_name": self.quality_name,
            "quality_interval": self.quality_interval,
            "totals": _plain(self.totals),
            "dense_spread": _plain(self.dense_spread),
            "notes": list(self.notes),
            "layers": plain_rows(self.layers),
            "quality": plain_rows(self.quality),
            "layer_drift": plain_rows(self.layer_drift),
            "drift": plain_rows(self.drift),
        }

    @property
    def _behaviour(self) -> Behaviour:
        return Behaviour() if self.subject.samples is None else behaviour_of(self.subject)

    @computed_once
    def _judged(self) -> tuple[SampleQuality | None, SampleQuality | None, str | None]:
        if self.outcome is None or self.output_drift is None:
            return None, None, None
        try:
            pruned = sample_quality(self.subject, self.outcome.pruned, self.output_drift.pruned_top1)
            return dense_quality(self.subject), pruned, None
        except SubjectError as error:
            return None, None, str(error)


def build_report(subject: Subject, masks: Masks) -> Report:
    """Measure what masks do to a subject; without samples or labels, what can be measured without them.

    Tables by layer and by sample are made when they are first looked at.

    Raises:
        SubjectError: the network fails on its samples, or gives no logits; labels or metric do not go with them.
        TargetError, MaskError: the masks are not for this subject.
    """
    report = Report(subject, masks)
    report.measure()
    if report.quality_problem is not None:
        raise SubjectError(report.quality_problem)
    return report


REPORTS: ByteBoundedCache[Report] = ByteBoundedCache(256 << 20, "masks")


def report_of(subject: Subject, recipe: Recipe) -> Report:
    """The report on a recipe's masks, not measured yet; the same one for all who ask for the same.

    Raises:
        PruningExplorerError: the recipe does not fit the subject, or the subject's file is no longer as it was.
    """
    subject.check_files()
    return REPORTS.get((subject.id, recipe.id), lambda: Report(subject, compute_masks(subject, recipe)))


def plain_rows(frame: pd.DataFrame | None) -> list[dict[str, Any]] | None:
    """A table as a list of its rows, ready for strict JSON: NaN and infinite numbers are None."""
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
