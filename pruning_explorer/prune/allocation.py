"""Share one total of weights to remove among the layers."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.prune.registry import Choices
from pruning_explorer.prune.settings import Choice

ALLOCATIONS: Choices[Choice] = Choices(
    "allocation",
    Choice,
    (
        Choice(
            "each",
            "Each its fraction",
            "Every layer loses the amount itself, rounded as torch rounds; the total may be off by those roundings.",
        ),
        Choice("uniform", "Uniform, exact total", "Every layer loses the same fraction, and the total is met exactly."),
        Choice(
            "erk",
            "Erdős-Rényi-Kernel",
            "Large layers lose more than small ones, and the total is met exactly (Evci et al., arXiv 1911.11134).",
        ),
    ),
)


def raw_density(allocation: str, shape: tuple[int, ...]) -> float:
    """The weight of a layer in the allocation: densities are in proportion to it.

    1 for ``uniform``. For ``erk`` the sum of its dims over their product: ``(in + out) / (in * out)`` for a Linear
    (Mocanu et al., arXiv 1707.04780), ``(O + I + kh + kw) / (O * I * kh * kw)`` for a convolution (arXiv 1911.11134).

    >>> raw_density("erk", (10, 20))
    0.15
    """
    return 1.0 if allocation == "uniform" else sum(shape) / prod(shape)


def allocate(
    totals: NDArray[np.int64],
    sizes: NDArray[np.int64],
    limits: NDArray[np.int64],
    raw: NDArray[np.float64],
    spans: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Share totals among layers whose densities shall be in proportion to ``raw``, at most 1 each.

    A layer keeps the fraction ``min(1, scale * raw)`` of its groups, rounded; ``scale`` is found by bisection. Layers
    that round up at the same scale are served in their order, so that a larger total never brings back a weight.

    Args:
        totals: ``[A]``, groups to remove in all, for each of A amounts.
        sizes: ``[T]``, ranks of each layer; a layer loses whole ranks.
        limits: ``[T]``, the most ranks that each may lose; the others lose what it does not.
        raw: ``[T]``, positive.
        spans: ``[T]``, groups in one rank: 1, or the number of rows of a layer all of whose rows lose equally many.

    Returns:
        Ranks to remove, int64 ``[A, T]``. Where all spans are 1 and the limits allow it, each row sums to its total;
        else to the nearest number below that whole ranks allow.
    """
    wanted = np.minimum(totals, (limits * spans).sum())

    def removed_at(bits: NDArray[np.int64]) -> NDArray[np.int64]:
        density = np.minimum(1.0, bits.view(np.float64)[:, None] * raw)
        kept = np.floor(density * sizes + 0.5).astype(np.int64)
        removed: NDArray[np.int64] = np.minimum(sizes - kept, limits)
        return removed

    # The bits of positive floats order as they do. Enough goes at `low`, too little at `high`
    low = np.zeros(len(wanted), dtype=np.int64)
    high = np.full(len(wanted), np.float64(2 / raw.min()).view(np.int64), dtype=np.int64)
    while (low + 1 < high).any():
        middle = low + (high - low) // 2
        enough = (removed_at(middle) * spans).sum(axis=1) >= wanted
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    least, most = removed_at(high), removed_at(low)
    missing = (wanted - (least * spans).sum(axis=1))[:, None]
    jumps = (most - least) * spans
    before = np.cumsum(jumps, axis=1) - jumps
    removed: NDArray[np.int64] = least + np.clip((missing - before) // spans, 0, most - least)
    return removed
