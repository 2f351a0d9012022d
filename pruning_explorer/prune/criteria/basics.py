"""The two criteria of ``torch.nn.utils.prune`` itself."""

import torch
from torch import Tensor

from pruning_explorer.errors import ScoreError
from pruning_explorer.prune.criteria.base import Criterion, Scoring
from pruning_explorer.prune.sorting import as_ranked
from pruning_explorer.prune.targets import Target


def magnitude(scoring: Scoring, target: Target) -> Tensor:
    """|w|: small weights go first (Han et al. 2015, arXiv 1506.02626)."""
    weight = scoring.weight(target).contiguous()
    scores = scoring.granularity.group_scores(weight.abs())
    if scores.shape != weight.shape and bool(scores.isinf().any()) and bool(weight.isfinite().all()):
        dtype = str(target.dtype).removeprefix("torch.")
        raise ScoreError(
            f"{target.name} has channel norms that overflow {dtype}; choose another n, or study a float32 copy"
        )
    return scores


def random(scoring: Scoring, target: Target) -> Tensor:
    """A uniform draw per group, which says nothing about the weight: the baseline that a criterion must beat."""
    drawn = scoring.uniform(target)
    # RandomUnstructured removes the largest draws, RandomStructured the smallest
    return 1 - as_ranked(drawn) if drawn.shape == target.shape else drawn


MAGNITUDE = Criterion(
    "magnitude",
    "Magnitude",
    "The smallest weights go first: |w|, or the Ln norm of a channel.",
    magnitude,
    paper="arXiv 1506.02626",
    static=True,
    of_weights=torch.abs,
    of_torch=True,
)
RANDOM = Criterion(
    "random",
    "Random",
    "Any weight may go: the baseline that a criterion must beat.",
    random,
    draws=True,
    static=True,
    of_torch=True,
)
