"""Carry out a recipe: scores -> rankings -> masks. It decides nothing."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.criteria import Scoring, find_criterion
from pruning_explorer.prune.granularities import Granularity, parse_granularity
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.ranking import Ranking, global_cut, rank
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

RANKINGS: ByteBoundedCache[Ranking] = ByteBoundedCache(limit=2 << 30)
"""Of all subjects and recipes together; 8 bytes a weight for the element granularity."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """A recipe's targets with their exit orders: all that a cut at any amount needs.

    Attributes:
        targets: the chosen ones, in the network's order.
        rankings: of each.
        joint: for each target, whether it competes with the others in one ranking.
    """

    recipe: Recipe
    granularity: Granularity
    targets: tuple[Target, ...]
    rankings: tuple[Ranking, ...]
    joint: tuple[bool, ...]

    @property
    def limits(self) -> NDArray[np.int64]:
        """The most groups that each target may lose under the recipe's cap, ``[T]``."""
        # Of the cap as it is written: as floats, 0.29 * 100 is 28.999999999999996
        cap = Fraction(repr(self.recipe.cap))
        return np.array([floor(cap * ranking.groups) for ranking in self.rankings], dtype=np.int64)

    def removed_at(self, amounts: Sequence[float] | NDArray[np.float64]) -> NDArray[np.int64]:
        """Groups that each target loses as the recipe's ``amount`` moves, all else as it is.

        Args:
            amounts: A fractions in [0, 1].

        Returns:
            int64 ``[A, T]``, not decreasing along A where ``amounts`` does not.
        """
        recipe, wanted = self.recipe, np.asarray(amounts, dtype=np.float64)
        groups = np.array([ranking.groups for ranking in self.rankings], dtype=np.int64)
        limits = self.limits
        # Half to even, as torch.nn.utils.prune rounds
        removed = np.rint(wanted[:, None] * groups).astype(np.int64)
        for column, target in enumerate(self.targets):
            own = recipe.amount_of(target)
            if own is not None:
                removed[:, column] = round(own * int(groups[column]))
        np.minimum(removed, limits, out=removed)
        together = np.flatnonzero(self.joint)
        if len(together):
            totals = np.rint(wanted * groups[together].sum()).astype(np.int64)
            removed[:, together] = global_cut([self.rankings[i] for i in together], totals, limits[together].tolist())
        return removed

    def mask(self, index: int, removed: int) -> Tensor:
        """The mask of one target, bool and of its shape."""
        shape = self.targets[index].shape
        return self.granularity.expand(self.rankings[index].keep(removed), shape).contiguous()

    def per_weight(self, index: int, groups: NDArray[Any]) -> NDArray[Any]:
        """Spread one number per group over the weights of one target, ``[numel]``."""
        return self.granularity.expand(torch.from_numpy(groups), self.targets[index].shape).reshape(-1).numpy()


def rank_targets(subject: Subject, recipe: Recipe) -> Ranked:
    """Score and sort every target of a recipe, or take it from the cache; the amount plays no part in it.

    Raises:
        RecipeError: nothing is chosen, or a chosen target cannot be grouped as asked.
        TargetError: the subject lacks a named target.
        ScoreError: a target has NaN or infinite scores.
    """
    targets = recipe.chosen(subject)
    if not targets:
        raise RecipeError("no layer is chosen, so there is nothing to prune; choose at least one")
    granularity = parse_granularity(recipe.granularity)
    criterion = find_criterion(recipe.criterion)
    joint = tuple(recipe.scope == "global" and recipe.amount_of(target) is None for target in targets)
    together = tuple(target for target, competes in zip(targets, joint, strict=True) if competes)
    scoring = Scoring(subject, granularity, together, recipe.seed)

    def ranking_of(target: Target) -> Ranking:
        drawn = (recipe.seed, tuple(t.name for t in together) if target in together else ()) if criterion.draws else ()
        key = (subject.id, criterion.name, recipe.granularity, target.name, drawn)
        return RANKINGS.get(key, lambda: rank(criterion.score(scoring, target), target.name))

    if criterion.draws or sum(target.numel for target in targets) < 1 << 20:
        rankings = tuple(map(ranking_of, targets))
    else:
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # numpy sorts without the interpreter's lock
            rankings = tuple(pool.map(ranking_of, targets))
    return Ranked(recipe, granularity, targets, rankings, joint)


def compute_masks(subject: Subject, recipe: Recipe) -> Masks:
    """The masks that a recipe makes on a subject; for every built-in of ``torch.nn.utils.prune``, the library's own.

    Where equal scores meet the cut, the library's choice is unspecified; here the count is exact and the weights
    go in flat-index order.

    Raises:
        RecipeError, TargetError, ScoreError: as :func:`rank_targets`.
    """
    ranked = rank_targets(subject, recipe)
    removed = ranked.removed_at([recipe.amount])[0]
    requested = {
        target.name: recipe.amount if (own := recipe.amount_of(target)) is None else own
        for target, competes in zip(ranked.targets, ranked.joint, strict=True)
        if not competes
    }
    weights = sum(target.numel for target in ranked.targets)
    asked = sum(requested.get(target.name, recipe.amount) * target.numel for target in ranked.targets)
    return Masks(
        ranked.targets,
        MappingProxyType({t.name: ranked.mask(i, int(removed[i])) for i, t in enumerate(ranked.targets)}),
        MappingProxyType(requested),
        asked / weights,
        recipe.id,
    )
