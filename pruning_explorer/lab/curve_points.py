"""Single points of curves, measured by whoever is handed a task: a thread, or a process elsewhere."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pruning_explorer.errors import PruningExplorerError, SubjectError
from pruning_explorer.measure.drift import measure_drift
from pruning_explorer.measure.forward import dense_outputs, masked_outputs
from pruning_explorer.measure.quality import right_samples, wilson_interval
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

Point = dict[str, float]
Load = Callable[[str], Subject]


@dataclass(frozen=True)
class Task:
    """A few points of one curve: all that a worker needs, and no live network.

    Attributes:
        load: gives the subject by its name.
        curve: position of the recipe among those of the job.
        stops: seeds and amounts to measure.
    """

    load: Load
    subject: str
    curve: int
    recipe: Recipe
    stops: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Answer:
    """What became of a task: its points, or as many of them as went well and the problem with the next."""

    curve: int
    points: tuple[Point, ...]
    problem: str | None
    seconds: float


def measure_task(task: Task) -> Answer:
    """Measure the points of a task. Whatever goes wrong is said in the answer."""
    start = time.perf_counter()
    points: list[Point] = []
    problem = None
    try:
        subject = task.load(task.subject)
        for seed, amount in task.stops:
            points.append(measure_point(subject, replace(task.recipe, amount=amount, seed=seed)))
    except Exception as error:
        problem = say(error)
    return Answer(task.curve, tuple(points), problem, time.perf_counter() - start)


def say(error: Exception) -> str:
    """What a person is told; a foreign network may raise anything, and nobody may wait for it for ever."""
    if isinstance(error, PruningExplorerError):
        return str(error)
    return f"the network failed on its samples ({type(error).__name__}: {error})"


def measure_point(subject: Subject, recipe: Recipe) -> Point:
    """Quality and drift of a recipe at its amount; layers with an amount of their own keep it.

    Returns:
        ``COLUMNS`` but for ``recipe``: ``achieved`` is the fraction removed of the chosen layers, ``sparsity`` that of
        all weights that can be pruned (biases and norm layers left out), ``compression`` 1 / (1 - sparsity).
        Quality and its 95 % interval are NaN where the subject has no labels.

    Raises:
        PruningExplorerError: the recipe does not fit the subject, or the network fails.
    """
    masks = compute_masks(subject, recipe)
    kept = {target.name: masks.kept(target.name) for target in masks.targets}
    weights = sum(target.numel for target in masks.targets)
    removed_weights = sum(target.numel - kept[target.name] for target in masks.targets if target.role == "weight")
    all_weights = sum(target.numel for target in subject.targets if target.role == "weight")
    sparsity = removed_weights / all_weights if all_weights else math.nan
    dense = dense_outputs(subject)
    untouched = sum(kept.values()) == weights and not masks.recalibrate
    pruned = dense if untouched else masked_outputs(subject, masks)
    drift = measure_drift(dense, pruned).totals()
    right = right_samples(subject, pruned)
    count = 0 if right is None else int(np.count_nonzero(right))
    low, high = (math.nan, math.nan) if right is None else wilson_interval(count, len(right))
    return {
        "seed": recipe.seed,
        "amount": recipe.amount,
        "achieved": 1 - sum(kept.values()) / weights,
        "sparsity": sparsity,
        "compression": math.inf if sparsity == 1 else 1 / (1 - sparsity),
        "quality": math.nan if right is None else count / len(right),
        "quality_low": low,
        "quality_high": high,
        "kl_nats": drift["kl_nats"],
        "agreement": drift["agreement"],
        "sqnr_db": drift["sqnr_db"],
    }


@dataclass(frozen=True)
class Here:
    """Gives the subject itself, to threads of this process only."""

    subject: Subject

    def __call__(self, name: str) -> Subject:
        return self.subject

    def __reduce__(self) -> tuple[object, ...]:
        raise SubjectError(
            f"{self.subject.name} is a live network, which is not sent to other processes; "
            "give load=, a function of a module that makes it from its name"
        )
