"""Equal scores at a cut: torch does not define which of them are removed, so it may choose others than we do."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pruning_explorer.prune.ranking import Ranking


@dataclass(frozen=True)
class Ties:
    """Equal scores at the cuts of a recipe.

    Attributes:
        meeting: how many groups have the very score at which a cut falls between them.
        removed: how many of those go.
    """

    meeting: int
    removed: int

    def __add__(self, other: "Ties") -> "Ties":
        return Ties(self.meeting + other.meeting, self.removed + other.removed)


def ties_at_cut(rankings: Sequence[Ranking], removed: Sequence[int]) -> Ties:
    """The ties at one cut through one target, or through several that compete in one ranking.

    Args:
        rankings: of the targets, each of groups that have a score of their own.
        removed: how many of each go.

    >>> ties_at_cut([rank(torch.tensor([3.0, 1.0, 3.0, 3.0]), "weight")], [2])
    Ties(meeting=3, removed=1)
    """
    orders = [ranking.ordered_bits for ranking in rankings]
    gone = [order[count - 1] for order, count in zip(orders, removed, strict=True) if count > 0]
    left = [order[count] for order, count in zip(orders, removed, strict=True) if count < len(order)]
    if not gone or not left or max(gone) != min(left):
        return Ties(0, 0)
    cut = max(gone)
    below = [int(np.searchsorted(order, cut, side="left")) for order in orders]
    through = [int(np.searchsorted(order, cut, side="right")) for order in orders]
    return Ties(sum(through) - sum(below), sum(map(int, removed)) - sum(below))
