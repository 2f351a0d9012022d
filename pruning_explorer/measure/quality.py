"""Quality: how well outputs match the labels, or score by a metric, dense and pruned, with confidence intervals."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.drift import top1
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.measure.own_metric import apply_metric
from pruning_explorer.measure.paired import mean_intervals
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache

FloatArray = NDArray[np.float64]
SampleQuality = NDArray[np.bool_] | NDArray[np.float64]

DENSE_QUALITY: SubjectCache[SampleQuality] = SubjectCache(64 << 20, lambda values: values.nbytes, "dense quality")
LABELS: SubjectCache[str] = SubjectCache(1 << 20, len, "names of quality")


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


def sample_quality(subject: Subject, logits: Tensor, answers: NDArray[np.int64] | None = None) -> SampleQuality | None:
    """The quality of each sample, ``[N]``: bool where all are simply right or wrong, else float64 in [0, 1].

    Without a metric a sample is right where the top-1 is the label, at every position of logits ``[N, T, C]``. One
    without an answer (NaN, +inf) is wrong. None where the subject has neither labels nor a metric.

    Args:
        answers: the top-1 of the logits, ``[N, T]`` with T = 1 for logits ``[N, C]``, where drift has found it already.

    Raises:
        SubjectError: labels and logits do not go together, or the metric fails.
    """
    if subject.metric is None and subject.labels is None:
        return None
    answers = top1(logits).cpu().numpy() if answers is None else answers.reshape(tuple(logits.shape[:-1]))
    if subject.metric is not None:
        answered: NDArray[np.bool_] = np.all(answers.reshape(len(answers), -1) >= 0, axis=1)
        return apply_metric(subject, subject.metric, logits, answered)
    return _right_samples(subject, logits, answers)


def true_answers(subject: Subject, logits: Tensor) -> NDArray[np.int64] | None:
    """The labels where they are the right answers: int64 ``[N]`` or ``[N, T]``; None where they are something else.

    Without a metric they always are; what a metric is given may be anything.
    """
    labels = subject.labels
    if labels is None or subject.metric is None:
        return None if labels is None else labels.cpu().numpy()
    fits = not labels.is_floating_point() and not labels.is_complex() and labels.shape == logits.shape[:-1]
    # A single output names no class
    fits = fits and logits.shape[-1] > 1 and int(labels.min()) >= -1 and int(labels.max()) < logits.shape[-1]
    return labels.cpu().numpy().astype(np.int64) if fits else None


def _right_samples(subject: Subject, logits: Tensor, answers: NDArray[np.int64]) -> NDArray[np.bool_]:
    if logits.shape[-1] == 1:
        raise SubjectError(
            f"{subject.name} has labels but a single output, which names no class; "
            "return logits [N, 2] (0 and z, where z went into a sigmoid), or give no labels, or a metric"
        )
    labels = true_answers(subject, logits)
    if labels is None or answers.shape != labels.shape:
        raise SubjectError(
            f"{subject.name} has labels {list(subject.labels.shape) if subject.labels is not None else 'none'} for "
            f"logits {list(logits.shape)}; give labels [N] for logits [N, C], or [N, T] for [N, T, C]"
        )
    outside = (labels < -1) | (labels >= logits.shape[-1])
    if outside.any():
        where = np.argwhere(outside)[0]
        raise SubjectError(
            f"sample {where[0]} of {subject.name} has the label {labels[tuple(where)]}, which is none of its "
            f"{logits.shape[-1]} classes: these are 0 to {logits.shape[-1] - 1}; give labels among them"
        )
    # -1 stands for no answer, and in some data sets for a missing label
    right: NDArray[np.bool_] = ((answers == labels) & (answers >= 0)).reshape(len(labels), -1).all(axis=1)
    return right


def quality_of(subject: Subject, logits: Tensor) -> float | None:
    """Mean quality of the samples, in [0, 1]: the fraction that is right. None without labels and metric.

    Raises:
        SubjectError: as :func:`sample_quality`.
    """
    values = sample_quality(subject, logits)
    return None if values is None else mean_quality(values)


def mean_quality(values: SampleQuality) -> float:
    """Mean of ``[N]`` values of :func:`sample_quality`."""
    return np.count_nonzero(values) / len(values) if values.dtype == np.bool_ else float(values.mean())


def quality_interval(values: SampleQuality) -> tuple[float, float]:
    """95 % interval of their mean: Wilson's where all are right or wrong, else by the bootstrap.

    NaN for a single sample that is neither right nor wrong.
    """
    low, high = _intervals([values])
    return float(low[0]), float(high[0])


def interval_name(*values: SampleQuality | None) -> str:
    """How :func:`quality_table` finds its intervals for such values: ``"Wilson"`` or ``"bootstrap"``."""
    return "bootstrap" if any(each is not None and each.dtype != np.bool_ for each in values) else "Wilson"


def dense_quality(subject: Subject) -> SampleQuality | None:
    """:func:`sample_quality` of the dense network, computed once per subject. Never write to it.

    Raises:
        SubjectError: as :func:`sample_quality`, and where the network fails.
    """
    if subject.metric is None and subject.labels is None:
        return None
    return DENSE_QUALITY.get(subject, lambda: _of_dense(subject))


def dense_level(subject: Subject) -> float | None:
    """Mean quality of the dense network, in [0, 1]; None where nothing judges it or judging it fails."""
    try:
        values = dense_quality(subject)
    except SubjectError:
        return None
    return None if values is None else mean_quality(values)


def guessing_level(subject: Subject) -> float | None:
    """Quality of always giving the commonest answer, in [0, 1]: the baseline of guessing.

    None where a sample has no single label, or a metric judges.
    """
    if subject.metric is not None or subject.labels is None or subject.labels.dim() > 1:
        return None
    return int(subject.labels.unique(return_counts=True)[1].max()) / len(subject.labels)


def _of_dense(subject: Subject) -> SampleQuality:
    values = sample_quality(subject, dense_outputs(subject))
    assert values is not None
    return values


def quality_label(subject: Subject) -> str:
    """The name of quality on a page: ``"accuracy"``; ``"mean F1"`` where samples are not simply right or wrong.

    Which of the two is found once, by calling the metric on the dense outputs and on others that are clearly worse.
    """
    if subject.metric is None or subject.samples is None:
        return subject.quality_name
    return LABELS.get(subject, lambda: _label(subject))


def _label(subject: Subject) -> str:
    try:
        dense = dense_outputs(subject)
        # Another sample's outputs, and the least likely answer: a network that is right everywhere tells nothing
        tried = [sample_quality(subject, outputs) for outputs in (dense, dense.roll(1, dims=0), -dense)]
    except SubjectError:  # which is told where the figure itself would be
        return subject.quality_name
    return subject.quality_name if interval_name(*tried) == "Wilson" else f"mean {subject.quality_name}"


def quality_table(subject: Subject, outputs_dense: Tensor, outputs_pruned: Tensor) -> pd.DataFrame | None:
    """Quality of all samples (first row, ``"all"``) and of each group that has any.

    Columns: ``group``, ``samples`` (count), ``dense``, ``dense_low``, ``dense_high``, ``pruned``, ``pruned_low``,
    ``pruned_high`` (mean in [0, 1] of :func:`sample_quality`, the fraction right, with its 95 % interval: Wilson's, or
    the bootstrap's where a sample is neither right nor wrong), ``change`` (pruned - dense).
    None where the subject has neither labels nor a metric.

    Raises:
        SubjectError: as :func:`sample_quality`.
    """
    dense, pruned = sample_quality(subject, outputs_dense), sample_quality(subject, outputs_pruned)
    return None if dense is None or pruned is None else table_of(subject, dense, pruned)


def table_of(subject: Subject, dense: SampleQuality, pruned: SampleQuality) -> pd.DataFrame:
    """:func:`quality_table` of values that are known already."""
    names, counts, members = ["all"], [len(dense)], [np.arange(len(dense))]
    if subject.groups is not None:
        present, index, sizes = np.unique(subject.groups.cpu().numpy(), return_inverse=True, return_counts=True)
        names += [_group_name(subject, int(group)) for group in present]
        counts += sizes.tolist()
        members += np.split(np.argsort(index, kind="stable"), np.cumsum(sizes)[:-1])
    columns: dict[str, object] = {"group": names, "samples": np.array(counts)}
    sides = {"dense": dense, "pruned": pruned}
    whole = interval_name(dense, pruned) == "Wilson"
    for side, values in sides.items():
        own = values if whole else values.astype(np.float64)
        low, high = _intervals([own[rows] for rows in members])
        columns |= {
            side: np.array([mean_quality(own[rows]) for rows in members]),
            f"{side}_low": low,
            f"{side}_high": high,
        }
    table = pd.DataFrame(columns)
    table["change"] = table["pruned"] - table["dense"]
    return table


def _intervals(parts: Sequence[SampleQuality]) -> tuple[FloatArray, FloatArray]:
    """Low and high of the mean of each part, all of one kind."""
    if all(part.dtype == np.bool_ for part in parts):
        hits = np.array([np.count_nonzero(part) for part in parts])
        return _wilson(hits, np.array([len(part) for part in parts]), 0.95)
    bounds = [mean_intervals(part.astype(np.float64)[:, None]) for part in parts]
    return np.concatenate([low for low, _ in bounds]), np.concatenate([high for _, high in bounds])


def _wilson(right: NDArray[np.int64], n: NDArray[np.int64], confidence: float) -> tuple[FloatArray, FloatArray]:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = right / n
    centre = p + z * z / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Exact at the ends, where rounding would leave 1e-17
    low = np.where(right == 0, 0.0, np.clip((centre - half) / scale, 0, 1))
    return low, np.where(right == n, 1.0, np.clip((centre + half) / scale, 0, 1))


def quality_totals(table: pd.DataFrame | None) -> dict[str, float | int] | None:
    """The ``"all"`` row of :func:`quality_table` by column, without its name."""
    if table is None:
        return None
    row = table.iloc[0].drop("group")
    return {str(key): int(value) if key == "samples" else float(value) for key, value in row.items()}


def _group_name(subject: Subject, group: int) -> str:
    return subject.group_names[group] if 0 <= group < len(subject.group_names) else str(group)
