"""Single points of curves, measured by a worker: a thread, or another process."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from pruning_explorer.errors import PruningExplorerError, SubjectError
from pruning_explorer.measure.drift import Drift, DriftFrom
from pruning_explorer.measure.forward import dense_outputs, masked_outputs
from pruning_explorer.measure.quality import SampleQuality, mean_quality, quality_interval, sample_quality
from pruning_explorer.prune.engine import masks_at
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

Point = dict[str, Any]
Load = Callable[[str], Subject]


@dataclass(frozen=True)
class Task:
    """A few points of one curve to be measured: all that a worker needs, picklable, without the network itself.

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
    """The result of a task: its points, or those before a failure, and what failed."""

    curve: int
    points: tuple[Point, ...]
    problem: str | None
    seconds: float


def measure_task(task: Task) -> Answer:
    """Measure the points of a task. It raises nothing: a failure is reported in the answer."""
    start = time.perf_counter()
    points: list[Point] = []
    problem = None
    try:
        subject = task.load(task.subject)
        for seed in dict.fromkeys(seed for seed, _ in task.stops):
            amounts = [amount for other, amount in task.stops if other == seed]
            points.extend(measure_points(subject, replace(task.recipe, seed=seed), amounts))
    except Exception as error:
        problem = describe_error(error)
    return Answer(task.curve, tuple(points), problem, time.perf_counter() - start)


def describe_error(error: Exception) -> str:
    """An error message for a person, for any exception: a person's own network may raise anything."""
    if isinstance(error, PruningExplorerError):
        return str(error)
    return f"the network failed on its samples ({type(error).__name__}: {error})"


def measure_points(subject: Subject, recipe: Recipe, amounts: Sequence[float]) -> Iterator[Point]:
    """Quality and drift of a recipe at several amounts in place of its own; layers with an amount of their own keep it.

    A recipe is ranked once and the dense network run once; each point is then a cut, and a run under its masks.

    Yields:
        For each amount ``seed``, ``amount``; ``achieved``, the fraction removed of the chosen layers; ``sparsity``,
        that of all weights that can be pruned (biases and norm layers left out); ``compression``, 1 / (1 - sparsity);
        ``quality`` with its 95 % interval ``quality_low`` and ``quality_high``, NaN where nothing judges
        the samples or their judge fails; ``kl_nats``, ``agreement``, ``sqnr_db``; ``flips``, bytes with a bit for each
        sample, the lowest of each byte first, which is 1 where its top answer is another one than the dense network's.

    Raises:
        PruningExplorerError: the recipe does not fit the subject, or the network fails.
    """
    runs: list[tuple[float, Masks, Tensor]] = []
    problem: Exception | None = None
    dense = dense_outputs(subject)
    try:
        for amount, masks in zip(amounts, masks_at(subject, recipe, amounts), strict=True):
            untouched = all(masks.kept(target.name) == target.numel for target in masks.targets)
            pruned = dense if untouched and not masks.recalibrate else masked_outputs(subject, masks)
            runs.append((amount, masks, pruned))
    except Exception as error:  # once those are told that went well
        problem = error
    drifts = DriftFrom(dense).measure_all([pruned for _, _, pruned in runs])
    for (amount, masks, pruned), drift in zip(runs, drifts, strict=True):
        worth = _worth(subject, pruned, drift)
        point = {"seed": recipe.seed, "amount": amount, **figures_of(subject, masks, drift, worth)}
        yield point | {"flips": flips_of(drift)}
    if problem is not None:
        raise problem


def flips_of(drift: Drift) -> bytes:
    """Which samples flip: ``flips`` of :func:`measure_points`."""
    return np.packbits(~drift.agrees, bitorder="little").tobytes()


def figures_of(subject: Subject, masks: Masks, drift: Drift, worth: SampleQuality | None) -> Point:
    """The figures of one point of :func:`measure_points` under given masks: all but ``seed`` and ``amount``.

    Args:
        worth: the quality of each sample under the masks; None without labels and metric.
    """
    removed = {target: target.numel - masks.kept(target.name) for target in masks.targets}
    removed_weights = sum(count for target, count in removed.items() if target.is_weight)
    all_weights = sum(target.numel for target in subject.targets if target.is_weight)
    sparsity = removed_weights / all_weights if all_weights else math.nan
    low, high = (math.nan, math.nan) if worth is None else quality_interval(worth)
    totals = drift.totals()
    return {
        "achieved": sum(removed.values()) / sum(target.numel for target in masks.targets),
        "sparsity": sparsity,
        "compression": math.inf if sparsity == 1 else 1 / (1 - sparsity),
        "quality": math.nan if worth is None else mean_quality(worth),
        "quality_low": low,
        "quality_high": high,
        "kl_nats": totals["kl_nats"],
        "agreement": totals["agreement"],
        "sqnr_db": totals["sqnr_db"],
    }


def _worth(subject: Subject, pruned: Tensor, drift: Drift) -> SampleQuality | None:
    try:
        return sample_quality(subject, pruned, drift.pruned_top1)
    except SubjectError:  # which says so where the page stands; drift needs no judge
        return None


@dataclass(frozen=True)
class InProcessLoader:
    """Gives the subject itself, to threads of this process only."""

    subject: Subject

    def __call__(self, name: str) -> Subject:
        return self.subject

    def __reduce__(self) -> tuple[object, ...]:
        raise SubjectError(
            f"{self.subject.name} is a live network, which is not sent to other processes; "
            "give load=, a function of a module that makes it from its name"
        )
