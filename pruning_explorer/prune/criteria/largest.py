"""Magnitude in reverse, for teaching: it removes the largest weights first, and shows how much the order matters."""

import torch
from torch import Tensor

from pruning_explorer.prune.criteria.base import Criterion, Scoring
from pruning_explorer.prune.criteria.basics import magnitude
from pruning_explorer.prune.targets import Target

LARGEST_BITS = {torch.float32: (torch.int32, 0x7F7FFFFF), torch.float64: (torch.int64, 0x7FEF << 48 | (1 << 48) - 1)}
"""For each dtype, the integer type of the same size and the bits of the largest finite number. The bits of non-negative
floats order as their values do; subtracted from these they order in reverse, exactly, which 1 / |w| would not, since it
rounds some pairs of numbers to one."""


def largest(scoring: Scoring, target: Target) -> Tensor:
    """A score that falls as |w| rises, so that the largest weights go first; about 2 / |w|.

    It is the score of :func:`magnitude` as it is ranked, per weight or per group, in reversed order. Equal ones stay
    equal. What an earlier step of a schedule removed has 0.
    """
    magnitudes = magnitude(scoring, target).to(scoring.precision(target))
    whole, largest_bits = LARGEST_BITS[magnitudes.dtype]
    turned = (largest_bits - magnitudes.view(whole)).view(magnitudes.dtype)
    scores = turned.where(magnitudes.isfinite(), magnitudes)
    mask = scoring.masks.get(target.name)
    if mask is None:
        return scores
    left = scoring.granularity.group_scores(mask.float()) > 0
    return scores.where(left, 0.0)


LARGEST = Criterion(
    "largest",
    "Largest first",
    "The largest weights go first: magnitude the wrong way round, to see how much the order matters.",
    largest,
    static=True,
    advice="Made for lessons: no method that anyone should use.",
)
