"""The decision: the largest amount at which a recipe costs no more than a person allows.

The curve says between which two measured amounts it lies; bisection measures there until one step is left. What is
answered was measured at that very amount, and not read off a line between two points.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pruning_explorer.errors import RecipeError, SubjectError
from pruning_explorer.lab.curve_points import Point, describe_error, measure_points
from pruning_explorer.lab.curves import Curve, CurveJob, cliff_amounts, new_curve
from pruning_explorer.lab.job_queue import Job, JobQueue
from pruning_explorer.lab.workers import step_back
from pruning_explorer.measure.quality import dense_level
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.recipe_settings import SETTINGS
from pruning_explorer.prune.subject import Subject

STEPS = round(1 / (SETTINGS["amount"].step or 0.001))
"""Steps between amount 0 and 1 in the search: 0.001 each, as on the pages' sliders."""

ROUNDING = 1e-9
"""Tolerance of comparisons, as a fraction: floating-point rounding must not turn a loss of 1 of 100 samples into more
than one point."""

Measure = Literal["quality", "agreement"]


@dataclass(frozen=True)
class MostWithin:
    """The largest measured amount that costs at most what is allowed.

    Attributes:
        recipe: at that amount; None where no amount is within.
        allowed: what it may cost, in points: percent of quality that is lost, or percent of answers that flip.
        measure: ``"quality"`` where there are labels or a metric, else ``"agreement"``.
        point: what was measured there, as :func:`~pruning_explorer.lab.curve_points.measure_points` gives it.
        cost: in points; negative where the pruned network is better.
        beyond: the next larger amount that was measured, in [0, 1]; None where all may go.
        beyond_cost: in points.
        beyond_point: what was measured there.
        earlier: the smallest amount below that costs more than is allowed: the curve goes up and down; None
            where every measured amount below is within.
        measured: number of amounts that were measured.
    """

    recipe: Recipe | None
    allowed: float
    measure: Measure
    point: Point | None
    cost: float | None
    beyond: float | None
    beyond_cost: float | None
    beyond_point: Point | None
    earlier: float | None
    measured: int

    @property
    def amount(self) -> float | None:
        """The amount in [0, 1]; None where no amount is within."""
        return None if self.recipe is None else self.recipe.amount

    @property
    def achieved(self) -> float | None:
        """Fraction of the chosen weights removed at that amount, in [0, 1]."""
        return None if self.point is None else self.point["achieved"]

    @property
    def exact(self) -> bool:
        """Whether the search is complete: one step more costs too much, or all may go, or no amount is within."""
        return self.next_to_measure is None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for strict JSON; amounts are fractions in [0, 1], costs are points."""
        names = ("allowed", "measure", "amount", "achieved", "cost", "beyond", "beyond_cost", "earlier", "measured")
        return {name: getattr(self, name) for name in names}

    @property
    def next_to_measure(self) -> float | None:
        """The amount in the middle of the open range, to be measured next; None where the search is complete."""
        if self.amount is None or self.beyond is None:
            return None
        low, high = math.floor(self.amount * STEPS + ROUNDING), math.ceil(self.beyond * STEPS - ROUNDING)
        return None if high - low <= 1 else (low + high) // 2 / STEPS


def read_points(
    subject: Subject, recipe: Recipe, points: Sequence[Point], allowed: float, dense: float | None
) -> MostWithin:
    """The largest amount among measured points that costs at most ``allowed``.

    Args:
        recipe: whose own amount plays no part.
        points: of that recipe under one seed, in any order.
        allowed: in points, in [0, 100].
        dense: quality of the dense network, in [0, 1]; None where nothing judges the samples.

    Raises:
        RecipeError: ``allowed`` is outside its range.
        SubjectError: no point has a number.
    """
    check_allowed(allowed)
    measure: Measure = "agreement" if dense is None else "quality"
    full = 1.0 if dense is None else dense
    costs = {point["amount"]: 100 * (full - point[measure]) for point in points}
    by_amount = {point["amount"]: point for point in points if not math.isnan(costs[point["amount"]])}
    if not by_amount:
        raise SubjectError(f"what it costs to prune {subject.name} is not known at any amount")
    amounts = sorted(by_amount)
    within = [amount for amount in amounts if costs[amount] <= allowed + 100 * ROUNDING]
    most = within[-1] if within else None
    beyond = next((amount for amount in amounts if most is not None and amount > most), None)
    earlier = next((amount for amount in amounts if most is not None and amount < most and amount not in within), None)
    return MostWithin(
        recipe=None if most is None else replace(recipe, amount=most),
        allowed=allowed,
        measure=measure,
        point=None if most is None else by_amount[most],
        cost=None if most is None else costs[most],
        beyond=beyond,
        beyond_cost=None if beyond is None else costs[beyond],
        beyond_point=None if beyond is None else by_amount[beyond],
        earlier=earlier,
        measured=len(by_amount),
    )


class MostJob(Job):
    """Measures between points of curves until each recipe's largest amount that is within is known to a step.

    Attributes:
        recipes: whose own amounts play no part.
        found: of each recipe as far as it is known; None before anything is, or where it fails.
        problems: why each stopped early; None while all is well.
    """

    def __init__(
        self, subject: Subject, recipes: Sequence[Recipe], points: Sequence[Sequence[Point]], allowed: float
    ) -> None:
        super().__init__()
        self.subject, self.recipes, self.allowed = subject, tuple(recipes), allowed
        self.found: list[MostWithin | None] = [None] * len(self.recipes)
        self.problems: list[str | None] = [None] * len(self.recipes)
        self._points = [list(each) for each in points]

    @property
    def done(self) -> bool:
        return all(map(self._is_known, range(len(self.recipes))))

    def _is_known(self, i: int) -> bool:
        found = self.found[i]
        return self.problems[i] is not None or (found is not None and found.exact)

    def run(self) -> None:
        dense = dense_level(self.subject)
        for i, recipe in enumerate(self.recipes):
            try:
                while not self._is_known(i) and not self.stopped.is_set():
                    found = read_points(self.subject, recipe, self._points[i], self.allowed, dense)
                    if found.next_to_measure is not None:
                        self._points[i].extend(measure_points(self.subject, recipe, [found.next_to_measure]))
                    self.found[i] = read_points(self.subject, recipe, self._points[i], self.allowed, dense)
            except Exception as error:  # a foreign network may raise anything; the others go on
                self.problems[i] = describe_error(error)

    def fail(self, error: Exception) -> None:
        self.problems = [describe_error(error)] * len(self.recipes)


class MostWithinQueue(JobQueue[MostJob]):
    """Hands out these jobs, the same one to all who ask for the same; they come after everything else."""

    def __init__(self) -> None:
        super().__init__("most within", begin=step_back)

    def ask(self, curves: CurveJob, allowed: float, asker: str) -> MostJob:
        """The job of the recipes of measured curves, each under its own seed."""
        recipes = [curve.recipe for curve in curves.curves]
        return self.take(
            (curves.subject.id, *(recipe.id for recipe in recipes), f"{allowed:g}"),
            asker,
            lambda: MostJob(curves.subject, recipes, [own_points(curve) for curve in curves.curves], allowed),
        )


def own_points(curve: Curve) -> list[Point]:
    """The measured points of a curve under its recipe's own seed."""
    return [point for point in list(curve.points) if point["seed"] == curve.recipe.seed]


def most_within(subject: Subject, recipe: Recipe, allowed: float = 1.0) -> MostWithin:
    """The largest amount at which a recipe costs at most ``allowed`` points, measured to a thousandth.

    Args:
        recipe: whose own amount plays no part; layers with an amount of their own keep it.
        allowed: points of quality (percent of the samples) that may be lost; of a subject that nothing judges,
            percent of answers that may flip.

    Raises:
        RecipeError: the recipe does not fit the subject, or ``allowed`` is outside [0, 100].
        SubjectError: the subject has no samples, or fails on them.
    """
    check_allowed(allowed)
    if subject.samples is None:
        raise SubjectError(f"{subject.name} has no samples, so what pruning costs cannot be measured; give it some")
    curves = CurveJob(subject, [new_curve(replace(recipe, amount=0.0), cliff_amounts(), seeds=1)])
    curves.run()
    job = MostJob(subject, [recipe], [curves.curves[0].points], allowed)
    job.problems[0] = curves.problems[0]
    job.run()
    found = job.found[0]
    if found is None or job.problems[0]:
        raise SubjectError(f"what it costs to prune {subject.name} is not known: {job.problems[0]}")
    return found


def check_allowed(allowed: float) -> None:
    """Check a loss in points.

    Raises:
        RecipeError: it is outside [0, 100].
    """
    if not 0 <= allowed <= 100:
        raise RecipeError(f"a loss of {allowed:g} points is outside [0, 100]; 1 allows one sample in a hundred")
