"""Bring samples into the form that a network takes, and see that it takes them."""

from dataclasses import replace
from math import prod

import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs, watch_layers
from pruning_explorer.prune.network import sample_shapes
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.datasets import MOST_ROWS
from pruning_explorer.sources.own_samples.sample_classes import classes_on
from pruning_explorer.sources.own_samples.sample_pictures import how_scaled, picture_shape, pictures
from pruning_explorer.sources.own_samples.sample_set import SampleSet, spread, thinned
from pruning_explorer.sources.own_samples.sample_shape import in_shape
from pruning_explorer.sources.own_samples.sample_share import not_judged
from pruning_explorer.sources.own_samples.sample_view import view_of
from pruning_explorer.sources.own_samples.taken_inputs import class_of, first_layer, what_it_takes

MOST_BYTES = 64 << 20
"""Most bytes of all samples: a network runs them at once, and needs many times as much memory meanwhile."""
LARGEST_OUTPUT = 512 << 20
"""Most bytes of one layer's output for all samples."""

FEWEST_PIXELS = 16
"""Fewest numbers of a sample that may be an image."""
FEWEST_LEVELS = 16
"""Fewest levels of grey of what may be an image: those of scikit-learn's digits are 17."""


def fit_samples(subject: Subject, samples: SampleSet) -> Subject:
    """The same network, judged on these samples.

    They are brought into the dtype that the network takes, images also into its size and channels. The first one is
    run, and those with the least and the greatest token id, and so they are seen to fit. Where all of them at once
    would take too much memory, fewer are used, evenly over all; ``about_samples`` says so.

    Calibration inputs that the file holds beside them are taken, too. Of those that the network has already none stays
    that is judged now.

    Raises:
        SubjectError: they do not fit; the message shows what the network takes and what the file holds.
    """
    judged = _fitted(subject, samples, "Judged")
    if samples.calibration is not None:
        return fit_calibration(judged, samples.calibration)
    if judged.calibration is None or judged.samples is None:
        return judged
    seen = not_judged(judged.samples, judged.calibration)
    if (lost := len(judged.calibration[0]) - len(seen)) == 0:
        return judged
    return _calibrated(judged, judged.calibration, judged.calibration_labels, seen, judged.about_calibration, lost)


def fit_calibration(subject: Subject, samples: SampleSet) -> Subject:
    """The same network on the same samples, with these calibration inputs, as :func:`fit_samples` brings them in form.

    Those that are judged, too, are left out; ``about_calibration`` says how many.

    Raises:
        SubjectError: they do not fit, or all of them are judged.
    """
    fitted = _fitted(subject, replace(samples, calibration=None), "Calibrated")
    inputs, whole = fitted.samples or (), subject.whole
    seen = torch.arange(len(inputs[0])) if whole.samples is None else not_judged(whole.samples, inputs)
    if not len(seen):
        raise SubjectError(
            f"all inputs of {samples.name} are among the samples on which {subject.name} is judged, and what is judged "
            "may not be looked at before; give others, or keep a share of the samples apart"
        )
    lost = len(inputs[0]) - len(seen)
    return _calibrated(whole, inputs, fitted.labels, seen, fitted.about_samples, lost)


def _calibrated(
    subject: Subject, inputs: tuple[Tensor, ...], labels: Tensor | None, seen: Tensor, about: str, lost: int
) -> Subject:
    """The subject with those of the inputs that are not judged."""
    if not len(seen):
        return replace(subject, calibration=None, calibration_labels=None, about_calibration="")
    if lost:
        left = f"{lost:,} calibration input{'s' if lost > 1 else ''} that {'are' if lost > 1 else 'is'} judged, too"
        about = f"{about} Left out: {left}.".strip()
    return subject.with_calibration(
        [each[seen] for each in inputs], None if labels is None else labels[seen], about=about
    )


def _fitted(subject: Subject, samples: SampleSet, verb: str) -> Subject:
    """The network judged on these samples; ``verb`` says what they are for."""
    if not subject.runnable:
        raise SubjectError(f"{subject.name} is known by its weights alone, so samples cannot be run; bring the network")
    if (one := _bytes_of_one(subject, samples)) > MOST_BYTES:
        raise SubjectError(
            f"one sample of {samples.name} has {one >> 20} MiB, and {MOST_BYTES >> 20} MiB is the most; make it less"
        )
    samples = thinned(samples, MOST_BYTES // one)
    held = samples.inputs
    samples = _in_shape(subject, samples)
    inputs = _inputs(subject, samples)
    try:
        tried = [subject.with_samples([each[row : row + 1] for each in inputs]) for row in _rows_to_try(inputs)]
        for each in tried[1:]:
            dense_outputs(each)
        logits = dense_outputs(tried[0])
        largest = _largest_output(tried[0], logits)
    except SubjectError as error:
        raise SubjectError(_both(subject, replace(samples, inputs=held), inputs, error)) from error
    if largest > LARGEST_OUTPUT:
        raise SubjectError(
            f"one sample of {samples.name} makes a layer of {subject.name} give {largest >> 20} MiB, and "
            f"{LARGEST_OUTPUT >> 20} MiB is the most; make it smaller"
        )
    most = LARGEST_OUTPUT // max(1, largest)
    inputs = tuple(each[spread(len(each), most)] if len(each) > most else each for each in inputs)
    samples = thinned(samples, most)
    classes = classes_on(subject, samples, logits)
    try:
        return subject.with_samples(
            inputs,
            classes.labels,
            output_names=classes.output_names,
            view=view_of(subject, samples, inputs),
            about=" ".join([_told(subject, samples, verb), *_of_numbers(samples, inputs), *classes.remarks]),
        )
    except SubjectError as error:
        raise SubjectError(_both(subject, replace(samples, inputs=held), inputs, error)) from error


def _rows_to_try(inputs: tuple[Tensor, ...]) -> list[int]:
    """Which samples tell whether all can be run: the first, and those with the least and the greatest number."""
    rows = [0]
    for each in inputs:
        if not each.is_floating_point() and each.dtype != torch.bool and each.numel():
            flat = _flat(each).long()
            rows += [int(flat.amin(dim=1).argmin()), int(flat.amax(dim=1).argmax())]
    return list(dict.fromkeys(rows))


def _flat(tensor: Tensor) -> Tensor:
    """``[N, F]``, where a sample may be a single number, or none at all."""
    return tensor.reshape(len(tensor), prod(tensor.shape[1:]))


def _largest_output(tried: Subject, logits: Tensor) -> int:
    """Bytes of the largest output that a layer gives for one sample."""
    sizes = [logits.nbytes]
    watch_layers(tried, None, lambda _, output: sizes.append(output.nbytes))
    return max(sizes)


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
    if now and len(now) < len(samples.inputs):
        raise SubjectError(
            f"the network takes {len(now)} inputs ({sample_shapes(now)}), and {samples.name} holds "
            f"{len(samples.inputs)} ({sample_shapes(samples.inputs)}); save one array for each, in order"
        )
    if now or len(samples.inputs) == 1:  # of fewer than now it is tried, as an attention mask may well be left out
        return tuple(_as_dtype(each, _dtype(subject, i)) for i, each in enumerate(samples.inputs))
    first, *others = samples.inputs
    # Nothing tells of the others, but numbers with a fraction come in the precision of the weights
    precision = _precision(subject)
    return (
        _as_dtype(first, _dtype(subject, 0)),
        *(_as_dtype(each, precision) if each.is_floating_point() else each for each in others),
    )


def _in_shape(subject: Subject, samples: SampleSet) -> SampleSet:
    """The same samples, their only input in the shape that the network takes."""
    if len(samples.inputs) != 1 or len(subject.samples or ()) > 1:
        return samples
    shaped, remarks = in_shape(subject, samples.inputs[0])
    return replace(samples, inputs=(shaped,), remarks=(*samples.remarks, *remarks))


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
    return _precision(subject)


def _precision(subject: Subject) -> torch.dtype | None:
    return next((each.dtype for each in subject.model.parameters() if each.is_floating_point()), None)


def _tokens(subject: Subject, samples: SampleSet) -> tuple[Tensor, ...]:
    # Not by its name: an uploaded file may be called anything
    if not subject.words.startswith("hf:"):
        raise SubjectError(
            f"{samples.name} holds words, and {subject.name} has no tokenizer here; give token ids apart by blanks"
        )
    from pruning_explorer.sources.by_name.transformers_text import tokenize

    return tokenize(subject.words, samples.texts, len(subject.samples or ()) or 1)


def _both(subject: Subject, samples: SampleSet, inputs: tuple[Tensor, ...], error: SubjectError) -> str:
    held = ", ".join(_shape(each) for each in samples.inputs or inputs)
    return f"{samples.name} does not fit: {what_it_takes(subject)}; {samples.name} holds {held}. Tried, {error}"


def _shape(tensor: Tensor) -> str:
    """``"int64 [500, 16] from 0 to 13"``: of whole numbers the range, as these may count something."""
    shape = sample_shapes((tensor,))
    if tensor.is_floating_point() or tensor.dtype == torch.bool or not tensor.numel():
        return shape
    return f"{shape} from {int(tensor.long().min())} to {int(tensor.long().max())}"


def _told(subject: Subject, samples: SampleSet, verb: str) -> str:
    used, held = samples.count, max(samples.held, samples.count)
    which = f"the {used:,} sample{'s' if used > 1 else ''} of {samples.name}"
    if held > used:
        why = f"{MOST_ROWS:,} is the most" if used == MOST_ROWS else "more would take too much memory at once"
        which = f"{used:,} of the {held:,} samples of {samples.name}, taken evenly over all ({why})"
    told = [f"{verb} on {which}."]
    return " ".join([*told, *samples.remarks, *([how_scaled(subject)] if samples.images else [])])


def _of_numbers(samples: SampleSet, inputs: tuple[Tensor, ...]) -> list[str]:
    """What is odd about the numbers, in sentences."""
    remarks = []
    remarks += [
        f"Its {called} are given to the network as they are, not scaled to [0, 1]."
        for given, taken in zip(samples.inputs, inputs, strict=False)
        if taken.is_floating_point() and (called := _pixels(given))
    ][:1]
    lacking = torch.zeros(len(inputs[0]), dtype=torch.bool)
    for each in inputs:
        lacking |= ~_flat(each).isfinite().all(dim=1)
    count = int(lacking.sum())
    if count == len(lacking):
        remarks.append("Every sample has a NaN or an infinity in it, so no output may be a number.")
    elif count:
        remarks.append(f"{count:,} of the samples {'have' if count > 1 else 'has'} a NaN or an infinity in it.")
    return remarks


def _pixels(given: Tensor) -> str:
    """What numbers are called that may be pixels which are not scaled: bytes, or as whole and as many; else empty."""
    if not given.numel() or given.dtype == torch.bool:
        return ""
    if given.dtype == torch.uint8:
        return "bytes, 0 to 255," if int(given.max()) > 1 else ""
    values = given.double()  # of unsigned ones torch has no least
    if given[0].numel() < FEWEST_PIXELS or not bool(values.isfinite().all()):
        return ""
    least, most = float(values.min()), float(values.max())
    if least < 0 or not FEWEST_LEVELS <= most + 1 <= 256 or bool((values != values.round()).any()):
        return ""
    return f"whole numbers, {int(least)} to {int(most)},"
