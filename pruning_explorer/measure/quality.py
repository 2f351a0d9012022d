"""Quality: how well outputs match the labels, dense beside pruned, with how sure one can be."""

from functools import lru_cache
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.drift import top1
from pruning_explorer.prune.subject import Subject

FloatArray = NDArray[np.float64]


def wilson_interval(right: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212).

    It stays in [0, 1] and says something sensible at 0 and n of n, where the textbook's interval has no width.

    Args:
        right: successes, 0 to ``n``.
        n: trials, at least 1.
        confidence: in (0, 1).

    Raises:
        SubjectError: there are no trials, or a value is out of range.

    >>> [round(bound, 3) for bound in wilson_interval(8, 10)]
    [0.49, 0.943]
    """
    if n < 1:
        raise SubjectError("no samples were judged, so there is no interval; give at least one")
    if not 0 <= right <= n or not 0 < confidence < 1:
        raise SubjectError(f"{right} of {n} at confidence {confidence} is no proportion; right must lie in [0, n]")
    low, high = _wilson(np.array([right]), np.array([n]), confidence)
    return float(low[0]), float(high[0])


def right_samples(
    subject: Subject, logits: Tensor, answers: NDArray[np.int64] | None = None
) -> NDArray[np.bool_] | None:
    """Which samples are right, bool ``[N]``: the top-1 is the label, at every position of logits ``[N, T, C]``.

    A sample without an answer (NaN, +inf) is wrong. None where the subject has no labels.

    Args:
        answers: the top-1 of the logits, ``[N, T]`` with T = 1 for logits ``[N, C]``, where drift has found it already.

    Raises:
        SubjectError: labels and logits do not go together.
    """
    if subject.labels is None:
        return None
    if logits.shape[-1] == 1:
        raise SubjectError(
            f"{subject.name} has labels but a single output, which names no class; "
            "return logits [N, 2] (0 and z, where z went into a sigmoid), or give no labels"
        )
    labels = subject.labels.cpu().numpy()
    answers = top1(logits).cpu().numpy() if answers is None else answers.reshape(tuple(logits.shape[:-1]))
    if answers.shape != labels.shape:
        raise SubjectError(
            f"{subject.name} has labels {list(labels.shape)} for logits {list(logits.shape)}; "
            "give labels [N] for logits [N, C], or [N, T] for [N, T, C]"
        )
    # -1 stands for no answer, and in some data sets for a missing label
    right: NDArray[np.bool_] = ((answers == labels) & (answers >= 0)).reshape(len(labels), -1).all(axis=1)
    return right


def quality_of(subject: Subject, logits: Tensor) -> float | None:
    """Fraction of samples that are right, in [0, 1]; None where the subject has no labels.

    Raises:
        SubjectError: as :func:`right_samples`.
    """
    right = right_samples(subject, logits)
    return None if right is None else np.count_nonzero(right) / len(right)


def quality_table(subject: Subject, outputs_dense: Tensor, outputs_pruned: Tensor) -> pd.DataFrame | None:
    """Quality of all samples (first row, ``"all"``) and of each group that has any.

    Columns: ``group``, ``samples`` (count), ``dense``, ``dense_low``, ``dense_high``, ``pruned``, ``pruned_low``,
    ``pruned_high`` (fraction right in [0, 1], with its 95 % Wilson interval), ``change`` (pruned - dense).
    None where the subject has no labels.

    Raises:
        SubjectError: as :func:`right_samples`.
    """
    dense, pruned = right_samples(subject, outputs_dense), right_samples(subject, outputs_pruned)
    if dense is None or pruned is None:
        return None
    names, counts, right = ["all"], [len(dense)], [[np.count_nonzero(dense)], [np.count_nonzero(pruned)]]
    if subject.groups is not None:
        present, index, sizes = np.unique(subject.groups.cpu().numpy(), return_inverse=True, return_counts=True)
        names += [_group_name(subject, int(group)) for group in present]
        counts += sizes.tolist()
        for column, sides in zip(right, (dense, pruned), strict=True):
            column.extend(np.bincount(index, weights=sides, minlength=len(present)).astype(int).tolist())
    n = np.array(counts)
    columns: dict[str, object] = {"group": names, "samples": n}
    for side, column in zip(("dense", "pruned"), right, strict=True):
        hits = np.array(column)
        low, high = _wilson(hits, n, 0.95)
        columns |= {side: hits / n, f"{side}_low": low, f"{side}_high": high}
    table = pd.DataFrame(columns)
    table["change"] = table["pruned"] - table["dense"]
    return table


def _wilson(right: NDArray[np.int64], n: NDArray[np.int64], confidence: float) -> tuple[FloatArray, FloatArray]:
    z = _normal_quantile((1 + confidence) / 2)
    p = right / n
    centre = p + z * z / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Exact at the ends, where rounding would leave 1e-17
    low = np.where(right == 0, 0.0, np.clip((centre - half) / scale, 0, 1))
    return low, np.where(right == n, 1.0, np.clip((centre + half) / scale, 0, 1))


@lru_cache(maxsize=8)
def _normal_quantile(probability: float) -> float:
    return NormalDist().inv_cdf(probability)


def quality_totals(table: pd.DataFrame | None) -> dict[str, float | int] | None:
    """The ``"all"`` row of :func:`quality_table` by column, without its name."""
    if table is None:
        return None
    row = table.iloc[0].drop("group")
    return {str(key): int(value) if key == "samples" else float(value) for key, value in row.items()}


def _group_name(subject: Subject, group: int) -> str:
    return subject.group_names[group] if 0 <= group < len(subject.group_names) else str(group)
