"""Whether two recipes differ on the same samples, or only seem to: exact McNemar test and paired bootstrap.

Both compare sample by sample, so that what makes a sample easy or hard for everyone plays no part.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.errors import SubjectError

FloatArray = NDArray[np.float64]
Statistic = Callable[..., Any]

RESAMPLES = 2_000
SEED = 20_240
CHUNK_ELEMENTS = 1 << 22


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """The exact two-sided p-value that both are right equally often (McNemar 1947, Psychometrika 12, 153-157).

    Only samples count on which one is right and the other wrong: under the hypothesis each falls to either side like a
    fair coin. 1 where there are none.

    Args:
        first, second: right or wrong, bool ``[N]``, of the same samples.

    Raises:
        SubjectError: they are not equally many.

    >>> mcnemar(np.array([True] * 6 + [False]), np.array([False] * 6 + [True]))
    0.125
    """
    if first.shape != second.shape:
        raise SubjectError(f"{len(first)} and {len(second)} samples cannot be paired; judge both on the same")
    only_first, only_second = int(np.count_nonzero(first & ~second)), int(np.count_nonzero(~first & second))
    n, fewer = only_first + only_second, min(only_first, only_second)
    if only_first == only_second:
        return 1.0
    # ln C(n, k) for k = 0 ... fewer: sums of n up to millions without one huge number
    k = np.arange(1, fewer + 1, dtype=np.float64)
    log_choose = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))])
    return min(1.0, 2 * float(np.exp(log_choose - n * np.log(2)).sum()))


def bootstrap_interval(statistic: Statistic, *columns: NDArray[Any], confidence: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic of sums over samples (Efron 1979, Ann. Stat. 7, 1-26).

    Samples are drawn with replacement, 2,000 times from a fixed seed; a sample's row of all columns stays together,
    which is what makes a difference of two recipes a paired one.

    Args:
        statistic: means ``[R]`` of each column, in turn, to R values; ``lambda a, b: a - b`` is a difference of means.
        columns: numbers ``[N]`` each, of the same samples.
        confidence: in (0, 1).

    Returns:
        Low and high. NaN where a number is not finite: then the statistic has no distribution to speak of. Infinite
        where the statistic of a resample is.

    Raises:
        SubjectError: there are no samples, or columns are not equally long.
    """
    if not columns or len({len(column) for column in columns}) > 1 or len(columns[0]) == 0:
        raise SubjectError("a bootstrap needs columns of one length, and at least one sample")
    table = np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
    if not np.isfinite(table).all():
        return float("nan"), float("nan")
    means = _resampled_means(table)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(statistic(*means.T), dtype=np.float64)
    if np.isnan(values).any():
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    # A quantile that is one of the values: between a number and infinity there is nothing to interpolate
    low, high = np.quantile(values, [tail, 1 - tail], method="closest_observation")
    return float(low), float(high)


def mean_intervals(table: FloatArray, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Percentile bootstrap intervals of the means of several columns, from the same resamples.

    Args:
        table: finite numbers ``[N, K]``, N > 0.
        confidence: in (0, 1).

    Returns:
        Low and high ``[K]``; NaN where there is one sample only, which says nothing about others.
    """
    if len(table) == 1:
        unknown = np.full(table.shape[1], np.nan)
        return unknown, unknown
    tail = (1 - confidence) / 2
    low, high = np.quantile(_resampled_means(table), [tail, 1 - tail], axis=0, method="closest_observation")
    return low, high


def _resampled_means(table: FloatArray) -> FloatArray:
    """Column means ``[R, K]`` of R resamples of N rows ``[N, K]``."""
    n = len(table)
    if n * RESAMPLES <= CHUNK_ELEMENTS:
        return _draw_counts(n) @ table / n
    generator = np.random.default_rng(SEED)
    rows = max(1, CHUNK_ELEMENTS // n)
    sizes = [min(rows, RESAMPLES - done) for done in range(0, RESAMPLES, rows)]
    return np.concatenate([_count(generator, size, n) @ table / n for size in sizes])


@lru_cache(maxsize=2)
def _draw_counts(n: int) -> FloatArray:
    """How often each resample has each sample; the same for all that are compared on them."""
    return _count(np.random.default_rng(SEED), RESAMPLES, n)


def _count(generator: np.random.Generator, resamples: int, n: int) -> FloatArray:
    drawn = generator.integers(0, n, (resamples, n))
    drawn += np.arange(resamples)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)
