"""A whole comparison as one HTML file that opens offline: what the Compare page shows, with live charts."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pruning_explorer.figures.agreement_matrix import agreement_by_layer, agreement_matrix
from pruning_explorer.figures.chart import Chart
from pruning_explorer.figures.class_changes import class_changes
from pruning_explorer.figures.comparison_curves import comparison_curves
from pruning_explorer.figures.comparison_page import Section, comparison_page, preformatted
from pruning_explorer.figures.comparison_table import comparison_table
from pruning_explorer.figures.curve_traces import Axis
from pruning_explorer.figures.exemplar_gallery import exemplar_gallery
from pruning_explorer.figures.mask_panels import mask_panels
from pruning_explorer.figures.numbers import capitalised, count
from pruning_explorer.figures.recipe_names import recipe_label
from pruning_explorer.figures.sparsity_lines import sparsity_lines
from pruning_explorer.lab.comparison import Comparison, pareto_front
from pruning_explorer.lab.study import Study
from pruning_explorer.measure.quality import dense_level, quality_label, true_answers
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.targets import Target
from pruning_explorer.prune.titles import title_of

CARDS = 24
"""The file holds the pictures of so many samples."""

STANDING = ["recipe", "seed", "amount", "sparsity", "compression", "quality", "kl_nats", "agreement"]


def comparison_html(comparison: Comparison) -> str:
    """One HTML document with everything in a comparison; it fetches nothing.

    A part that the subject or the recipes have nothing for says so or is left out.
    """
    names = comparison.names
    sections = [
        _side_by_side(comparison),
        _curves(comparison),
        *_masks(comparison, names),
        _budget(comparison, names),
        *_behaviour(comparison, names),
        _recipes(comparison),
    ]
    subject = comparison.subject
    same = f" All on the same {count(subject.sample_count)} samples." if subject.samples is not None else ""
    # Names hold commas themselves: their letters tell where one ends
    title = f"{subject.name}: {'; '.join(recipe_label(i, name) for i, name in enumerate(names))}"
    return comparison_page(title, f"{subject.description}{same}".strip(), sections)


def standing_points(studies: Sequence[Study | None]) -> pd.DataFrame:
    """Where recipes stand on the curves at their own amounts: a row each, for those with samples to be measured on.

    Columns: ``STANDING``, as a curve's own; ``quality`` is NaN where there are no labels.
    """
    rows = []
    for position, study in enumerate(studies):
        if study is None or study.drift is None:
            continue
        drift, sparsity = study.drift.totals(), float(study.sparsity["achieved_of_weights"] or 0)
        quality = math.nan if study.quality is None else float(study.quality["pruned"].iloc[0])
        compression = math.inf if sparsity == 1 else 1 / (1 - sparsity)
        own = (position, study.recipe.seed, study.recipe.amount)
        rows.append((*own, sparsity, compression, quality, drift["kl_nats"], drift["agreement"]))
    return pd.DataFrame(rows, columns=STANDING)


def _side_by_side(comparison: Comparison) -> Section:
    problems = [
        f"{recipe_label(position, entry.name)}: {problem}"
        for position, (entry, problem) in enumerate(zip(comparison.entries, comparison.problems, strict=True))
        if problem is not None
    ]
    note = (
        "With 95 % intervals. Recipes are paired on the same samples: a tie is within error of the best "
        f"({how_ties(quality_label(comparison.subject), comparison.studies)})."
    )
    told = "".join(f"<p><strong>{escape(problem)}</strong></p>" for problem in problems)
    return Section("Side by side", note, [told, comparison_table(comparison.table)])


def how_ties(quality: str, studies: Sequence[Study | None]) -> str:
    """By which tests figures tie, in a few words; ``quality`` is what it is called."""
    judged = [study for study in studies if study is not None and study.quality is not None]
    if all(study.interval_name == "Wilson" for study in judged):
        return "McNemar; for drift, bootstrap"
    return f"McNemar; for drift and {quality}, bootstrap"


def _curves(comparison: Comparison) -> Section:
    frame = comparison.curves
    if frame.empty:
        return Section("Over the whole range", "No amount was measured.")
    charts = [curves_chart(comparison, axis) for axis in ("sparsity", "compression")]
    drawn = any(seeds > 1 for seeds in frame.groupby("recipe")["seed"].nunique())
    note = "Every recipe at other amounts, on the same samples. Rings mark the Pareto front."
    return Section("Over the whole range", note + " A random method is the median in a band of seeds." * drawn, charts)


def curves_chart(comparison: Comparison, axis: Axis, planned: int | None = None) -> Chart:
    """Quality and drift over ``axis``; ``planned``: how many points there will be, while they are being measured."""
    subject, frame = comparison.subject, comparison.curves
    return comparison_curves(
        frame,
        comparison.names,
        dense_quality=None if frame.empty else dense_level(subject),
        quality_name=quality_label(subject),
        axis=axis,
        standing=standing_points(comparison.studies),
        front=None if frame.empty else pareto_front(frame),
        planned=planned,
    )


def _budget(comparison: Comparison, names: Sequence[str]) -> Section:
    note = (
        "Where each recipe spends its budget. Ranked by itself every layer loses the same; one ranking over all layers "
        "and ERK take more from where there is more to spare."
    )
    return Section("Sparsity by layer", note, [sparsity_lines(comparison.layers, names)])


def _masks(comparison: Comparison, names: Sequence[str]) -> list[Section]:
    agreement = Section(
        "Agreement of the masks",
        "The Jaccard index of the weights that two recipes keep, beside what masks drawn by chance at the same "
        "sparsities would give.",
        [agreement_matrix(comparison.agreement, names), agreement_by_layer(comparison.agreement, names)],
    )
    if not comparison.targets:
        return [agreement]
    target = largest(comparison.targets)
    note = f"{target.name}, under each recipe and under all together. Drag to zoom into all, double-click to get back."
    return [Section("Masks of the largest layer", note, [masks_chart(comparison, target)]), agreement]


def largest(targets: Sequence[Target]) -> Target:
    """The one with the most weights, among equals the first."""
    return max(targets, key=lambda target: target.numel)


def masks_chart(comparison: Comparison, target: Target) -> Chart:
    """One layer under every recipe that is measured; one that leaves it alone keeps all of it."""

    def matrix(masks: Masks) -> NDArray[np.bool_]:
        kept = masks[target.name].cpu().numpy() if target.name in masks else np.ones(target.shape, dtype=np.bool_)
        return np.moveaxis(kept, target.out_dim, 0)

    return mask_panels(
        [None if study is None else matrix(study.masks) for study in comparison.studies],
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


def _behaviour(comparison: Comparison, names: Sequence[str]) -> list[Section]:
    subject, classes, found = comparison.subject, comparison.classes, comparison.exemplars
    sections = []
    if len(classes) and classes["group"].nunique() > 1:
        note = "What the average hides: one class can pay for the others."
        label = quality_label(subject)
        sections.append(Section(f"{capitalised(label)} by class", note, [class_changes(classes, names, label)]))
    if subject.samples is None:
        return sections
    note = exemplars_note(comparison)
    if len(found) > CARDS:
        note += f" The first {CARDS} are shown."
    # Where some keep the answer and others leave it the choice matters; the others follow
    first = found.sort_values("disagree", ascending=False, kind="stable").head(CARDS)
    cards = [exemplar_cards(comparison, first)] if len(found) else []
    return [*sections, Section("Samples on which the choice matters", note, cards)]


def _recipes(comparison: Comparison) -> Section:
    parts: list[str] = []
    for position, entry in enumerate(comparison.entries):
        title = f"{recipe_label(position, entry.name)}: {title_of(entry.recipe)}, recipe {entry.recipe.id}"
        parts += [f"<h3>{escape(title)}</h3>", preformatted(entry.recipe.to_json())]
    note = "Each as JSON; in a file of its own, the terminal's --recipe reads it."
    return Section("Recipes", note, parts)
