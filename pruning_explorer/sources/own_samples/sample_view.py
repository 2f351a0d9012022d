"""How samples of one's own are shown."""

from math import prod

import torch
from torch import Tensor

from pruning_explorer.prune.subject import SampleView, Subject
from pruning_explorer.sources.own_samples.sample_set import SampleSet

MOST_NUMBERS = 64
"""Most numbers of a sample that are shown as numbers."""


def view_of(subject: Subject, samples: SampleSet, inputs: tuple[Tensor, ...]) -> SampleView | None:
    """Texts, images in [0, 1], points or a few numbers; None where samples are nothing of that."""
    first = inputs[0]
    if samples.texts:
        return SampleView("text", samples.texts)
    if not first.is_floating_point():
        return _ids(first)
    values = first.float()
    if first.dim() == 4 and first.shape[1] in (1, 3) and min(first.shape[2:]) > 1:
        return SampleView("image", _within_bounds(values.mean(dim=1)).numpy())
    if (size := _image_size(subject, first)) is not None:
        return SampleView("image", _within_bounds(values.reshape(-1, *size)).numpy())
    if first.dim() == 2 and first.shape[1] == 2:
        return SampleView("point", values.numpy())
    if first.dim() == 2 and first.shape[1] <= MOST_NUMBERS:
        return SampleView("numbers", values.numpy())
    return None


def _ids(ids: Tensor) -> SampleView | None:
    if ids.dim() != 2 or not 0 < ids.shape[1] <= MOST_NUMBERS:
        return None
    return SampleView("text", tuple(" ".join(map(str, row)) for row in ids.tolist()))


def _image_size(subject: Subject, inputs: Tensor) -> tuple[int, int] | None:
    """Height and width where the network's present samples are of this shape and shown as images."""
    if subject.view is None or subject.view.kind != "image" or not subject.samples:
        return None
    _, height, width = subject.view.values.shape  # type: ignore[union-attr]
    alike = subject.samples[0].shape[1:] == inputs.shape[1:]
    return (height, width) if alike and prod(inputs.shape[1:]) == height * width else None


def _within_bounds(images: Tensor) -> Tensor:
    """In [0, 1]: as they are, or else from the least to the greatest of all; NaN is black, infinity an end."""
    finite = images[images.isfinite()]
    low, high = (0.0, 1.0) if finite.numel() == 0 else (float(finite.min()), float(finite.max()))
    held = torch.nan_to_num(images, nan=low, posinf=high, neginf=low)
    return held if low >= 0 and high <= 1 else (held - low) / max(high - low, 1e-12)
