"""The labels of a file as the outputs of a network."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples.sample_set import SampleSet


@dataclass(frozen=True, eq=False)
class Classes:
    """Labels of samples on a network.

    Attributes:
        labels: int64 ``[N]`` or ``[N, T]``, or whatever a metric takes; None where the file has none.
        output_names: of the network's outputs, with these labels.
        remarks: sentences on how the labels were understood, where that is not plain.
    """

    labels: Tensor | None
    output_names: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def classes_on(subject: Subject, samples: SampleSet, logits: Tensor) -> Classes:
    """Labels as the network counts its classes.

    Names of classes are found among those of the outputs. Numbers, as names of folders may be, are outputs. Other names
    are taken in their order where they are as many as the outputs.

    Args:
        logits: of one sample, ``[1, C]`` or ``[1, T, C]``.

    Raises:
        SubjectError: the labels are no classes of this network; where it has a metric, any will do.
    """
    labels = samples.labels
    if labels is None:
        return Classes(None, subject.output_names)
    if subject.metric is None:
        if logits.dim() == labels.dim() == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]  # a column of them, as MedMNIST has
        _check_shape(subject, samples, labels, logits)
    named = _named(subject, samples, labels, logits.shape[-1])
    if subject.metric is not None or named.labels is None:
        return named
    _check_range(samples, named.labels, logits.shape[-1])
    missing = int((named.labels < 0).sum())
    if not missing:
        return named
    remark = f"{missing:,} of its labels {'are' if missing > 1 else 'is'} -1, for missing, and counted as wrong."
    return Classes(named.labels, named.output_names, (*named.remarks, remark))


def _named(subject: Subject, samples: SampleSet, labels: Tensor, outputs: int) -> Classes:
    names, known = samples.class_names, subject.output_names
    if not names:
        return Classes(labels, known)
    if set(names) <= set(known):
        return Classes(torch.tensor([known.index(name) for name in names])[labels], known)
    if all(name.isascii() and name.isdecimal() and len(name) < 10 for name in names):
        return Classes(torch.tensor([int(name) for name in names])[labels], known)
    strange = [name for name in names if name not in known]
    if subject.metric is None and (len(strange) < len(names) or len(names) != outputs):
        calls = f"calls its outputs {_some(known)}" if known else f"tells {outputs} classes apart, without names"
        raise SubjectError(
            f"{samples.name} names {len(names)} classes ({_some(names)}), and {subject.name} {calls}, so which of them "
            f"{strange[0][:40]!r} is cannot be known; label by the numbers of the outputs, from 0"
        )
    remark = f"Its classes, in the order of their names ({_some(names)}), are taken for outputs 0, 1 and so on."
    return Classes(labels, names if len(names) == outputs else known, (remark,))


def _check_shape(subject: Subject, samples: SampleSet, labels: Tensor, logits: Tensor) -> None:
    if logits.shape[-1] == 1:
        raise SubjectError(
            f"{subject.name} has a single output, which names no class, and {samples.name} has labels; leave them out, "
            "or judge by a metric of your own (a function that returns `score`)"
        )
    if labels.is_floating_point():
        raise SubjectError(
            f"the labels of {samples.name} are no whole numbers, so they are no classes; give the number of a class "
            "for each sample, or judge by a metric of your own (a function that returns `score`)"
        )
    wanted = [len(labels), *logits.shape[1:-1]]
    if list(labels.shape) != wanted:
        raise SubjectError(
            f"the network's outputs are {['N', *logits.shape[1:]]}, so labels must be {wanted}; {samples.name} holds "
            f"labels {list(labels.shape)}: save the number of the right class of each"
        )


def _check_range(samples: SampleSet, labels: Tensor, classes: int) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < -1 or high >= classes:
        raise SubjectError(
            f"the network tells {classes} classes apart, 0 to {classes - 1}, and {samples.name} has labels from {low} "
            f"to {high}; count classes from 0"
        )


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(name[:40] for name in names[:3]) + " …" * (len(names) > 3)
