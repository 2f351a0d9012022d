"""Bring samples into the form that a network takes, and see that it takes them."""

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.prune.network import sample_shapes
from pruning_explorer.prune.subject import SampleView, Subject
from pruning_explorer.prune.targets import Target, layer_class
from pruning_explorer.sources.datasets import MOST_ROWS
from pruning_explorer.sources.sample_set import SampleSet

MOST_NUMBERS = 64
"""Of a sample that is shown as its numbers."""


def fit(subject: Subject, samples: SampleSet) -> Subject:
    """As :func:`~pruning_explorer.sources.sample_files.fit_samples`."""
    if not subject.runnable:
        raise SubjectError(f"{subject.name} is known by its weights alone, so samples cannot be run; bring the network")
    inputs = _inputs(subject, samples)
    labels = _labels(subject, samples)
    try:
        logits = dense_outputs(subject.with_samples([each[:1] for each in inputs]))
        judged = subject.with_samples(
            inputs,
            labels,
            output_names=_names(samples, subject, logits),
            view=_view(samples, inputs),
            about=f"Judged on {_told(samples)}.",
        )
    except SubjectError as error:
        raise SubjectError(_both(subject, samples, inputs, str(error))) from error
    if judged.metric is None:
        _check_labels(samples, labels, logits)
    return judged


def _inputs(subject: Subject, samples: SampleSet) -> tuple[Tensor, ...]:
    if samples.texts:
        return _tokens(subject, samples)
    if samples.images:
        return (_as_dtype(_pictures(subject, samples), _dtype(subject, 0)),)
    now = subject.samples or ()
    if now and len(now) != len(samples.inputs):
        raise SubjectError(
            f"the network takes {len(now)} inputs ({sample_shapes(now)}), and {samples.name} holds "
            f"{len(samples.inputs)} ({sample_shapes(samples.inputs)}); save one array for each, in order"
        )
    return tuple(_as_dtype(each, _dtype(subject, i)) for i, each in enumerate(samples.inputs))


def _as_dtype(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    """Numbers in the dtype that a network takes; what would lose something stays, and is told when it is run."""
    if dtype is None or tensor.dtype == dtype:
        return tensor
    if dtype.is_floating_point or tensor.dtype == torch.bool:
        return tensor.to(dtype)
    whole = not tensor.is_floating_point() or (bool(tensor.isfinite().all()) and bool((tensor == tensor.round()).all()))
    return tensor.to(dtype) if whole else tensor


def _dtype(subject: Subject, position: int) -> torch.dtype | None:
    """What the network takes at a position: what it is run on now, else what its first layer takes."""
    if subject.samples:
        return subject.samples[position].dtype
    first = _first_layer(subject)
    if first is not None and issubclass(_class_of(subject, first), nn.Embedding | nn.EmbeddingBag):
        return torch.int64
    return next((each.dtype for each in subject.model.parameters() if each.is_floating_point()), None)


def _first_layer(subject: Subject) -> Target | None:
    return next((each for each in subject.targets if each.role == "weight"), None)


def _class_of(subject: Subject, target: Target) -> type[nn.Module]:
    return layer_class(subject.model.get_submodule(target.module))


def _pictures(subject: Subject, samples: SampleSet) -> Tensor:
    """Float32 ``[N, C, H, W]`` in [0, 1], in the channels and the size that the network takes."""
    channels, size = _picture_shape(subject)
    sizes = {image.shape[:2] for image in samples.images}
    if size is None and len(sizes) > 1:
        raise SubjectError(
            f"the images of {samples.name} have {len(sizes)} sizes, and {subject.name} does not say which it takes; "
            "bring them to one size"
        )
    made = []
    for image in samples.images:
        picture = Pillow.fromarray(image)
        if size is not None and image.shape[:2] != size:
            picture = picture.resize((size[1], size[0]), Pillow.Resampling.BILINEAR)
        made.append(np.atleast_3d(np.asarray(picture.convert("L") if channels == 1 else picture)))
    return torch.from_numpy(np.stack(made)).movedim(3, 1).float() / 255


def _picture_shape(subject: Subject) -> tuple[int, tuple[int, int] | None]:
    """Channels, and height and width where they are known, of the images that a network takes."""
    now = subject.samples[0] if subject.samples else None
    if now is not None and now.dim() == 4 and now.shape[1] in (1, 3):
        return now.shape[1], (now.shape[2], now.shape[3])
    first = _first_layer(subject)
    if first is not None and issubclass(_class_of(subject, first), nn.Conv2d):
        taken = first.shape[1]
        if taken in (1, 3):
            return taken, None
    takes = _what_it_takes(subject)
    raise SubjectError(f"{subject.name} takes no images [N, 1 or 3, H, W]: {takes}; give the inputs as .npz")


def _tokens(subject: Subject, samples: SampleSet) -> tuple[Tensor, ...]:
    if not subject.name.startswith("hf:"):
        raise SubjectError(
            f"{samples.name} holds words, and {subject.name} has no tokenizer here; give token ids apart by blanks"
        )
    from pruning_explorer.sources.transformers_text import tokenize

    return tokenize(subject.name, samples.texts, len(subject.samples or ()) or 1)


def _labels(subject: Subject, samples: SampleSet) -> Tensor | None:
    labels = samples.labels
    if labels is None or subject.metric is not None or not labels.is_floating_point():
        return labels
    raise SubjectError(
        f"the labels of {samples.name} are no whole numbers, so they are no classes; give the number of a class for "
        "each sample, or judge by a metric of your own (a function that returns `score`)"
    )


def _check_labels(samples: SampleSet, labels: Tensor | None, logits: Tensor) -> None:
    if labels is None:
        return
    wanted = [len(labels), *logits.shape[1:-1]]
    if list(labels.shape) != wanted:
        raise SubjectError(
            f"the network's outputs are {['N', *logits.shape[1:]]}, so labels must be {wanted}; {samples.name} holds "
            f"labels {list(labels.shape)}"
        )
    classes = logits.shape[-1]
    low, high = int(labels.min()), int(labels.max())
    if classes > 1 and (low < -1 or high >= classes):
        raise SubjectError(
            f"the network tells {classes} classes apart, 0 to {classes - 1}, and {samples.name} has labels from {low} "
            f"to {high}; count classes from 0"
        )


def _names(samples: SampleSet, subject: Subject, logits: Tensor) -> tuple[str, ...]:
    """Names of the outputs: the file's where they are as many, else those that the network has."""
    return samples.class_names if len(samples.class_names) == logits.shape[-1] else subject.output_names


def _view(samples: SampleSet, inputs: tuple[Tensor, ...]) -> SampleView | None:
    first = inputs[0]
    if samples.texts:
        return SampleView("text", samples.texts)
    if not first.is_floating_point() or first.numel() == 0:
        return None
    values = first.float()
    if first.dim() == 4 and first.shape[1] in (1, 3) and min(first.shape[2:]) > 1:
        grey = values.mean(dim=1)
        low, high = grey.amin(), grey.amax()
        shown = (grey - low) / (high - low).clamp_min(1e-12) if low < 0 or high > 1 else grey
        return SampleView("image", shown.numpy())
    if first.dim() == 2 and first.shape[1] == 2:
        return SampleView("point", values.numpy())
    if first.dim() == 2 and first.shape[1] <= MOST_NUMBERS:
        return SampleView("numbers", values.numpy())
    return None


def _both(subject: Subject, samples: SampleSet, inputs: tuple[Tensor, ...], reason: str) -> str:
    return f"{_what_it_takes(subject)}; {samples.name} holds {sample_shapes(inputs)}, and {reason}"


def _what_it_takes(subject: Subject) -> str:
    """What is known of the inputs that a network takes, in words."""
    known = []
    if subject.samples:
        known.append(f"now it is run on {sample_shapes(subject.samples)}")
    if (first := _first_layer(subject)) is not None:
        where = first.module or "the network itself"
        known.append(f"its first layer is {where}, a {first.layer_type} with weight {_cross(first.shape)}")
    return (
        f"of the network is known that {' and that '.join(known)}"
        if known
        else "the network says nothing of its inputs"
    )


def _cross(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _told(samples: SampleSet) -> str:
    used, held = samples.count, max(samples.held, samples.count)
    which = f"{used:,} of the {held:,} samples" if held > used else f"the {used:,} sample{'s' if used > 1 else ''}"
    how = ", scaled to [0, 1] and not normalised further" if samples.images else ""
    return f"{which} of {samples.name}{how}{f' (at most {MOST_ROWS:,} are used)' if held > used else ''}"
