"""What makes a weight important.

A criterion is one function from a target to a non-negative score per weight (or per group, where it draws groups
directly); the rest - grouping, ranking, cutting - is shared. To add one, write the function and register it in
``CRITERIA``, or offer it from a package of your own (:mod:`pruning_explorer.prune.registry`).
"""

from pruning_explorer.prune.criteria import basics, largest, own, sensitivity, watched, weights
from pruning_explorer.prune.criteria.base import Criterion, Scoring, drawn_dtype, seed_of
from pruning_explorer.prune.registry import Choices

__all__ = [
    "CRITERIA",
    "Criterion",
    "Scoring",
    "drawn_dtype",
    "seed_of",
]

CRITERIA: Choices[Criterion] = Choices(
    "criterion",
    Criterion,
    (
        basics.MAGNITUDE,
        basics.RANDOM,
        sensitivity.GRADIENT,
        sensitivity.FISHER_INFORMATION,
        watched.WANDA,
        weights.LAMP,
        sensitivity.SYNFLOW,
        watched.MEAN_ACTIVATION,
        watched.APOZ,
        watched.BN_SCALE,
        weights.FPGM,
        largest.LARGEST,
        own.OWN_SCORES,
        own.OWN_MASK,
    ),
    group="pruning_explorer.criteria",
)
