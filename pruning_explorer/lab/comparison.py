"""Recipes side by side on one subject and the same samples: one table, and what it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pruning_explorer.errors import PruningExplorerError, RecipeError
from pruning_explorer.lab.comparison_table import comparison_table
from pruning_explorer.lab.computed_once import computed_once
from pruning_explorer.lab.curve_points import Load
from pruning_explorer.lab.curves import CurveJob, comparison_amounts, new_curve
from pruning_explorer.lab.study import Study, study
from pruning_explorer.measure.agreement import mask_agreement
from pruning_explorer.measure.exemplars import exemplars
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
        studies: of each entry; None where it is not measured, which leaves its rows out everywhere.
        problems: of each entry, a text for a person; None where all is well.
        curves: :meth:`CurveJob.frame`; without rows where no amounts were asked for.
    """

    subject: Subject
    entries: tuple[Entry, ...]
    studies: tuple[Study | None, ...]
    problems: tuple[str | None, ...]
    curves: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Of the entries."""
        return [entry.name for entry in self.entries]

    @property
    def any(self) -> Study | None:
        """The first study that stands."""
        return next((study for study in self.studies if study is not None), None)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What any recipe prunes, in the network's order."""
        pruned = {target.name for study in self.studies if study is not None for target in study.masks.targets}
        return tuple(target for target in self.subject.targets if target.name in pruned)

    @computed_once
    def table(self) -> pd.DataFrame:
        """As :func:`comparison_table`."""
        return comparison_table(self.studies, self.names)

    @computed_once
    def layers(self) -> pd.DataFrame:
        """As :func:`layer_table`."""
        return layer_table(self.studies)

    @computed_once
    def classes(self) -> pd.DataFrame:
        """As :func:`class_changes`."""
        return class_changes(self.studies)

    @computed_once
    def agreement(self) -> pd.DataFrame:
        """As :func:`~pruning_explorer.measure.agreement.mask_agreement`."""
        return mask_agreement([None if study is None else study.masks for study in self.studies])

    @computed_once
    def exemplars(self) -> pd.DataFrame:
        """As :func:`~pruning_explorer.measure.exemplars.exemplars`."""
        return exemplars([None if study is None else study.drift for study in self.studies])


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
    made = [_try_study(subject, entry.recipe) for entry in entries]
    studies = tuple(each if isinstance(each, Study) else None for each in made)
    if subject.samples is None:
        wanted = ()
    job = CurveJob(subject, [new_curve(entry.recipe, wanted) for entry in entries], load)
    job.run()
    problems = tuple(
        each if isinstance(each, str) else later or each.quality_problem
        for each, later in zip(made, job.problems, strict=True)
    )
    return Comparison(subject, tuple(entries), studies, problems, job.frame())


def layer_table(studies: Sequence[Study | None]) -> pd.DataFrame:
    """Sparsity by layer of every recipe.

    Columns: ``recipe`` (position), then those of :func:`~pruning_explorer.measure.sparsity.layer_sparsity`, and
    ``macs_dense``, ``macs_theoretical`` where the subject has samples to count them on.
    """
    return _stack({i: each.layers_with_cost for i, each in enumerate(studies) if each is not None})


def class_changes(studies: Sequence[Study | None]) -> pd.DataFrame:
    """Quality per class of every recipe.

    Columns: ``recipe`` (position), then those of :func:`~pruning_explorer.measure.quality.quality_table`, all samples
    (``"all"``) first. Without rows where the subject has no labels.
    """
    return _stack({i: each.quality for i, each in enumerate(studies) if each is not None and each.quality is not None})


def pareto_front(curves: pd.DataFrame) -> pd.DataFrame:
    """The points of curves that no other beats: none is as sparse and better, or sparser and as good.

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


def _try_study(subject: Subject, recipe: Recipe) -> Study | str:
    try:
        made = study(subject, recipe)
        for part in ("layers_with_cost", "sparsity", "cost", "drift", "quality"):
            getattr(made, part)
    except PruningExplorerError as error:
        return str(error)
    return made


def _stack(frames: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    parts: list[Any] = []
    for position, frame in frames.items():
        part = frame.copy()
        part.insert(0, "recipe", position)
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"recipe": pd.Series(dtype=int)})
