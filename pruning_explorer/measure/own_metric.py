"""Judge outputs by a person's own metric, and check what it returns."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import SubjectError, theirs
from pruning_explorer.prune.metric import Metric
from pruning_explorer.prune.subject import Subject

SLACK = 1e-5
"""How far above 1 a value may lie: a mean of ones in float32 may exceed 1 by so much."""


def apply_metric(
    subject: Subject, metric: Metric, logits: Tensor, answered: NDArray[np.bool_]
) -> NDArray[np.bool_] | NDArray[np.float64]:
    """The metric of each sample, ``[N]``: bool where all are 0 or 1, else float64 in [0, 1].

    The metric works on copies, so that it may write to them.

    Args:
        logits: ``[N, C]`` or ``[N, T, C]``.
        answered: bool ``[N]``; a sample without an answer is worth 0, whatever the metric makes of it.

    Raises:
        SubjectError: the metric fails, or gives anything but one number in [0, 1] per sample.
    """
    count = len(logits)
    labels = subject.labels
    given = f"logits {_name(logits)} and {'no labels' if labels is None else f'labels {_name(labels)}'}"
    wanted = f"it must give one number in [0, 1] or bool per sample, a tensor [{count}], higher is better"
    who = f"the metric “{subject.quality_name}”"
    try:
        with torch.no_grad():
            found: Any = metric(logits.clone(), None if labels is None else labels.clone())
    except BaseException as error:
        if not theirs(error):
            raise
        reason = (str(error).strip().splitlines() or ["no message"])[0]
        raise SubjectError(f"{who} failed on {given} with {type(error).__name__}: {reason}; {wanted}") from error
    if not isinstance(found, Tensor):
        raise SubjectError(f"{who} gave a {type(found).__name__} for {given}; {wanted}")
    if tuple(found.shape) != (count,) or found.is_complex():
        raise SubjectError(f"{who} gave {_name(found)} for {given}; {wanted}")
    values = np.where(answered, found.detach().cpu().double().numpy(), 0.0)
    outside = np.flatnonzero(~((values >= -SLACK) & (values <= 1 + SLACK)))
    if len(outside):
        several = f", and {len(outside) - 1} more outside" if len(outside) > 1 else ""
        raise SubjectError(f"{who} gave sample {outside[0]} the value {values[outside[0]]:g}{several}; {wanted}")
    values = np.clip(values, 0.0, 1.0)
    whole = bool(((values == 0) | (values == 1)).all())
    return values.astype(np.bool_) if whole else values


def _name(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
