"""Recipes side by side on one subject and the same samples: one table, and the figures behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pruning_explorer.errors import RecipeError
from pruning_explorer.lab.comparison_table import comparison_table
from pruning_explorer.lab.curve_points import Load, figures_of
from pruning_explorer.lab.curves import COLUMNS, CurveJob, comparison_amounts, new_curve
from pruning_explorer.lab.report_job import try_report
from pruning_explorer.measure.agreement import mask_agreement
from pruning_explorer.measure.computed_once import computed_once
from pruning_explorer.measure.exemplars import exemplars
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target


@dataclass(frozen=True)
class Entry:
    """A recipe of a comparison and what it is called there."""

    name: str
    recipe: Recipe


@dataclass(frozen=True, eq=False)
class Comparison:
    """Recipes side by side; each part is computed when it is first looked at.

    Attributes:
        subject, entries: what is compared.
        results: of each entry its report; where it cannot be measured, why, in words for a person; None until it is.
        job: measures the curves; of no amounts where none were asked for.
    """

    subject: Subject
    entries: tuple[Entry, ...]
    results: tuple[Report | str | None, ...]
    job: CurveJob

    @property
    def names(self) -> list[str]:
        """The name of each entry."""
        return [entry.name for entry in self.entries]

    @property
    def reports(self) -> tuple[Report | None, ...]:
        """The report of each entry; None where there is none: then all tables lack its rows."""
        return tuple(each if isinstance(each, Report) else None for each in self.results)

    @property
    def failures(self) -> tuple[str | None, ...]:
        """For each entry, why it cannot be measured; None where it can, or is not measured yet."""
        return tuple(each if isinstance(each, str) else None for each in self.results)

    @property
    def problems(self) -> tuple[str | None, ...]:
        """For each entry, why it has no report, an unfinished curve or no quality; None where nothing is missing."""
        return tuple(
            failure or curve or (None if report is None else report.quality_problem)
            for failure, curve, report in zip(self.failures, self.job.problems, self.reports, strict=True)
        )

    @property
    def curves(self) -> pd.DataFrame:
        """:meth:`CurveJob.frame`, as far as it is measured; without rows where no amounts were asked for."""
        return self.job.frame()

    @property
    def any(self) -> Report | None:
        """The first report that there is; None without any."""
        return next((report for report in self.reports if report is not None), None)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets that any of the recipes prunes, in the network's order."""
        pruned = {target.name for report in self.reports if report is not None for target in report.masks.targets}
        return tuple(target for target in self.subject.targets if target.name in pruned)

    @computed_once
    def table(self) -> pd.DataFrame:
        """As :func:`comparison_table`."""
        return comparison_table(self.reports, self.names)

    @computed_once
    def layers(self) -> pd.DataFrame:
        """As :func:`layer_table`."""
        return layer_table(self.reports)

    @computed_once
    def classes(self) -> pd.DataFrame:
        """As :func:`class_changes`."""
        return class_changes(self.reports)

    @computed_once
    def agreement(self) -> pd.DataFrame:
        """As :func:`~pruning_explorer.measure.agreement.mask_agreement`."""
        return mask_agreement([None if report is None else report.masks for report in self.reports])

    @computed_once
    def current_points(self) -> pd.DataFrame:
        """The point of each recipe at its own amount, to mark it on the curves; a row each, where there are samples.

        Columns: as :meth:`~pruning_explorer.lab.curves.CurveJob.frame`.
        """
        rows = [
            {"recipe": i, "seed": each.recipe.seed, "amount": each.recipe.amount}
            | figures_of(each.subject, each.masks, each.output_drift, each.sample_quality)
            for i, each in enumerate(self.reports)
            if each is not None and each.output_drift is not None
        ]
        return pd.DataFrame(rows, columns=COLUMNS)

    @computed_once
    def exemplars(self) -> pd.DataFrame:
        """As :func:`~pruning_explorer.measure.exemplars.exemplars`."""
        return exemplars([None if report is None else report.output_drift for report in self.reports])


def compare(
    subject: Subject,
    entries: Sequence[Entry] | Mapping[str, Recipe],
    amounts: Sequence[float] | None = None,
    *,
    load: Load | None = None,
) -> Comparison:
    """Measure recipes side by side, and each of them over a range of amounts.

    A recipe that fails does not stop the others. Points of the curves are spread over the cores by joblib; call
    :func:`~pruning_explorer.lab.workers.tune_process` first where the process is yours, or choose a backend by
    ``joblib.parallel_config``.

    Args:
        entries: recipes with their names, or names to recipes.
        amounts: fractions in [0, 1] for the curves; None for the usual twenty, empty for no curves.
        load: how a worker in another process gets the subject by its name; a function of a module.

    Raises:
        RecipeError: there is nothing to compare, two entries share a name, or an amount is out of range.

    >>> from pruning_explorer import load_subject
    >>> found = compare(load_subject("tutorial-mlp"), {"half": Recipe(), "all": Recipe(amount=1.0)}, amounts=())
    >>> found.table.query("measure == 'achieved'")["value"].tolist()
    [0.5, 1.0]
    """
    if isinstance(entries, Mapping):
        entries = [Entry(name, recipe) for name, recipe in entries.items()]
    names = [entry.name for entry in entries]
    if not names:
        raise RecipeError("there is nothing to compare; give at least one recipe, better two to four")
    if len(set(names)) < len(names):
        raise RecipeError(f"two recipes have one name ({', '.join(names)}); a table could not tell them apart")
    wanted = comparison_amounts() if amounts is None else tuple(replace(Recipe(), amount=a).amount for a in amounts)
    results = tuple(try_report(subject, entry.recipe) for entry in entries)
    if subject.samples is None:
        wanted = ()
    job = CurveJob(subject, [new_curve(entry.recipe, wanted) for entry in entries], load)
    job.run()
    return Comparison(subject, tuple(entries), results, job)


def layer_table(reports: Sequence[Report | None]) -> pd.DataFrame:
    """Sparsity by layer of every recipe.

    Columns: ``recipe`` (position), then those of :func:`~pruning_explorer.measure.sparsity.layer_sparsity`, and
    ``macs_dense``, ``macs_theoretical`` where the subject has samples to count them on.
    """
    return _stack(
        {
            i: each.sparsity_by_layer if each.cost is None else each.layers
            for i, each in enumerate(reports)
            if each is not None
        }
    )


def class_changes(reports: Sequence[Report | None]) -> pd.DataFrame:
    """Quality per class of every recipe.

    Columns: ``recipe`` (position), then those of :func:`~pruning_explorer.measure.quality.quality_table`, all samples
    (``"all"``) first. Without rows where the subject has no labels.
    """
    return _stack({i: each.quality for i, each in enumerate(reports) if each is not None and each.quality is not None})


def pareto_front(curves: pd.DataFrame) -> pd.DataFrame:
    """The points of curves that no other point dominates: none is as sparse and better, or sparser and as good.

    Seeds of one recipe at one amount are one point, their median. Better is a higher ``quality``, or ``agreement``
    where no quality is known.

    Args:
        curves: :meth:`~pruning_explorer.lab.curves.CurveJob.frame`.

    Returns:
        Columns ``recipe``, ``amount``, ``sparsity``, ``compression``, ``value``; from dense to sparse. Of equal points
        all are there.
    """
    measure = "quality" if curves["quality"].notna().any() else "agreement"
    points = curves.groupby(["recipe", "amount"], as_index=False)[["sparsity", "compression", measure]].median()
    points = points.rename(columns={measure: "value"}).dropna(subset=["value"])
    points = points.sort_values(["sparsity", "value"], ascending=False, kind="stable")
    best_sparser = points.groupby("sparsity", sort=False)["value"].max().cummax().shift(fill_value=-1.0)
    best_here = points.groupby("sparsity")["value"].transform("max")
    front = points[(points["value"] == best_here) & (points["value"] > points["sparsity"].map(best_sparser))]
    return front.sort_values(["sparsity", "recipe"], kind="stable", ignore_index=True)


def _stack(frames: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    parts: list[Any] = []
    for position, frame in frames.items():
        part = frame.copy()
        part.insert(0, "recipe", position)
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"recipe": pd.Series(dtype=int)})
