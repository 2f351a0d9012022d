"""A whole comparison as one HTML file that opens offline: what the Compare page shows, with live charts."""

from collections.abc import Sequence
from html import escape

from pruning_explorer.comparison_charts import (
    BUDGET_NOTE,
    curves_chart,
    exemplar_cards,
    exemplars_note,
    how_ties,
    largest,
    masks_chart,
)
from pruning_explorer.figures.agreement_matrix import agreement_by_layer, agreement_matrix
from pruning_explorer.figures.class_changes import class_changes
from pruning_explorer.figures.comparison_page import Section, comparison_page, preformatted
from pruning_explorer.figures.comparison_table import comparison_table
from pruning_explorer.figures.numbers import capitalised, count
from pruning_explorer.figures.recipe_names import recipe_label
from pruning_explorer.figures.sparsity_lines import sparsity_lines
from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.measure.quality import quality_label
from pruning_explorer.prune.titles import title_of

CARDS = 24
"""Most samples whose pictures the file holds."""


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


def _side_by_side(comparison: Comparison) -> Section:
    problems = [
        f"{recipe_label(position, entry.name)}: {problem}"
        for position, (entry, problem) in enumerate(zip(comparison.entries, comparison.problems, strict=True))
        if problem is not None
    ]
    note = (
        "With 95 % intervals. Recipes are paired on the same samples: a tie is within error of the best "
        f"({how_ties(comparison)})."
    )
    told = "".join(f"<p><strong>{escape(problem)}</strong></p>" for problem in problems)
    return Section("Side by side", note, [told, comparison_table(comparison.table)])


def _curves(comparison: Comparison) -> Section:
    frame = comparison.curves
    if frame.empty:
        return Section("Over the whole range", "No amount was measured.")
    charts = [curves_chart(comparison, axis) for axis in ("sparsity", "compression")]
    drawn = any(seeds > 1 for seeds in frame.groupby("recipe")["seed"].nunique())
    note = "Every recipe at other amounts, on the same samples. Rings mark the Pareto front."
    return Section("Over the whole range", note + " A random method is the median in a band of seeds." * drawn, charts)


def _budget(comparison: Comparison, names: Sequence[str]) -> Section:
    return Section("Sparsity by layer", BUDGET_NOTE, [sparsity_lines(comparison.layers, names)])


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
