"""Criteria that look at the weights of a target as a whole, and at nothing else."""

import numpy as np
import torch
from torch import Tensor

from pruning_explorer.prune.criteria.base import Criterion, Scoring
from pruning_explorer.prune.criteria.spread import channel_dim, spread_channels
from pruning_explorer.prune.ranking import rank
from pruning_explorer.prune.sorting import IN_PARTS_FROM, PIECE
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

EXACT_DISTANCES = 1 << 28
"""Number of products up to which distances are computed directly; above, from inner products in float64."""


def lamp(scoring: Scoring, target: Target) -> Tensor:
    """w^2 over the sum of the squares of this weight and all that are larger in its layer (arXiv 2010.07611).

    The largest weight of each layer has 1, so that one ranking over all layers never empties one before the others.
    Of groups, the group's own score of magnitude takes the place of |w|. Equal ones in flat-index order.
    """
    weight = scoring.weight(target)
    if (
        target.numel >= IN_PARTS_FROM
        and weight.dtype != torch.float64
        and scoring.granularity.group_shape(target.shape) == target.shape
    ):
        return _lamp_of_many(weight, target)
    scores = scoring.granularity.group_scores(weight.double().abs().contiguous())
    squares, order = scores.flatten().square().sort(stable=True)
    larger = squares.flip(0).cumsum(0).flip(0)
    shares = (squares / larger).where(squares != 0, 0.0)
    return torch.empty_like(shares).scatter_(0, order, shares).view(scores.shape).to(scoring.precision(target))


def _lamp_of_many(weight: Tensor, target: Target) -> Tensor:
    """The same of a large layer, piece by piece: its own memory twice, in float32, instead of six times in float64."""
    ranking = rank(weight.abs(), target.name)
    magnitudes, carry = ranking.ordered_bits.view(np.float32), 0.0
    for end in range(target.numel, 0, -PIECE):
        part = slice(max(0, end - PIECE), end)
        squares = magnitudes[part].astype(np.float64) ** 2
        larger = np.cumsum(np.append(carry, squares[::-1]))[:0:-1]
        carry = float(larger[0])
        magnitudes[part] = np.divide(squares, larger, out=np.zeros_like(squares), where=squares != 0)
    shares = ranking.ranks.view(np.float32)
    for start in range(0, target.numel, PIECE):
        part = slice(start, start + PIECE)
        shares[part] = magnitudes[ranking.ranks[part]]  # each rank is read just before its share takes its place
    return torch.from_numpy(shares).view(target.shape)


def geometric_median(scoring: Scoring, target: Target) -> Tensor:
    """Sum of the Euclidean distances of a channel's weights to those of every other (FPGM, arXiv 1811.00250).

    The channel nearest to all others, around the geometric median, can best be replaced by them and goes first.
    Channels are those of the granularity where it takes whole ones, else output channels. What an earlier step of a
    schedule removed has 0 and is nobody's neighbour.
    """
    dim = channel_dim(scoring.granularity, target)
    weight, mask = scoring.weight(target), scoring.masks.get(target.name)
    if target.experts:
        masks = [None] * target.experts if mask is None else list(mask)
        sums = torch.stack([_distances(each, m, dim - 1) for each, m in zip(weight, masks, strict=True)])
    else:
        sums = _distances(weight, mask, dim)
    return spread_channels(scoring.granularity, target, sums, dim).to(scoring.precision(target))


def _distances(weight: Tensor, mask: Tensor | None, dim: int) -> Tensor:
    """Of each channel along ``dim``, the sum of its distances to the others that are left; float64."""
    rows = weight.transpose(0, dim).flatten(1).double()
    alive = torch.ones(len(rows), dtype=torch.bool)
    if mask is not None:
        alive = mask.transpose(0, dim).flatten(1).any(dim=1)
    there = rows[alive]
    exact = len(there) * there.numel() <= EXACT_DISTANCES
    mode = "donot_use_mm_for_euclid_dist" if exact else "use_mm_for_euclid_dist"
    sums = torch.zeros(len(rows), dtype=torch.float64)
    sums[alive] = torch.cdist(there, there, compute_mode=mode).sum(dim=1)
    return sums


def has_channels(_subject: Subject, target: Target) -> str | None:
    """Why a target has no channels that could be compared; None if it has."""
    return "it has one dim only, so it has no channels to compare" if len(target.shape) < 2 else None


LAMP = Criterion(
    "lamp",
    "LAMP",
    "Magnitude measured against the larger weights of its own layer, so that layers can be ranked together.",
    lamp,
    paper="arXiv 2010.07611",
    static=True,
    advice="Made for one ranking over all layers: choose the global scope.",
)
FPGM = Criterion(
    "fpgm",
    "Geometric median",
    "Channels that are most like all the others of their layer go first.",
    geometric_median,
    paper="arXiv 1811.00250",
    channels=True,
    advice="Made for whole channels: choose that granularity.",
    refuse=has_channels,
)
