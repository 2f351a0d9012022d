"""What a criterion is, and what it may look at."""

import copy
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Literal, Self, TypeVar

import torch
from torch import Tensor

from pruning_explorer.errors import PruningExplorerError, ScoreError
from pruning_explorer.prune.experts import grouping_of
from pruning_explorer.prune.grouping import Granularity
from pruning_explorer.prune.network import GIVE_CALIBRATION, GIVE_LABELS
from pruning_explorer.prune.settings import Choice, Value
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import Target

# Far enough apart that neighbouring targets under neighbouring seeds never share a stream
SEED_STRIDE = 1_000_003

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Scoring:
    """What a criterion may look at besides the target itself.

    Attributes:
        joint: the targets that compete in one ranking, in order; empty where each is ranked by itself.
        seed: of the recipe.
        settings: of the criterion.
        masks: target name -> bool mask of what the earlier steps of a schedule left; empty for the first.
        recalibrate: whether the recipe measures BatchNorm's statistics anew.
    """

    subject: Subject
    granularity: Granularity
    joint: tuple[Target, ...]
    seed: int
    settings: Mapping[str, Value] = field(default_factory=dict)
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    recalibrate: bool = False
    _memo: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)
    _lock: Any = field(default_factory=threading.RLock, init=False, repr=False)

    def of(self, target: Target) -> Self:
        """The same for one target: where it is made of experts, groups are those of each matrix by itself."""
        granularity = grouping_of(self.granularity, target)
        if granularity is self.granularity:
            return self
        seen = copy.copy(self)
        object.__setattr__(seen, "granularity", granularity)
        return seen

    def weight(self, target: Target) -> Tensor:
        """The target's weights, zero where an earlier step of the schedule removed them. Read it, never write to it."""
        weight = self.subject.weight(target.name)
        mask = self.masks.get(target.name)
        # Not a product: inf x 0 is NaN
        return weight if mask is None else torch.where(mask, weight, torch.zeros((), dtype=weight.dtype))

    def precision(self, target: Target) -> torch.dtype:
        """The dtype in which scores are ranked: float64 if the target, or one that it competes with, is float64."""
        competing = self.joint if target in self.joint else (target,)
        return torch.float64 if any(each.dtype == torch.float64 for each in competing) else torch.float32

    def memo(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of ``make``, called once for all targets of this scoring. Thread-safe: other threads wait."""
        with self._lock:
            if key not in self._memo:
                self._memo[key] = make()
            made: T = self._memo[key]
            return made

    def once(self, cache: SubjectCache[T], make: Callable[[Subject, Mapping[str, Tensor]], T]) -> T:
        """The value of ``make``: computed once for the dense network and kept; under masks, once per scoring."""
        if self.masks:
            return self.memo(cache, lambda: make(self.subject, self.masks))
        # Through the memo too, so that several threads do not measure the same at once
        return self.memo(cache, lambda: cache.get(self.subject, lambda: make(self.subject, {})))

    def uniform(self, target: Target) -> Tensor:
        """One number in [0, 1) per group, as ``torch.nn.utils.prune`` draws it from the same seed.

        By itself a target is drawn after ``torch.manual_seed(seed_of(target, seed))``, so its numbers do not depend
        on which other layers are chosen. Jointly ranked targets share one stream, as in ``global_unstructured``.
        """
        if target not in self.joint:
            return self._draw(target, torch.Generator().manual_seed(seed_of(target, self.seed)), target.dtype)
        return self.memo("uniform", self._draw_jointly)[target.name]

    def _draw_jointly(self) -> dict[str, Tensor]:
        stream = torch.Generator().manual_seed(self.seed)
        dtype = drawn_dtype(self.joint)
        return {each.name: self._draw(each, stream, dtype) for each in self.joint}

    def _draw(self, target: Target, stream: torch.Generator, dtype: torch.dtype) -> Tensor:
        shape = grouping_of(self.granularity, target).group_shape(target.shape)
        # RandomUnstructured draws in the weight's dtype, RandomStructured in the default one
        return torch.rand(shape, generator=stream, dtype=dtype if shape == target.shape else torch.float32)


def drawn_dtype(joint: Sequence[Target]) -> torch.dtype:
    """The dtype in which ``global_unstructured`` draws for weights that it ranks in one tensor: the promoted one."""
    return reduce(torch.promote_types, (target.dtype for target in joint))


def seed_of(target: Target, seed: int) -> int:
    """The seed from which a target's own random scores are drawn; ``seed`` itself for the first parameter."""
    return seed + SEED_STRIDE * target.position


def judges_all(_subject: Subject, _target: Target) -> str | None:
    """The ``refuse`` of a criterion that can score every target."""
    return None


def lacks_nothing(_subject: Subject) -> str | None:
    """The ``lacks`` of a criterion that needs no more than its ``needs`` says."""
    return None


@dataclass(frozen=True, eq=False, repr=False)
class Criterion(Choice):
    """A registered criterion, with its description for a person.

    Attributes:
        score: importance per group, of shape ``granularity.group_shape(target.shape)``, finite and at least 0. Scores
            of float64 are ranked in it, so they should be of ``scoring.precision(target)``.
        paper: where it comes from, ``"arXiv 1810.02340"``.
        draws: whether it is random: it depends on the seed, and on which targets compete.
        needs: what it looks at: the weights alone, any one input, or inputs (with labels) of the calibration part.
        static: its scores do not depend on what earlier steps of a schedule removed, so a schedule changes nothing.
        channels: it judges output channels; under another granularity each weight carries its channel's score.
        advice: how its paper means it to be used.
        refuse: why a target cannot be judged; None if it can.
        protect: bool per group: those that never go, whatever the amount.
        lacks: why a subject that has what ``needs`` says still cannot be scored.
        names_targets: it says by name what it prunes, so that nothing else needs to be switched on for it.
        of_weights: the scores of single weights of the dense network, from any piece of a target; where ``score`` gives
            each of them the same, whatever the others are.
        of_torch: whether ``torch.nn.utils.prune`` has it: its magnitude (L1), or its random scores.
        bind: makes the criterion for given settings, where these change more than its scores.
    """

    score: Callable[[Scoring, Target], Tensor]
    paper: str = ""
    draws: bool = False
    needs: Literal["weights", "example", "inputs", "labels"] = "weights"
    static: bool = False
    channels: bool = False
    advice: str = ""
    refuse: Callable[[Subject, Target], str | None] = judges_all
    protect: Callable[[Scoring, Target], Tensor] | None = None
    lacks: Callable[[Subject], str | None] = lacks_nothing
    names_targets: bool = False
    of_weights: Callable[[Tensor], Tensor] | None = None
    of_torch: bool = False
    bind: Callable[[Self, Mapping[str, Value]], Self] | None = None

    def under(self, values: Mapping[str, Value]) -> Self:
        chosen = super().under(values)
        return chosen if self.bind is None else replace(self.bind(self, chosen.values), given=chosen.given)

    def missing(self, subject: Subject) -> str | None:
        """Why ``subject`` cannot be scored at all, and what to do about it; None if it can."""
        if self.needs != "weights" and not subject.runnable:
            return f"it runs the network, and of {subject.name} only the weights are known; bring the network itself"
        if self.needs == "example" and subject.example is None:
            return f"it needs one input, and {subject.name} has none; give some: Subject.from_module(..., samples=...)"
        if self.needs in ("inputs", "labels") and subject.calibration is None:
            return f"it needs inputs of the training part, and {subject.name} has none; {GIVE_CALIBRATION}"
        if self.needs == "labels" and subject.calibration_labels is None:
            return f"it needs the labels of the calibration inputs, and {subject.name} has none; {GIVE_LABELS}"
        return self.lacks(subject)

    def scores(self, scoring: Scoring, target: Target) -> Tensor:
        """Importance per group, as ``score`` gives it, checked, since ``score`` may come from another package.

        Raises:
            ScoreError: it fails, or gives no tensor of one score per group.
        """
        scoring = scoring.of(target)
        try:
            scores: object = self.score(scoring, target)
        except PruningExplorerError:
            raise
        except Exception as error:
            raise ScoreError(
                f"criterion {self.name} failed on {target.name}: {type(error).__name__}: {error}; choose another "
                f"criterion, or mend {self.score.__module__}"
            ) from error
        wanted = scoring.granularity.group_shape(target.shape)
        if not isinstance(scores, Tensor) or tuple(scores.shape) != tuple(wanted):
            given = list(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise ScoreError(
                f"criterion {self.name} gave {given} for {target.name}; it must give a tensor {list(wanted)}, one "
                f"score for each of its {scoring.granularity.unit}"
            )
        # Beside float64 weights, those of narrower layers are ranked as the same numbers in float64
        return scores.double() if scoring.precision(target) == torch.float64 else scores
