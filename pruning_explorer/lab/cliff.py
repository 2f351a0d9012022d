"""The cliff: quality and drift of one recipe over the whole range of amounts, computed behind the page.

A person sees what comes before dragging there. Points come coarse first, so that the shape stands early.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from pruning_explorer.errors import PruningExplorerError, SubjectError
from pruning_explorer.measure.drift import measure_drift
from pruning_explorer.measure.forward import run_subject
from pruning_explorer.measure.quality import right_samples, wilson_interval
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

COLUMNS = ["amount", "achieved", "quality", "quality_low", "quality_high", "kl_nats", "agreement"]


def cliff_amounts() -> tuple[float, ...]:
    """47 amounts in [0, 1], coarse first: every 5 %, then between them, then the last percents before everything."""
    coarse = np.linspace(0, 1, 11)
    middle = np.linspace(0.05, 0.95, 10)
    fine = np.linspace(0.025, 0.975, 20)
    last = (0.96, 0.97, 0.98, 0.985, 0.99, 0.995)
    return tuple(round(float(amount), 4) for amount in (*coarse, *middle, *fine, *last))


def cliff_points(subject: Subject, recipe: Recipe, amounts: tuple[float, ...]) -> Iterator[dict[str, float]]:
    """Measure a recipe at each amount, one by one; layers with an amount of their own keep it.

    Yields:
        One row of ``COLUMNS``; quality and its 95 % interval are NaN where the subject has no labels.
    """
    for amount in amounts:
        masks = compute_masks(subject, replace(recipe, amount=amount))
        weights = sum(target.numel for target in masks.targets)
        kept = sum(masks.kept(name) for name in masks)
        outcome = run_subject(subject, masks)
        drift = measure_drift(outcome.dense, outcome.pruned).totals()
        right = right_samples(subject, outcome.pruned)
        count = 0 if right is None else int(right.sum())
        low, high = (math.nan, math.nan) if right is None else wilson_interval(count, len(right))
        yield {
            "amount": amount,
            "achieved": 1 - kept / weights,
            "quality": math.nan if right is None else count / len(right),
            "quality_low": low,
            "quality_high": high,
            "kl_nats": drift["kl_nats"],
            "agreement": drift["agreement"],
        }


@dataclass(eq=False)
class CliffJob:
    """A cliff that is being computed, point by point, in a thread of its own.

    Attributes:
        points: the rows so far, in the order they came.
        problem: why it stopped early; None while all is well.
    """

    subject: Subject
    recipe: Recipe
    amounts: tuple[float, ...]
    points: list[dict[str, float]] = field(default_factory=list)
    problem: str | None = None
    wanted_by: set[str] = field(default_factory=set)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def progress(self) -> float:
        """Fraction of the points that stand, in [0, 1]."""
        return len(self.points) / len(self.amounts)

    @property
    def done(self) -> bool:
        return self.problem is not None or self.progress >= 1

    def frame(self, points: int | None = None) -> pd.DataFrame:
        """The points so far, or the first few of them, ascending by amount; columns as ``COLUMNS``."""
        return pd.DataFrame(self.points[:points], columns=COLUMNS).sort_values("amount", ignore_index=True)

    def run(self) -> None:
        try:
            for point in cliff_points(self.subject, self.recipe, self.amounts):
                if self.stopped.is_set():
                    return
                self.points.append(point)
        except PruningExplorerError as error:
            self.problem = str(error)
        except Exception as error:  # a foreign network may raise anything; the page must hear of it, not wait for ever
            self.problem = str(SubjectError(f"the network failed on its samples ({type(error).__name__}: {error})"))


class CliffDesk:
    """Hands out one job for each recipe and subject; the least recently asked for go first.

    One worker: a cliff uses the cores already, and the page's own numbers must not wait for several.
    """

    def __init__(self, keep: int = 64) -> None:
        self._keep = keep
        self._jobs: OrderedDict[tuple[str, str], CliffJob] = OrderedDict()
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="cliff")

    def ask(
        self, subject: Subject, recipe: Recipe, asker: str, amounts: Callable[[], tuple[float, ...]] = cliff_amounts
    ) -> CliffJob:
        """The cliff of a recipe, whatever its own amount.

        What else the asker was waiting for is cancelled, unless somebody else waits for it too.
        """
        recipe = replace(recipe, amount=0.0)
        key = (subject.id, recipe.id)
        with self._lock:
            for other, job in list(self._jobs.items()):
                if other != key and not job.done:
                    job.wanted_by.discard(asker)
                    if not job.wanted_by:
                        job.stopped.set()
                        del self._jobs[other]
            job = self._jobs.get(key) or CliffJob(subject, recipe, amounts())
            job.wanted_by.add(asker)
            if key not in self._jobs:
                self._jobs[key] = job
                self._worker.submit(job.run)
                while len(self._jobs) > self._keep:
                    self._jobs.popitem(last=False)[1].stopped.set()
            self._jobs.move_to_end(key)
            return job
