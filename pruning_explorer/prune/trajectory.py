"""One target through the steps of a schedule; at the end, an ordinary ranking."""

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from pruning_explorer.prune.ranking import Ranking, rank, rank_rows, rank_survivors
from pruning_explorer.prune.sorting import Bits, precision_of

LOST_BITS = 7
"""Low bits of a score that are dropped to store the step's number above the rest; for a hundred steps the result stays
below the bits of infinity."""


@dataclass
class Trajectory:
    """The groups of one target removed so far, and the present ranking of the others.

    Attributes:
        name: of the target, for error messages.
        row_dims: the dims that index rows, where rows lose alike.
        removed: how many ranks are gone.
    """

    name: str
    row_dims: tuple[int, ...] | None = None
    removed: int = 0
    _ranking: Ranking | None = None
    _steps: int = 0
    _left: list[Bits] = field(default_factory=list)

    @property
    def ranking(self) -> Ranking:
        """The present ranking for the next cut: removed groups come first."""
        assert self._ranking is not None, "nothing has been scored yet"
        return self._ranking

    def score(self, scores: Tensor, protected: Tensor | None) -> None:
        """Rank the remaining groups by new scores.

        Raises:
            ScoreError: a survivor's score is NaN, infinite or negative.
        """
        if self._ranking is not None:
            self._ranking = rank_survivors(
                self._ranking, self.removed, scores, self.name, protected, row_dims=self.row_dims
            )
        elif self.row_dims is None:
            self._ranking = rank(scores, self.name, protected)
        else:
            self._ranking = rank_rows(scores, self.name, protected, self.row_dims)

    def cut(self, removed: int) -> None:
        """Take one step: ``removed`` ranks are removed now, those of earlier steps included."""
        self._left.append(self._bits(self.removed, removed))
        self.removed = removed
        self._steps += 1

    def finish(self) -> Ranking:
        """The final ranking: removed groups in the order of their steps, then the others by their last scores.

        The bits for a joint cut hold the step first and then as much of the score as there is room for, so that a cut
        at what has gone takes just that, and any other cut goes step by step.
        """
        ranking = self.ranking
        bits = np.concatenate([*self._left, self._bits(self.removed, len(ranking.ordered_bits))])
        return Ranking(ranking.ranks, bits, ranking.removable, ranking.rows, ranking.scores)

    def _bits(self, start: int, end: int) -> Bits:
        bits = self.ranking.ordered_bits[start:end]
        precision = precision_of(bits)
        step = precision.bits(self._steps << (precision.digits - 1 - LOST_BITS))
        coded: Bits = ((bits & ~precision.protected) >> precision.bits(LOST_BITS)) + step | bits & precision.protected
        return coded
