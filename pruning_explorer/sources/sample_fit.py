"""Bring samples into the form that a network takes, and see that it takes them."""

import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.prune.network import sample_shapes
from pruning_explorer.prune.subject import SampleView, Subject
from pruning_explorer.sources.datasets import MOST_ROWS
from pruning_explorer.sources.sample_pictures import how_scaled, picture_shape, pictures
from pruning_explorer.sources.sample_set import SampleSet, thinned
from pruning_explorer.sources.taken_inputs import class_of, first_layer, what_it_takes

MOST_NUMBERS = 64
"""Of a sample that is shown as its numbers."""
MOST_BYTES = 64 << 20
"""Of all samples: a network runs them at once, and holds many times as much meanwhile."""


def fit(subject: Subject, samples: SampleSet) -> Subject:
    """As :func:`~pruning_explorer.sources.sample_files.fit_samples`."""
    if not subject.runnable:
        raise SubjectError(f"{subject.name} is known by its weights alone, so samples cannot be run; bring the network")
    if (one := _bytes_of_one(subject, samples)) > MOST_BYTES:
        raise SubjectError(
            f"one sample of {samples.name} has {one >> 20} MiB, and {MOST_BYTES >> 20} MiB is the most; make it less"
        )
    samples = thinned(samples, MOST_BYTES // one)
    inputs = _inputs(subject, samples)
    labels = _labels(subject, samples)
    try:
        logits = dense_outputs(subject.with_samples([each[:1] for each in inputs]))
        judged = subject.with_samples(
            inputs,
            labels,
            output_names=_names(samples, subject, logits),
            view=_view(samples, inputs),
            about=_told(subject, samples),
        )
    except SubjectError as error:
        raise SubjectError(_both(subject, samples, inputs, error)) from error
    if judged.metric is None:
        _check_labels(samples, labels, logits)
    return judged


def _bytes_of_one(subject: Subject, samples: SampleSet) -> int:
    """Of a sample as the network takes it; words count by their tokens, which are few."""
    if samples.images:
        channels, size = picture_shape(subject)
        height, width = size or samples.images[0].shape[:2]
        return 4 * channels * int(height) * int(width)
    nbytes: int = sum(each[0].numel() * max(4, each.element_size()) for each in samples.inputs)
    return max(1, nbytes)


def _inputs(subject: Subject, samples: SampleSet) -> tuple[Tensor, ...]:
    if samples.texts:
        return _tokens(subject, samples)
    if samples.images:
        return (_as_dtype(pictures(subject, samples), _dtype(subject, 0)),)
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
    first = first_layer(subject)
    if first is not None and issubclass(class_of(subject, first), nn.Embedding | nn.EmbeddingBag):
        return torch.int64
    return next((each.dtype for each in subject.model.parameters() if each.is_floating_point()), None)


def _tokens(subject: Subject, samples: SampleSet) -> tuple[Tensor, ...]:
    # Not by its name alone: an uploaded file may be called anything
    if not (subject.name.startswith("hf:") and subject.origin.startswith("transformers ")):
        raise SubjectError(
            f"{samples.name} holds words, and {subject.name} has no tokenizer here; give token ids apart by blanks"
        )
    from pruning_explorer.sources.transformers_text import tokenize

    return tokenize(subject.name, samples.texts, len(subject.samples or ()) or 1)


def _labels(subject: Subject, samples: SampleSet) -> Tensor | None:
    labels = samples.labels
    if labels is not None and _names_outputs(subject, samples):
        outputs = [subject.output_names.index(name) for name in samples.class_names]
        return torch.tensor(outputs, dtype=torch.int64)[labels]
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
    """Names of the outputs: the network's where the file uses them, else the file's if they are as many."""
    as_many = len(samples.class_names) == logits.shape[-1]
    return samples.class_names if as_many and not _names_outputs(subject, samples) else subject.output_names


def _names_outputs(subject: Subject, samples: SampleSet) -> bool:
    """Whether the file calls its classes by the names of the network's outputs."""
    return bool(samples.class_names) and set(samples.class_names) <= set(subject.output_names)


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


def _both(subject: Subject, samples: SampleSet, inputs: tuple[Tensor, ...], error: SubjectError) -> str:
    held = sample_shapes(samples.inputs or inputs)
    return f"{samples.name} does not fit: {what_it_takes(subject)}; {samples.name} holds {held}. Tried, {error}"


def _told(subject: Subject, samples: SampleSet) -> str:
    used, held = samples.count, max(samples.held, samples.count)
    which = f"{used:,} of the {held:,} samples" if held > used else f"the {used:,} sample{'s' if used > 1 else ''}"
    bounds = f", taken evenly over all ({MOST_ROWS:,}, or {MOST_BYTES >> 20} MiB, is the most)" if held > used else ""
    told = [f"Judged on {which} of {samples.name}{bounds}."]
    if samples.images:
        told.append(how_scaled(subject))
    if samples.class_names and not _names_outputs(subject, samples):
        names = ", ".join(name[:40] for name in samples.class_names[:3])
        more = " …" if len(samples.class_names) > 3 else ""
        told.append(f"Its classes, in the order of their names ({names}{more}), are taken for outputs 0, 1 and so on.")
    return " ".join(told)
