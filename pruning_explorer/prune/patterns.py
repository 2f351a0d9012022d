"""Groups for which hardware has fast kernels: N of every M along the input dim, and blocks.

Both are granularities, and both are subclasses of ``prune.BasePruningMethod`` that work with ``prune.*`` directly.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import prune

from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.grouping import Granularity, Shape, SingleWeights
from pruning_explorer.prune.sorting import IN_PARTS_FROM, as_ranked
from pruning_explorer.prune.targets import Target

PIECE = 1 << 18
"""Weights of a large layer whose groups are examined at once."""

FEW = 16
"""Weights in a group up to which going column by column is faster than going group by group."""


@dataclass(frozen=True)
class NOfM(SingleWeights):
    """Of every M neighbours along the input dim at least N stay; 2:4 is what sparse tensor cores run.

    The input dim is dim 1, or dim 0 where dim 1 is the output; of experts it is that of each matrix. M neighbours count
    from its start, and a short group at its end keeps ``min(N, len)``. Every weight goes by itself, in the order of
    scores: an amount below the pattern's own sparsity leaves more than N in some groups, and beyond it nothing more
    goes (Mishra et al., arXiv 2104.08378).

    Attributes:
        n: how many of a group stay.
        m: how many make a group.

    Raises:
        RecipeError: ``n`` is not below ``m``.
    """

    n: int = 2
    m: int = 4

    decided_by = "row"

    def __post_init__(self) -> None:
        if self.n >= self.m:
            raise RecipeError(f"n_m keeps {self.n} of every {self.m}, which removes nothing; choose n below m")

    def refuse(self, target: Target) -> str | None:
        if len(target.shape) < 2:
            return "it has one dim only, so it has no input dim"
        inputs = target.shape[target.in_dim]
        if inputs <= self.n:
            return f"its input dim is {inputs}, so {self.n} of every {self.m} are all there are"
        return None

    def protected(self, scores: Tensor, target: Target) -> Tensor | None:
        return best_of_each(scores, self.n, self.m, target.in_dim)

    def method(self, amount: float | int) -> prune.BasePruningMethod:
        return NOfMUnstructured(amount, self.n, self.m)


@dataclass(frozen=True)
class Block(Granularity):
    """Blocks of the matrix ``[outputs, all else]``; their importance is the Ln norm of their scores.

    Blocks count from the first row and column; those at the far edges are smaller where sizes do not divide (Gray et
    al. 2017, "GPU kernels for block-sparse weights"; Narang et al., arXiv 1711.02782).

    Attributes:
        rows, cols: of one block; 4 x 1 is four outputs of one input.
        n: order of the norm: 1, 2, any number, ``inf`` or ``-inf``.
    """

    rows: int = 4
    cols: int = 1
    n: float = 2.0

    unit = "blocks"
    even = False

    def refuse(self, target: Target) -> str | None:
        if len(target.shape) < 2:
            return "it has one dim only, so it is no matrix of outputs and inputs"
        if target.out_dim != 0:
            return "its outputs lie along dim 1, and blocks have theirs along dim 0"
        return None

    def group_shape(self, shape: Shape) -> Shape:
        height, width = _matrix(shape)
        return -(-height // self.rows), -(-width // self.cols)

    def group_scores(self, scores: Tensor) -> Tensor:
        height, width = _matrix(scores.shape)
        down, across = self.group_shape(scores.shape)
        # What fills up the blocks at the edges must not count
        blank = 0.0 if self.n >= 0 else math.inf
        margins = (0, across * self.cols - width, 0, down * self.rows - height)
        whole = functional.pad(scores.reshape(height, width), margins, value=blank)
        norm: Tensor = torch.linalg.vector_norm(whole.view(down, self.rows, across, self.cols), ord=self.n, dim=(1, 3))
        return norm

    def expand(self, groups: Tensor, shape: Shape) -> Tensor:
        height, width = _matrix(shape)
        down, across = self.group_shape(shape)
        whole = groups.view(down, 1, across, 1).expand(down, self.rows, across, self.cols)
        return whole.reshape(down * self.rows, across * self.cols)[:height, :width].reshape(shape)

    def method(self, amount: float | int) -> prune.BasePruningMethod:
        return LnBlock(amount, self.rows, self.cols, self.n)


def best_of_each(scores: Tensor, n: int, m: int, dim: int) -> Tensor:
    """Mark the N highest of every M neighbours along ``dim``; of equal ones the later, which go last.

    Args:
        scores: at least 0, or -1 for weights that are gone already.

    Returns:
        Bool, shaped like ``scores``.

    >>> best_of_each(torch.tensor([[1., 3., 2., 2., 5., 0., 4.]]), 2, 4, 1).int().tolist()
    [[0, 1, 0, 1, 1, 0, 1]]
    """
    if scores.numel() < IN_PARTS_FROM:
        return _best_of_each(scores, n, m, dim)
    others = 1 if dim == 0 else 0
    several = max(1, scores.shape[others] * PIECE // scores.numel())
    return torch.cat([_best_of_each(part, n, m, dim) for part in scores.split(several, others)], others)


def _best_of_each(scores: Tensor, n: int, m: int, dim: int) -> Tensor:
    moved = as_ranked(scores.detach()).movedim(dim, -1)
    length = moved.shape[-1]
    filled = functional.pad(moved + 0.0, (0, -length % m), value=-1.0)  # + 0 turns -0 into 0
    if filled.dtype == torch.float64:
        order = filled.reshape(-1, m).argsort(dim=-1, stable=True)
        best = torch.zeros(order.shape, dtype=torch.bool).scatter_(-1, order[:, m - n :], True)
        return best.view(filled.shape)[..., :length].movedim(-1, dim).contiguous()
    # The bits of floats order as they do; the place within a group tells equal ones apart
    keys = filled.contiguous().numpy().view(np.int32).astype(np.int64).reshape(-1, m)
    keys = (keys << 32) + np.arange(m)
    best = torch.from_numpy(keys >= _nth_largest(keys, n)[:, None])
    return best.view(filled.shape)[..., :length].movedim(-1, dim).contiguous()


def _nth_largest(keys: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The n-th largest of each row, ``[G, M]`` -> ``[G]``."""
    m = keys.shape[1]
    if m > FEW:
        parted: NDArray[np.int64] = np.partition(keys, m - n, axis=1)
        return parted[:, m - n]
    columns: list[NDArray[np.int64]] = [keys[:, place].copy() for place in range(m)]
    for end in range(m - 1, m - n - 1, -1):
        for place in range(end):
            one, other = columns[place], columns[place + 1]
            columns[place], columns[place + 1] = np.minimum(one, other), np.maximum(one, other)
    nth: NDArray[np.int64] = columns[m - n]
    return nth


class NOfMUnstructured(prune.BasePruningMethod):
    """:class:`NOfM` for ``torch.nn.utils.prune``: ``NOfMUnstructured.apply(module, "weight", amount=0.5)`` is 2:4.

    Args:
        amount: a fraction of the weights that are still there, or their number, as for ``L1Unstructured``; no more go
            than the pattern allows.
        n, m: of every ``m`` neighbours along ``dim``, ``n`` stay.
        dim: the input dim.
    """

    PRUNING_TYPE = "global"  # among torch's types the one that hands over the whole tensor, and not what is left of it

    def __init__(self, amount: float | int, n: int = 2, m: int = 4, dim: int = 1) -> None:
        prune._validate_pruning_amount_init(amount)
        self.amount, self.n, self.m, self.dim = amount, n, m, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        there = default_mask != 0
        scores = torch.where(there, as_ranked(t.detach().abs()), -1.0)
        free = there & ~best_of_each(scores, self.n, self.m, self.dim)
        wanted = _count(self.amount, int(there.sum()))
        order = torch.where(free, scores, torch.inf).flatten().argsort(stable=True)
        mask = default_mask.clone(memory_format=torch.contiguous_format)
        mask.view(-1)[order[: min(wanted, int(free.sum()))]] = 0
        return mask


class LnBlock(prune.BasePruningMethod):
    """:class:`Block` for ``torch.nn.utils.prune``: ``LnBlock.apply(module, "weight", amount=0.5, rows=4, cols=4)``.

    Args:
        amount: a fraction of the blocks that still hold weights, or their number.
        rows, cols: of one block.
        n: order of the norm.
    """

    PRUNING_TYPE = "global"

    def __init__(self, amount: float | int, rows: int = 4, cols: int = 1, n: float = 2.0) -> None:
        prune._validate_pruning_amount_init(amount)
        self.amount, self.rows, self.cols, self.n = amount, rows, cols, n

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        block = Block(self.rows, self.cols, self.n)
        there = Block(self.rows, self.cols, math.inf).group_scores((default_mask != 0).float()) > 0
        norms = torch.where(there, as_ranked(block.group_scores(t.detach().abs())), torch.inf)
        keep = torch.ones(norms.numel(), dtype=torch.bool)
        keep[norms.flatten().argsort(stable=True)[: _count(self.amount, int(there.sum()))]] = False
        return default_mask * block.expand(keep, t.shape)


def _matrix(shape: Shape) -> tuple[int, int]:
    return shape[0], math.prod(shape[1:])


def _count(amount: float | int, size: int) -> int:
    count: int = prune._compute_nparams_toprune(amount, size)
    prune._validate_pruning_amount(count, size)
    return count
