"""Cut without sorting: scores are counted piece by piece, in several passes, so that they need little memory.

A cut needs no order, only the score at which it falls: sixteen bits of it are known after one pass over the scores,
and all bits after one pass for each sixteen. One more pass then makes the masks. Use it to cut once with no more in
memory than a piece of a layer, or one layer's scores where a criterion cannot score pieces. The masks are those of a
:class:`~pruning_explorer.prune.engine.Ranked`, bit for bit.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import ScoreError
from pruning_explorer.prune.competition import Competition
from pruning_explorer.prune.criteria.base import Criterion, Scoring
from pruning_explorer.prune.engine import criterion_and_targets, protected_groups, scoring_of
from pruning_explorer.prune.experts import grouping_of
from pruning_explorer.prune.mapped import give_back
from pruning_explorer.prune.ranking import Ranking, rank, rank_rows
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.sorting import (
    DOUBLE,
    HALF,
    IN_PARTS_FROM,
    SINGLE,
    Bits,
    Precision,
    as_floats,
    as_ranked,
    checked_bits,
    describe_bad_scores,
    flat,
)
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

PIECE = 1 << 18
"""Scores examined at once."""

Kept = NDArray[np.bool_]


class Passing:
    """The scores of one target's weights, each of which goes by itself.

    Attributes:
        precision: in which they are compared.
        light: whether they are made in pieces, of the weights; else they are made of the whole target, once a pass, or
            once and for all if it competes with no other.
    """

    def __init__(self, criterion: Criterion, scoring: Scoring, target: Target) -> None:
        self.target = target
        self.precision: Precision = DOUBLE if scoring.precision(target).itemsize == 8 else SINGLE
        self._by_row = scoring.granularity.decided_by == "row" and target.out_dim == 0
        self.light = (
            criterion.of_weights is not None
            and criterion.protect is None
            and not scoring.masks
            and (self._by_row or scoring.granularity.decided_by == "piece")
        )
        self._criterion, self._scoring = criterion, scoring
        self._made: tuple[Tensor, Tensor | None] | None = None

    def bits(self, several: int = 1) -> Iterator[Bits]:
        """Their bits, which order as they do, with the ``protected`` one in those that never go; in flat-index order.

        Args:
            several: scores that belong together: a piece holds a multiple of them.

        Raises:
            ScoreError: they cannot be made, or one is NaN, infinite or negative.
        """
        if self.light and self._by_row:
            several = self.target.numel // self.target.shape[0]
        for scores, held in self._pieces(max(1, PIECE // several) * several):
            bits = checked_bits(as_floats(scores).astype(self.precision.floats, copy=False))
            if bits is None:
                raise ScoreError(describe_bad_scores(flat(as_ranked(self._whole()[0])), self.target.name))
            if held is not None:
                bits |= held.numpy().astype(self.precision.bits) * self.precision.protected
            yield bits
        if self.target.numel >= IN_PARTS_FROM:
            give_back(self._scoring.subject.weight(self.target.name))

    def _pieces(self, step: int) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Scores, and what never goes; flat."""
        granularity = self._scoring.granularity
        if self.light and self._criterion.of_weights is not None:
            for weights in self._scoring.subject.weight(self.target.name).contiguous().view(-1).split(step):
                scores = self._criterion.of_weights(weights)
                rows = scores.view(-1, *self.target.shape[1:]) if self._by_row else scores
                held = granularity.protected(rows, self.target)
                yield scores, None if held is None else held.reshape(-1)
            return
        made = self._made or self._whole()
        if self.target not in self._scoring.joint:
            self._made = made
        scores, held = made
        for start in range(0, len(scores), step):
            part = slice(start, start + step)
            yield scores[part], None if held is None else held[part]

    def _whole(self) -> tuple[Tensor, Tensor | None]:
        scores = self._criterion.scores(self._scoring, self.target).detach()
        held = protected_groups(self._scoring, self._criterion, self.target, scores)
        return scores.contiguous().view(-1), None if held is None else held.reshape(-1)


class Counted:
    """Counts of a target's weights by their scores; every weight competes with every other.

    Attributes:
        groups, rows, removable: as of a :class:`~pruning_explorer.prune.ranking.Ranking`.
        precision: in which scores are compared.
    """

    rows = 1

    def __init__(self, passing: Passing) -> None:
        self.passing, self.precision = passing, passing.precision
        self.groups = passing.target.numel
        # By what stands above them, sixteen bits, 32 or 48: which next sixteen there are, and how many below each
        self._counts: dict[tuple[int, int], tuple[NDArray[np.uint16], NDArray[np.uint32]]] = {}
        self._cuts: dict[int, tuple[int, int]] = {}
        self.removable = int(self.below(np.array([self.precision.protected]))[0])

    def below(self, bits: Bits) -> NDArray[np.int64]:
        """How many scores are below each of the numbers with these bits."""
        return np.array([self._below(int(each)) for each in bits], dtype=np.int64)

    def keep(self, removed: int) -> Iterator[Kept]:
        """Flat pieces of the mask with ``removed`` weights removed; of equal scores the first are removed first."""
        if removed not in self._cuts:
            self._cuts[removed] = self._cut(removed)
            self._counts.clear()  # one cuts once
        cut, equal = self._cuts[removed]
        for bits in self.passing.bits():
            kept = bits >= self.precision.bits(cut)
            if equal > 0:
                gone = np.flatnonzero(bits == self.precision.bits(cut))[:equal]
                kept[gone] = False
                equal -= len(gone)
            yield kept

    def _below(self, bits: int) -> int:
        found = 0
        for place in self.precision.halves:
            half = bits >> place & HALF - 1
            halves, ends = self._count(place, bits >> place >> 16)
            at = int(np.searchsorted(halves, half))
            found += int(ends[at])
            if at == len(halves) or halves[at] != half or bits & (1 << place) - 1 == 0:
                break
        return found

    def _cut(self, removed: int) -> tuple[int, int]:
        """Bits of which all that are below go, and how many of those that have them."""
        if removed == 0:
            return 0, 0
        cut = 0
        for place in self.precision.halves:
            halves, ends = self._count(place, cut)
            at = int(np.searchsorted(ends, removed)) - 1
            cut = (cut << 16) + int(halves[at])
            if removed == ends[at + 1]:
                return cut + 1 << place, 0
            removed -= int(ends[at])
        return cut, removed

    def _count(self, place: int, above: int) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        if (place, above) not in self._counts:
            counts = np.zeros(HALF, dtype=np.int64)
            bits_of = self.precision.bits
            for bits in self.passing.bits():
                if place != self.precision.halves[0]:
                    bits = bits[bits >> bits_of(place + 16) == bits_of(above)]
                halves = bits >> bits_of(place) & bits_of(HALF - 1)
                counts += np.bincount(halves.astype(np.intp), minlength=HALF)
            there = np.flatnonzero(counts)
            ends = np.concatenate([[0], np.cumsum(counts[there])])
            self._counts[place, above] = there.astype(np.uint16), ends.astype(np.uint32)
        return self._counts[place, above]


class CountedRows:
    """The weights of a target whose outputs lie along dim 0, each of which loses equally many.

    Attributes:
        groups, rows, removable: as of a :class:`~pruning_explorer.prune.ranking.Ranking`.
        precision: in which scores are compared.
    """

    def __init__(self, passing: Passing) -> None:
        self.passing, self.precision = passing, passing.precision
        self.rows = passing.target.shape[0]
        self.groups = passing.target.numel // self.rows
        self.removable = min(int((bits < self.precision.protected).sum(axis=1).min()) for bits in self._bits())

    def below(self, bits: Bits) -> NDArray[np.int64]:
        """Nothing: they compete with no other target."""
        return np.zeros(len(bits), dtype=np.int64)

    def keep(self, removed: int) -> Iterator[Kept]:
        """Flat pieces of the mask with ``removed`` weights of each row removed; of equal scores the first ones."""
        for bits in self._bits():
            if removed == 0:
                yield np.ones(bits.size, dtype=np.bool_)
                continue
            cut = np.partition(bits, removed - 1, axis=1)[:, removed - 1 : removed]
            kept, equal = bits > cut, bits == cut
            spared = equal & (np.cumsum(equal, axis=1) > removed - (bits < cut).sum(axis=1, keepdims=True))
            yield (kept | spared).reshape(-1)

    def _bits(self) -> Iterator[Bits]:
        for bits in self.passing.bits(self.groups):
            yield bits.reshape(-1, self.groups)


class Passed(Competition[Counted | CountedRows | Ranking]):
    """A recipe's targets with counts of their scores: enough to cut at any amount."""

    def light(self, index: int) -> bool:
        """Whether making the mask needs no more than reading the weights."""
        each = self.rankings[index]
        return not isinstance(each, Ranking) and each.passing.light

    def keep(self, index: int, removed: int) -> Iterator[Kept]:
        """Flat pieces of the mask of one target."""
        each = self.rankings[index]
        if isinstance(each, Ranking):
            target = self.targets[index]
            kept = grouping_of(self.granularity, target).expand(each.keep(removed), target.shape)
            yield kept.reshape(-1).numpy()
        else:
            yield from each.keep(removed)


def pass_targets(subject: Subject, recipe: Recipe) -> Passed:
    """Score every target of a ``nested`` recipe, as :func:`~pruning_explorer.prune.engine.rank_targets`.

    Raises:
        RecipeError, TargetError, ScoreError: as :func:`~pruning_explorer.prune.engine.rank_targets`.
    """
    criterion, targets, joint = criterion_and_targets(subject, recipe)
    passed = Passed(recipe, recipe.granularity.grouping, targets, (), joint)
    scoring = scoring_of(subject, passed)
    return Passed(
        recipe,
        passed.granularity,
        targets,
        tuple(_contestant(criterion, scoring, each, recipe) for each in targets),
        joint,
    )


def _contestant(
    criterion: Criterion, scoring: Scoring, target: Target, recipe: Recipe
) -> Counted | CountedRows | Ranking:
    by_row = recipe.scope == "row"
    if scoring.granularity.within_rows and not (by_row and target.out_dim != 0):
        passing = Passing(criterion, scoring, target)
        return CountedRows(passing) if by_row else Counted(passing)
    scores = criterion.scores(scoring, target)
    held = protected_groups(scoring, criterion, target, scores)
    if target.numel >= IN_PARTS_FROM:
        give_back(scoring.subject.weight(target.name))
    return rank_rows(scores, target.name, held, target.row_dims) if by_row else rank(scores, target.name, held)
