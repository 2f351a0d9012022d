"""What makes a weight important.

A criterion is one function from a target to a non-negative score per weight (or per group, where it draws groups
directly); the rest - grouping, ranking, cutting - is shared. To add one, write the function and register it in
``CRITERIA``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce

import torch
from torch import Tensor

from pruning_explorer.errors import RecipeError, ScoreError
from pruning_explorer.prune.granularities import Granularity
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

# Far enough apart that neighbouring targets under neighbouring seeds never share a stream
SEED_STRIDE = 1_000_003


@dataclass(frozen=True)
class Scoring:
    """What a criterion may look at besides the target itself.

    Attributes:
        joint: the targets that compete in one ranking, in order; empty where each is ranked by itself.
        seed: of the recipe.
    """

    subject: Subject
    granularity: Granularity
    joint: tuple[Target, ...]
    seed: int
    _draws: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)

    def uniform(self, target: Target) -> Tensor:
        """One number in [0, 1) per group, as ``torch.nn.utils.prune`` draws it from the same seed.

        By itself a target is drawn after ``torch.manual_seed(seed_of(target, seed))``, so its numbers do not depend
        on which other layers are chosen. Jointly ranked targets share one stream, as in ``global_unstructured``.
        """
        if target not in self.joint:
            return self._draw(target, torch.Generator().manual_seed(seed_of(target, self.seed)), target.dtype)
        if not self._draws:
            stream = torch.Generator().manual_seed(self.seed)
            dtype = drawn_dtype(self.joint)
            self._draws.update({each.name: self._draw(each, stream, dtype) for each in self.joint})
        return self._draws[target.name]

    def _draw(self, target: Target, stream: torch.Generator, dtype: torch.dtype) -> Tensor:
        shape = self.granularity.group_shape(target.shape)
        # RandomUnstructured draws in the weight's dtype, RandomStructured in the default one
        return torch.rand(shape, generator=stream, dtype=dtype if shape == target.shape else torch.float32)


def drawn_dtype(joint: Sequence[Target]) -> torch.dtype:
    """The dtype in which ``global_unstructured`` draws for weights that it ranks in one tensor: the promoted one."""
    return reduce(torch.promote_types, (target.dtype for target in joint))


def seed_of(target: Target, seed: int) -> int:
    """The seed from which a target's own random scores are drawn; ``seed`` itself for the first parameter."""
    return seed + SEED_STRIDE * target.position


def magnitude(scoring: Scoring, target: Target) -> Tensor:
    """|w|: small weights go first (Han et al. 2015, arXiv 1506.02626)."""
    weight = scoring.subject.weight(target.name).contiguous()
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
    return 1 - drawn.float() if drawn.shape == target.shape else drawn


@dataclass(frozen=True)
class Criterion:
    """A registered criterion and what a person is told about it.

    Attributes:
        score: importance per group, of shape ``granularity.group_shape(target.shape)``, finite and at least 0.
        draws: it depends on the seed, and on which targets compete.
    """

    name: str
    title: str
    help: str
    score: Callable[[Scoring, Target], Tensor]
    draws: bool = False


CRITERIA: dict[str, Criterion] = {
    criterion.name: criterion
    for criterion in (
        Criterion(
            "magnitude", "Magnitude", "The smallest weights go first: |w|, or the Ln norm of a channel.", magnitude
        ),
        Criterion(
            "random", "Random", "Any weight may go: the baseline that a criterion must beat.", random, draws=True
        ),
    )
}


def find_criterion(name: str) -> Criterion:
    """The criterion of that name.

    Raises:
        RecipeError: there is none.
    """
    if name not in CRITERIA:
        raise RecipeError(f"unknown criterion {name!r}; choose one of {', '.join(CRITERIA)}")
    return CRITERIA[name]
