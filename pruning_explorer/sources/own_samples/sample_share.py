"""A share of the samples that is kept apart for calibration, so that nothing is chosen by what is judged."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.content_id import extended_id
from pruning_explorer.prune.subject import SampleView, Subject


def keep_apart(subject: Subject, share: float, seed: int = 0) -> Subject:
    """The same network, judged on fewer of its samples: the others become its calibration inputs, with their labels.

    Which ones is drawn; the same seed gives the same ones. A share that was kept apart before is put back first, and
    other calibration inputs go. A drawn sample that is equal to one that is judged is left out of both.

    Args:
        share: of the samples, in (0, 1).
        seed: 0 or more.

    Raises:
        SubjectError: there are no samples, or so few that one part would be empty.
    """
    whole = subject.whole
    if whole.samples is None:
        raise SubjectError(f"{subject.name} has no samples of which a share could be kept apart; bring some")
    count = whole.sample_count
    drawn = round(share * count) if 0 < share < 1 else 0
    if not 0 < share < 1:
        raise SubjectError(f"a share of {share:g} is outside (0, 1); 0.2 keeps 20 % of the samples apart")
    if not 0 < drawn < count:
        raise SubjectError(
            f"{share:.3g} of {count:,} samples is {'none' if not drawn else 'all'} of them; some must be kept apart "
            "and some judged: give another share, or more samples"
        )
    if not 0 <= seed < 2**63:
        raise SubjectError(f"seed {seed} is no whole number from 0 on")
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    apart, judged = order[:drawn].sort().values, order[drawn:].sort().values
    samples = tuple(each[judged] for each in whole.samples)
    seen = apart[not_judged(samples, [each[apart] for each in whole.samples])]
    if not len(seen):
        raise SubjectError("every sample of that share is equal to one that is judged; give samples that differ")
    labels = None if whole.labels is None else whole.labels[judged]
    calibration = tuple(each[seen] for each in whole.samples)
    calibration_labels = None if whole.labels is None else whole.labels[seen]
    equal = drawn - len(seen)
    return replace(
        whole,
        samples=samples,
        labels=labels,
        groups=None if whole.groups is None else whole.groups[judged],
        view=None if whole.view is None else _of_view(whole.view, judged),
        calibration=calibration,
        calibration_labels=calibration_labels,
        about_calibration=(
            f"For calibration {drawn:,} of the {count:,} samples ({100 * share:.3g} %, drawn with seed {seed}) are "
            f"kept apart; the other {len(judged):,} are judged."
            + (f" {equal:,} of those apart are equal to judged ones, and are left out." if equal else "")
        ),
        id=extended_id(whole.id, samples, labels, calibration, calibration_labels),
        undivided=whole,
    )


def not_judged(judged: Sequence[Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """Which of the inputs are equal to no sample that is judged, int64, in order.

    >>> not_judged([torch.tensor([[1, 2], [3, 4]])], [torch.tensor([[3, 4], [5, 6]])])
    tensor([1])
    """
    known = set(_rows(judged))
    return torch.tensor([place for place, row in enumerate(_rows(inputs)) if row not in known], dtype=torch.int64)


def _rows(tensors: Sequence[Tensor]) -> list[tuple[bytes, ...]]:
    """Each sample as bytes: shape and values of all of its inputs."""
    return [
        tuple(f"{tuple(each.shape[1:])} {each.dtype}".encode() + _bytes(each[row]) for each in tensors)
        for row in range(len(tensors[0]))
    ]


def _bytes(tensor: Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def _of_view(view: SampleView, rows: Tensor) -> SampleView:
    if isinstance(view.values, np.ndarray):
        return SampleView(view.kind, view.values[rows.numpy()])
    return SampleView(view.kind, tuple(view.values[row] for row in rows.tolist()))
