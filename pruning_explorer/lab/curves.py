"""Curves: quality and drift of recipes over the whole range of amounts, computed in the background.

A coarse grid of points comes first, so that the shape shows early, and all recipes take turns.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

import numpy as np
import pandas as pd

from pruning_explorer.lab.curve_points import Answer, InProcessLoader, Load, Point, Task, describe_error, measure_task
from pruning_explorer.lab.job_queue import Job, JobQueue
from pruning_explorer.lab.workers import spread, step_back
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.recipe_settings import SETTINGS
from pruning_explorer.prune.subject import Subject

COLUMNS = [
    "recipe",
    "seed",
    "amount",
    "achieved",
    "sparsity",
    "compression",
    "quality",
    "quality_low",
    "quality_high",
    "kl_nats",
    "agreement",
    "sqnr_db",
]

SEEDS = 5
"""Number of seeds under which a recipe with a random criterion is measured."""

TASK_SECONDS = 0.06
MOST_PER_TASK = 8
LEAST_TASKS_LEFT = 4
"""Least tasks into which the points that are left are divided, so that near the end no worker waits long for the last.
A task may hold several points because handing one out costs half a millisecond."""

Amounts = tuple[float, ...]


def cliff_amounts() -> Amounts:
    """47 amounts in [0, 1], coarse first: every 5 %, then between them, then the last percents before everything."""
    coarse = np.linspace(0, 1, 11)
    middle = np.linspace(0.05, 0.95, 10)
    fine = np.linspace(0.025, 0.975, 20)
    last = (0.96, 0.97, 0.98, 0.985, 0.99, 0.995)
    return tuple(round(float(amount), 4) for amount in (*coarse, *middle, *fine, *last))


def comparison_amounts() -> Amounts:
    """20 amounts in [0, 1), first those that compress 2, 4, 8, 16 and 32 times (Blalock et al., arXiv 2003.03033)."""
    compressing = (0.5, 0.75, 0.875, 0.9375, 0.96875)
    return (*compressing, 0.0, 0.25, 0.9, 0.99, 0.1, 0.4, 0.6, 0.8, 0.95, 0.98, 0.2, 0.3, 0.7, 0.85, 0.65)


@dataclass(eq=False)
class Curve:
    """One recipe over all amounts, under one or more seeds, as far as it is measured; jobs may share it.

    Attributes:
        recipe: whose own amount plays no part.
        points: as :func:`~pruning_explorer.lab.curve_points.measure_points` gives them, in the order they came.
        problem: why it stopped early; None while all is well.
    """

    recipe: Recipe
    seeds: tuple[int, ...]
    amounts: Amounts
    points: list[Point] = field(default_factory=list)
    problem: str | None = None

    @property
    def planned(self) -> int:
        """Number of points in all."""
        return len(self.seeds) * len(self.amounts)

    @property
    def done(self) -> bool:
        return self.problem is not None or len(self.points) >= self.planned

    def missing(self) -> list[tuple[int, float]]:
        """Seeds and amounts that are not measured: the first amounts under all seeds first."""
        have = {(point["seed"], point["amount"]) for point in self.points}
        return [(seed, amount) for amount in self.amounts for seed in self.seeds if (seed, amount) not in have]


def new_curve(recipe: Recipe, amounts: Sequence[float], seeds: int = SEEDS) -> Curve:
    """A curve without points; a recipe with a random criterion is measured under ``seeds`` seeds."""
    count = seeds if recipe.criterion.draws else 1
    drawn = tuple((recipe.seed + i) % (int(SETTINGS["seed"].high) + 1) for i in range(count))
    return Curve(recipe, drawn, tuple(dict.fromkeys(amounts)))


class CurveJob(Job):
    """Curves of some recipes on one subject, measured together; stopped, it ends after the points it is at.

    Attributes:
        curves: one per recipe, in order.
    """

    def __init__(self, subject: Subject, curves: Sequence[Curve], load: Load | None = None) -> None:
        """Plan the work; :meth:`run` does it.

        Args:
            load: how a worker gets the subject by its name. A function of a module can be sent to other processes;
                None hands the subject itself to threads of this one.
        """
        super().__init__()
        self.subject = subject
        self.curves = tuple(curves)
        self._load = load or InProcessLoader(subject)

    @property
    def planned(self) -> int:
        """Number of points in all."""
        return sum(curve.planned for curve in self.curves)

    @property
    def measured(self) -> int:
        """Number of points measured so far."""
        return sum(len(curve.points) for curve in self.curves)

    @property
    def progress(self) -> float:
        """Fraction of the points that are measured, in [0, 1]; a curve that failed counts as complete."""
        measured = sum(curve.planned if curve.done else len(curve.points) for curve in self.curves)
        return measured / self.planned if self.planned else 1.0

    @property
    def done(self) -> bool:
        return all(curve.done for curve in self.curves)

    @property
    def problems(self) -> tuple[str | None, ...]:
        """Why each recipe's curve stopped early; None where all is well."""
        return tuple(curve.problem for curve in self.curves)

    def frame(self) -> pd.DataFrame:
        """The points so far, ascending by recipe, amount and seed.

        Columns: ``recipe`` (position), ``seed``, ``amount``, and the others of
        :func:`~pruning_explorer.lab.curve_points.measure_points`.
        """
        rows = [{"recipe": i, **point} for i, curve in enumerate(self.curves) for point in list(curve.points)]
        frame = pd.DataFrame(rows, columns=COLUMNS)
        return frame.sort_values(["recipe", "amount", "seed"], ignore_index=True)

    def run(self) -> None:
        """Measure the missing points until none is left or the job is stopped; failures are kept in ``problems``."""
        if self.done:
            return
        try:
            dense_outputs(self.subject)  # once, rather than by every worker that begins
        except Exception as error:
            self.fail(error)
            return
        pace: dict[int, int] = {}
        for answer in spread(measure_task, self._tasks(pace), self.pause):
            curve = self.curves[answer.curve]
            curve.points.extend(answer.points)
            curve.problem = curve.problem or answer.problem
            pace[answer.curve] = _points_in_a_moment(answer)

    def fail(self, error: Exception) -> None:
        """Stop all curves that are not done, and say why."""
        for curve in self.curves:
            if not curve.done:
                curve.problem = describe_error(error)

    def _tasks(self, pace: dict[int, int]) -> Iterator[Task]:
        first = {id(curve): i for i, curve in reversed(list(enumerate(self.curves)))}
        # A recipe that stands there twice has one curve, which is measured once
        queues = {i: deque(self.curves[i].missing()) for i in sorted(first.values()) if not self.curves[i].done}
        begun: set[int] = set()
        while queues:
            # A recipe's first point ranks it: until that stands, others would do the same
            ready = [i for i in queues if i in pace or i not in begun] or list(queues)
            for i in ready:
                queue = queues[i]
                if not queue or self.curves[i].problem:
                    del queues[i]
                    continue
                share = 1 + sum(map(len, queues.values())) // LEAST_TASKS_LEFT
                stops = tuple(queue.popleft() for _ in range(min(len(queue), pace.get(i, 1), share)))
                begun.add(i)
                yield Task(self._load, self.subject.name, i, self.curves[i].recipe, stops)


def _points_in_a_moment(answer: Answer) -> int:
    if not answer.points or not answer.seconds:
        return 1
    return min(MOST_PER_TASK, max(1, round(TASK_SECONDS * len(answer.points) / answer.seconds)))


class CurveQueue(JobQueue[CurveJob]):
    """Hands out jobs, the same one to all who ask for the same; keeps the most recent of them and their curves.

    Jobs take turns, behind everything else: each uses all cores, and the page's own numbers must not wait for it.
    """

    def __init__(
        self, amounts: Callable[[], Amounts] = comparison_amounts, *, seeds: int = SEEDS, keep: int = 64
    ) -> None:
        super().__init__("curves", keep=keep, begin=step_back)
        self._amounts, self._seeds = amounts, seeds
        self._curves: WeakValueDictionary[tuple[str, str], Curve] = WeakValueDictionary()

    def ask(
        self, subject: Subject, recipes: Recipe | Sequence[Recipe], asker: str, load: Load | None = None
    ) -> CurveJob:
        """The curves of recipes, whatever their own amounts; a curve that stood in another job goes on from there.

        What else the asker was waiting for is cancelled, unless somebody else waits for it too.

        Args:
            load: as for :class:`CurveJob`.
        """
        several = [recipes] if isinstance(recipes, Recipe) else recipes
        plain = [replace(recipe, amount=0.0) for recipe in several]
        return self.take(
            (subject.id, *(recipe.id for recipe in plain)),
            asker,
            lambda: CurveJob(subject, [self._curve(subject, recipe) for recipe in plain], load),
        )

    def _curve(self, subject: Subject, recipe: Recipe) -> Curve:
        key = (subject.id, recipe.id)
        curve = self._curves.get(key)
        if curve is None:
            curve = self._curves[key] = new_curve(recipe, self._amounts(), self._seeds)
        return curve
