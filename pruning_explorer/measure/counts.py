"""What counts alone tell of a recipe at every amount: how many weights each layer keeps."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pruning_explorer.prune.engine import Ranked
from pruning_explorer.prune.subject import Subject


@dataclass(frozen=True, eq=False)
class Counts:
    """Weights that stay at each of ``A`` amounts, in each of a recipe's ``T`` targets.

    Attributes:
        kept: int64 ``[A, T]``.
        nonzero_kept: int64 ``[A, T]``, of them those that are not zero; None where no target holds a zero, or where
            zeros are not counted.
    """

    kept: NDArray[np.int64]
    nonzero_kept: NDArray[np.int64] | None


def counts_at(subject: Subject, ranked: Ranked, removed: NDArray[np.int64]) -> Counts:
    """Count what stays at each amount, without a mask.

    A recipe that is not ``nested`` is ranked for its own amount; at any other the counts follow the order of that
    schedule.

    Args:
        removed: from :meth:`~pruning_explorer.prune.competition.Competition.removed_at`, ``[A, T]``.
    """
    sizes = [target.numel for target in ranked.targets]
    kept = np.stack([size - ranked.removed_weights(i, removed[:, i]) for i, size in enumerate(sizes)], axis=1)
    if not subject.runnable:
        return Counts(kept, None)
    nonzero = kept.copy()
    for i, target in enumerate(ranked.targets):
        weight = subject.weight(target.name)
        if not weight.is_meta and int(torch.count_nonzero(weight)) < target.numel:
            nonzero[:, i] -= _zeros_kept(ranked, i, weight, removed[:, i])
    return Counts(kept, nonzero if (nonzero != kept).any() else None)


def _zeros_kept(ranked: Ranked, index: int, weight: torch.Tensor, removed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Zeros of one target that stay where its first ``removed`` ranks are gone; shaped like ``removed``."""
    ranks = ranked.per_weight(index, ranked.rankings[index].ranks)
    zeros = np.sort(ranks[(weight == 0).reshape(-1).numpy()]).astype(np.int64)
    return np.asarray(zeros.size - np.searchsorted(zeros, removed), dtype=np.int64)
