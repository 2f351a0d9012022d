"""What the Compare page and its HTML file both show of a comparison."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pruning_explorer.figures.chart import Chart
from pruning_explorer.figures.comparison_curves import comparison_curves
from pruning_explorer.figures.curve_traces import Axis
from pruning_explorer.figures.exemplar_gallery import exemplar_gallery
from pruning_explorer.figures.mask_panels import mask_panels
from pruning_explorer.figures.numbers import count
from pruning_explorer.lab.comparison import Comparison, pareto_front
from pruning_explorer.measure.quality import dense_level, quality_label, true_answers
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.targets import Target

BUDGET_NOTE = (
    "Where each recipe spends its budget. Ranked by itself every layer loses the same; one ranking over all layers "
    "and ERK take more from where there is more to spare."
)


def how_ties(comparison: Comparison) -> str:
    """By which tests figures tie, in a few words."""
    judged = [report for report in comparison.reports if report is not None and report.quality is not None]
    if all(report.quality_interval == "Wilson" for report in judged):
        return "McNemar; for drift, bootstrap"
    return f"McNemar; for drift and {quality_label(comparison.subject)}, bootstrap"


def curves_chart(comparison: Comparison, axis: Axis) -> Chart:
    """Quality and drift over ``axis``, as far as they are measured."""
    subject, job = comparison.subject, comparison.job
    planned, frame = None if job.done else job.planned, job.frame()
    return comparison_curves(
        frame,
        comparison.names,
        dense_quality=None if frame.empty else dense_level(subject),
        quality_name=quality_label(subject),
        axis=axis,
        current_points=comparison.current_points,
        front=None if frame.empty else pareto_front(frame),
        planned=planned,
    )


def largest(targets: Sequence[Target]) -> Target:
    """The one with the most weights, among equals the first."""
    return max(targets, key=lambda target: target.numel)


def masks_chart(comparison: Comparison, target: Target) -> Chart:
    """One layer under every recipe that is measured; one that leaves it alone keeps all of it."""

    def matrix(masks: Masks) -> NDArray[np.bool_]:
        kept = masks[target.name].cpu().numpy() if target.name in masks else np.ones(target.shape, dtype=np.bool_)
        return np.moveaxis(kept, target.out_dim, 0)

    return mask_panels(
        [None if report is None else matrix(report.masks) for report in comparison.reports],
        comparison.names,
        target.name,
        [each.name for each in comparison.subject.targets],
    )


def exemplar_cards(comparison: Comparison, found: pd.DataFrame) -> str:
    """Rows of ``comparison.exemplars`` as cards, in HTML."""
    subject = comparison.subject
    view, shown = subject.view, comparison.any
    labels = None if shown is None or shown.outcome is None else true_answers(subject, shown.outcome.dense)
    return exemplar_gallery(
        found,
        comparison.names,
        subject.output_names,
        labels=labels,
        view=None if view is None else (view.kind, view.values),
    )


def exemplars_note(comparison: Comparison) -> str:
    """How many they are, and in which order."""
    found, samples = comparison.exemplars, comparison.subject.sample_count
    return (
        f"On {count(found['disagree'].sum())} of {count(samples)} samples some recipes keep the dense answer and "
        f"others leave it; on {count(len(found))} at least one leaves it. Those that most recipes change come first, "
        "then those that drift furthest: pruning-identified exemplars (arXiv 1911.05248)."
    )
