"""What a network of two inputs answers all over the plane, at every amount."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.figures.gallery import class_name
from pruning_explorer.lessons.panels import Regions
from pruning_explorer.measure.drift import top1
from pruning_explorer.measure.forward import dense_outputs, masked_outputs
from pruning_explorer.measure.quality import true_answers
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

GRID = 72
"""Points along each side of the grid on which the network is run."""
MARGIN = 0.05
"""Margin around the samples on each side, as a fraction of their extent."""
MOST_CLASSES = 10
"""Most classes that are drawn: so many colours can be told apart."""

_ANSWERS: ByteBoundedCache[NDArray[np.uint8]] = ByteBoundedCache(16 << 20, "answers all over a plane")


def has_plane(subject: Subject) -> bool:
    """Whether its inputs are points of a plane, and each gets one answer out of a few."""
    samples = subject.samples
    if samples is None or len(samples) != 1 or samples[0].shape[1:] != (2,) or not samples[0].is_floating_point():
        return False
    logits = dense_outputs(subject)
    return logits.dim() == 2 and 2 <= logits.shape[1] <= MOST_CLASSES


def decision_regions(subject: Subject, recipe: Recipe, amounts: Sequence[float], title: str, note: str = "") -> Regions:
    """Ask a network with a plane for its answers on a grid, under a recipe at each amount in place of its own.

    It is asked once, for all lessons that show the same plane.

    Raises:
        PruningExplorerError: the recipe does not fit the subject.
    """
    assert subject.samples is not None
    samples, dense = subject.samples[0], dense_outputs(subject)
    points = samples.float().numpy()
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * (high - low)
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], GRID) for i in (0, 1))
    grid = torch.from_numpy(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)).to(samples.dtype)
    key = (subject.id, recipe.id, tuple(amounts))
    answers = _ANSWERS.get(key, lambda: _ask(subject, recipe, amounts, grid))
    labels: NDArray[np.int64] | None = true_answers(subject, dense)
    return Regions(
        title,
        answers,
        (float(x[0]), float(x[-1]), float(y[0]), float(y[-1])),
        points,
        top1(dense).numpy() if labels is None else labels,
        tuple(class_name(subject.output_names, i) for i in range(dense.shape[1])),
        note,
    )


def _ask(subject: Subject, recipe: Recipe, amounts: Sequence[float], grid: Tensor) -> NDArray[np.uint8]:
    asked = replace(subject, samples=(grid,), labels=None, groups=None)
    answers = np.empty((len(amounts), GRID, GRID), dtype=np.uint8)
    for stop, amount in enumerate(amounts):
        masks = compute_masks(subject, replace(recipe, amount=amount))
        answers[stop] = top1(masked_outputs(asked, masks)).numpy().reshape(GRID, GRID)
    return answers
