"""How many groups of each target are removed at a recipe's amount."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.prune.allocation import allocate, raw_density
from pruning_explorer.prune.grouping import Granularity
from pruning_explorer.prune.ranking import Competitor, global_cut
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.targets import Target


class Contestant(Competitor, Protocol):
    """What a cut needs of a target's groups; the attributes are those of
    :class:`~pruning_explorer.prune.ranking.Ranking`.
    """

    @property
    def groups(self) -> int: ...

    @property
    def rows(self) -> int: ...


AnyContestant = TypeVar("AnyContestant", bound=Contestant)


@dataclass(frozen=True, eq=False)
class Competition(Generic[AnyContestant]):
    """A recipe's targets, and what is known of the groups of each.

    Attributes:
        targets: the chosen ones, in the network's order.
        rankings: of each.
        joint: for each target, whether it competes with the others in one ranking.
    """

    recipe: Recipe
    granularity: Granularity
    targets: tuple[Target, ...]
    rankings: tuple[AnyContestant, ...]
    joint: tuple[bool, ...]

    @property
    def limits(self) -> NDArray[np.int64]:
        """The most groups that each target may lose under the recipe's cap and what never goes, ``[T]``."""
        # Of the cap as it is written: as floats, 0.29 * 100 is 28.999999999999996
        cap = Fraction(repr(self.recipe.cap))
        return np.array([min(floor(cap * each.groups), each.removable) for each in self.rankings], dtype=np.int64)

    def removed_at(self, amounts: Sequence[float] | NDArray[np.float64]) -> NDArray[np.int64]:
        """Ranks that each target loses at each amount, with all else in the recipe unchanged.

        A rank is one group; under scope ``row`` it is one weight of every row. A recipe that is not ``nested`` is
        ranked for its own amount; at any other amount the result follows the order of that schedule.

        Args:
            amounts: A fractions in [0, 1].

        Returns:
            int64 ``[A, T]``, not decreasing along A where ``amounts`` does not.
        """
        recipe, wanted = self.recipe, np.asarray(amounts, dtype=np.float64)
        groups = np.array([ranking.groups for ranking in self.rankings], dtype=np.int64)
        limits, own = self.limits, [recipe.amount_of(target) for target in self.targets]
        # Half to even, as torch.nn.utils.prune rounds
        removed = np.rint(wanted[:, None] * groups).astype(np.int64)
        for column, amount in enumerate(own):
            if amount is not None:
                removed[:, column] = round(amount * int(groups[column]))
        np.minimum(removed, limits, out=removed)
        shared = [i for i, amount in enumerate(own) if amount is None]
        if recipe.allocation != "each" and shared:
            rows = np.array([self.rankings[i].rows for i in shared], dtype=np.int64)
            raw = np.array([raw_density(recipe.allocation, self.targets[i].of_one.shape) for i in shared])
            totals = np.rint(wanted * (groups[shared] * rows).sum()).astype(np.int64)
            removed[:, shared] = allocate(totals, groups[shared], limits[shared], raw, rows)
        together = np.flatnonzero(self.joint)
        if len(together):
            totals = np.rint(wanted * groups[together].sum()).astype(np.int64)
            removed[:, together] = global_cut([self.rankings[i] for i in together], totals, limits[together].tolist())
        return removed
