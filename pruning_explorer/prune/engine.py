"""Carry out a recipe: scores -> rankings -> masks. It decides nothing."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.competition import Competition
from pruning_explorer.prune.criteria import Criterion, Scoring
from pruning_explorer.prune.experts import grouping_of
from pruning_explorer.prune.mapped import give_back
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.ranking import Ranking, rank, rank_rows
from pruning_explorer.prune.recipe import Recipe, why_nothing
from pruning_explorer.prune.sorting import as_ranked
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target
from pruning_explorer.prune.trajectory import Trajectory

T = TypeVar("T")

ONE_AT_A_TIME_FROM = 1 << 24
"""Weights of a layer from which layers are ranked one after another: ranking takes several times a layer's own
memory."""
_ONE_LARGE_LAYER = threading.RLock()

RANKINGS: ByteBoundedCache[Ranking] = ByteBoundedCache(2 << 30, "rankings")
"""Rankings of all subjects and recipes; 8 bytes a weight for the element granularity."""


@dataclass(frozen=True, eq=False)
class Exits:
    """The rankings that a schedule ends with, of all targets."""

    rankings: tuple[Ranking, ...]

    @property
    def nbytes(self) -> int:
        return sum(ranking.nbytes for ranking in self.rankings)


EXITS: ByteBoundedCache[Exits] = ByteBoundedCache(512 << 20, "rankings of schedules")
"""Rankings of recipes with a schedule, which hold for one amount only; 12 bytes a weight."""


@dataclass(frozen=True, eq=False)
class Ranked(Competition[Ranking]):
    """A recipe's targets with the order in which their groups are removed: all that a cut at any amount needs."""

    rankings: tuple[Ranking, ...]

    def removed_weights(self, index: int, removed: NDArray[np.int64]) -> NDArray[np.int64]:
        """Weights of one target that are removed with its first ``removed`` ranks; shaped like ``removed``."""
        ranking = self.rankings[index]
        if self.granularity.even:
            return removed * (self.targets[index].numel // ranking.groups)
        of_each = np.bincount(self.per_weight(index, ranking.ranks), minlength=ranking.groups)
        weights: NDArray[np.int64] = np.concatenate([[0], np.cumsum(of_each)])[removed]
        return weights

    def mask(self, index: int, removed: int) -> Tensor:
        """The mask of one target, bool and of its shape."""
        target = self.targets[index]
        grouping = grouping_of(self.granularity, target)
        return grouping.expand(self.rankings[index].keep(removed), target.shape).contiguous()

    def masks(self, removed: Sequence[int] | NDArray[np.int64]) -> dict[str, Tensor]:
        """The mask of every target by name, at the ranks removed of each: a row of :meth:`removed_at`."""
        return {target.name: self.mask(i, int(removed[i])) for i, target in enumerate(self.targets)}

    def per_weight(self, index: int, groups: NDArray[Any]) -> NDArray[Any]:
        """Spread one number per group over the weights of one target, ``[numel]``."""
        target = self.targets[index]
        return grouping_of(self.granularity, target).expand(torch.from_numpy(groups), target.shape).reshape(-1).numpy()


def rank_targets(subject: Subject, recipe: Recipe) -> Ranked:
    """Score and sort every target of a recipe, or take it from the cache.

    The amount plays no part in it, unless a schedule scores anew what its steps leave (``recipe.nested`` is False).

    Raises:
        RecipeError: nothing is chosen, a chosen target cannot be pruned as asked, or the subject lacks what the
            criterion looks at.
        TargetError: the subject lacks a named target.
        ScoreError: a target has NaN or infinite scores.
    """
    criterion, targets, joint = criterion_and_targets(subject, recipe)
    ranked = Ranked(recipe, recipe.granularity.grouping, targets, (), joint)
    if recipe.nested:
        return replace(ranked, rankings=_rank_once(subject, ranked, criterion))
    exits = EXITS.get((subject.id, recipe.id), lambda: Exits(_rank_step_by_step(subject, ranked, criterion)))
    return replace(ranked, rankings=exits.rankings)


def criterion_and_targets(subject: Subject, recipe: Recipe) -> tuple[Criterion, tuple[Target, ...], tuple[bool, ...]]:
    """The criterion, the chosen targets, and for each target whether it competes with others in one ranking.

    Raises:
        RecipeError, TargetError: as :func:`rank_targets`.
    """
    criterion = recipe.criterion
    if missing := criterion.missing(subject):
        raise RecipeError(f"{criterion} cannot be used here: {missing}")
    targets = recipe.chosen(subject)
    if not targets:
        raise RecipeError(why_nothing(subject, recipe))
    return criterion, targets, tuple(recipe.scope == "global" and recipe.amount_of(each) is None for each in targets)


def _rank_once(subject: Subject, ranked: Ranked, criterion: Criterion) -> tuple[Ranking, ...]:
    recipe, scoring = ranked.recipe, scoring_of(subject, ranked)
    joint = tuple(target.name for target in scoring.joint)
    method = str(recipe.criterion), str(recipe.granularity)

    def ranking_of(target: Target) -> Ranking:
        drawn = (recipe.seed, joint if target in scoring.joint else ()) if criterion.draws else ()
        by_row = recipe.scope == "row"
        precision = scoring.precision(target)
        key = (subject.id, *method, by_row, target.name, drawn, precision)

        def make() -> Ranking:
            with _ONE_LARGE_LAYER if target.numel >= ONE_AT_A_TIME_FROM else nullcontext():
                scores = criterion.scores(scoring, target)
                if target.numel >= ONE_AT_A_TIME_FROM:
                    give_back(subject.weight(target.name))
                protected = protected_groups(scoring, criterion, target, scores)
                if by_row:
                    return rank_rows(scores, target.name, protected, target.row_dims)
                return rank(scores, target.name, protected)

        return RANKINGS.get(key, make)

    return _for_each(ranking_of, ranked.targets, criterion)


def _rank_step_by_step(subject: Subject, ranked: Ranked, criterion: Criterion) -> tuple[Ranking, ...]:
    """Cut after each step of the schedule, and score anew what is left with what is gone set to zero.

    These are the semantics of ``prune.PruningContainer`` under repeated calls with scores made anew, but for the
    amounts: here each is a fraction of the dense target.
    """
    recipe, targets = ranked.recipe, ranked.targets
    ways = [Trajectory(target.name, target.row_dims if recipe.scope == "row" else None) for target in targets]
    masks: dict[str, Tensor] = {}
    for step, now in enumerate(_steps(recipe)):
        if step == 0 or masks:
            _score_all(subject, replace(ranked, recipe=now), criterion, ways, masks, step)
        ranked = replace(ranked, recipe=now, rankings=tuple(way.ranking for way in ways))
        removed = ranked.removed_at([now.amount])[0].tolist()
        # Where nothing went, nothing needs to be scored anew
        moved = any(after > way.removed for after, way in zip(removed, ways, strict=True))
        masks = ranked.masks(removed) if moved else {}
        for way, after in zip(ways, removed, strict=True):
            way.cut(after)
    return tuple(way.finish() for way in ways)


def _steps(recipe: Recipe) -> list[Recipe]:
    schedule = recipe.schedule
    own = {name: schedule.shares(amount) for name, amount in recipe.amounts.items()}
    return [
        replace(recipe, amount=share, amounts={name: shares[step] for name, shares in own.items()})
        for step, share in enumerate(schedule.shares(recipe.amount))
    ]


def _score_all(
    subject: Subject,
    ranked: Ranked,
    criterion: Criterion,
    ways: Sequence[Trajectory],
    masks: Mapping[str, Tensor],
    step: int,
) -> None:
    scoring = scoring_of(subject, ranked, masks, step)
    ways_by_name = {way.name: way for way in ways}

    def score(target: Target) -> None:
        scores = criterion.scores(scoring, target)
        ways_by_name[target.name].score(scores, protected_groups(scoring, criterion, target, scores))

    _for_each(score, ranked.targets, criterion)


def scoring_of(
    subject: Subject, ranked: Competition[Any], masks: Mapping[str, Tensor] = MappingProxyType({}), step: int = 0
) -> Scoring:
    """What the criterion may look at, at a step of the schedule."""
    recipe = ranked.recipe
    return Scoring(
        subject,
        ranked.granularity,
        tuple(target for target, competes in zip(ranked.targets, ranked.joint, strict=True) if competes),
        recipe.seed + step,  # what is drawn is drawn anew at each step
        recipe.criterion.values,
        masks,
        recipe.recalibrate,
    )


def protected_groups(scoring: Scoring, criterion: Criterion, target: Target, scores: Tensor) -> Tensor | None:
    """Groups that are never removed: protected by the criterion, or kept by the granularity's pattern."""
    scoring = scoring.of(target)
    own = None if criterion.protect is None else criterion.protect(scoring, target)
    ordered = scores if own is None else torch.where(own, torch.inf, as_ranked(scores))
    if scoring.masks and scores.shape == target.shape:
        ordered = torch.where(scoring.masks[target.name], as_ranked(ordered), -1.0)
    pattern = scoring.granularity.protected(ordered, target)
    return pattern if own is None else own if pattern is None else own | pattern


def _for_each(work: Callable[[Target], T], targets: Sequence[Target], criterion: Criterion) -> tuple[T, ...]:
    if criterion.draws or sum(target.numel for target in targets) < 1 << 20:
        return tuple(map(work, targets))
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # numpy sorts without the interpreter's lock
        return tuple(pool.map(work, targets))


def compute_masks(subject: Subject, recipe: Recipe) -> Masks:
    """The masks that a recipe makes on a subject, at its own amount.

    For every built-in of ``torch.nn.utils.prune`` they are the library's own, bit for bit, unless equal scores meet at
    the cut: then just as many go, here in flat-index order, while the library's choice is open. In half precision,
    which has few magnitudes, that is the rule.

    Raises:
        RecipeError, TargetError, ScoreError: as :func:`rank_targets`.
    """
    (masks,) = masks_at(subject, recipe, [recipe.amount])
    return masks


def masks_at(subject: Subject, recipe: Recipe, amounts: Sequence[float]) -> Iterator[Masks]:
    """The masks at each of several amounts in [0, 1] in place of the recipe's own; ranked once, if it is ``nested``.

    Raises:
        RecipeError, TargetError, ScoreError: as :func:`rank_targets`.
    """
    if not recipe.nested and list(amounts) != [recipe.amount]:
        yield from (compute_masks(subject, replace(recipe, amount=amount)) for amount in amounts)
        return
    ranked = rank_targets(subject, recipe)
    for amount, removed in zip(amounts, ranked.removed_at(amounts), strict=True):
        yield _masks(replace(ranked, recipe=replace(recipe, amount=amount)), removed)


def _masks(ranked: Ranked, removed: NDArray[np.int64]) -> Masks:
    """The masks of a recipe, with the amounts it asked for; ``removed`` is the number of ranks of each target."""
    recipe, requested = ranked.recipe, {}
    for target, competes in zip(ranked.targets, ranked.joint, strict=True):
        own = recipe.amount_of(target)
        if own is not None:
            requested[target.name] = own
        elif not competes and recipe.allocation != "erk":
            requested[target.name] = recipe.amount
    weights = sum(target.numel for target in ranked.targets)
    asked = sum(requested.get(target.name, recipe.amount) * target.numel for target in ranked.targets)
    return Masks(
        ranked.targets,
        MappingProxyType(ranked.masks(removed)),
        MappingProxyType(requested),
        asked / weights,
        recipe,
        recipe.recalibrate,
    )
