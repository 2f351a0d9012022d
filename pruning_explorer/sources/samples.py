"""The sample subjects: trained networks with the held-out data they are judged on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import SampleView, Subject
from pruning_explorer.sources import networks, sums
from pruning_explorer.sources.sample_data import (
    SAMPLE_MODELS,
    draw_training_sums,
    draw_vectors,
    read_digits,
    read_held_out_sums,
    read_spirals,
    read_tensors,
    read_vectors,
)

CALIBRATION_COUNT = 256


@dataclass(frozen=True)
class Samples:
    """What a sample network is judged on, and calibrated on: arguments of :meth:`Subject.from_module`."""

    samples: Tensor
    view: SampleView
    calibration: Tensor
    calibration_labels: Tensor | None = None
    labels: Tensor | None = None
    output_names: tuple[str, ...] = ()
    groups: Tensor | None = None
    group_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class SampleSpec:
    """How one sample subject is put together.

    Attributes:
        build: the network, with any weights; the trained ones are read from its file.
        samples: reads the held-out samples, and those of the training part to calibrate on.
        about: what it is; how well it does is added from ``metrics.json``.
    """

    build: Callable[[], nn.Module]
    samples: Callable[[], Samples]
    about: str


def _digits(*shape: int) -> Callable[[], Samples]:
    def samples() -> Samples:
        images, labels = read_digits("held out")
        seen, seen_labels = _spread(*read_digits("training"))
        return Samples(
            images.reshape(-1, *shape),
            SampleView("image", images.numpy()),
            seen.reshape(-1, *shape),
            seen_labels,
            labels,
            output_names=tuple("0123456789"),
        )

    return samples


def _spread(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    # Evenly over the file, which holds its classes in turn or one after the other
    chosen = torch.arange(CALIBRATION_COUNT) * len(inputs) // CALIBRATION_COUNT
    return inputs[chosen], labels[chosen]


def _spirals() -> Samples:
    points, labels = read_spirals("held out")
    seen, seen_labels = _spread(*read_spirals("training"))
    view = SampleView("point", points.numpy())
    return Samples(points, view, seen, seen_labels, labels, output_names=("arm 0", "arm 1", "arm 2"))


def _sums() -> Samples:
    pairs = read_held_out_sums()
    tokens, answers = sums.lesson(pairs)
    return Samples(
        tokens,
        SampleView("text", sums.prompts_of(pairs)),
        *sums.lesson(draw_training_sums(CALIBRATION_COUNT)),
        answers,
        output_names=tuple(sums.VOCABULARY),
        groups=sums.carries(pairs),
        group_names=sums.CARRY_NAMES,
    )


def _vectors() -> Samples:
    vectors = read_vectors()
    view = SampleView("numbers", vectors.numpy())
    return Samples(vectors, view, draw_vectors(len(vectors)), output_names=("out 0", "out 1", "out 2"))


LOADING = """from pruning_explorer import load_subject

model = load_subject({name!r}).copy_model()"""

DIGITS = "trained on 1,437 of the 8x8 handwritten digits of UCI"

SAMPLES: dict[str, SampleSpec] = {
    "tutorial-mlp": SampleSpec(
        networks.TutorialMLP,
        _vectors,
        "The 5 -> 4 -> 3 network of every pruning tutorial. Its weights are random from a seed, it was never trained,"
        " and its 64 inputs are random vectors: there is no right answer, only drift.",
    ),
    "spirals-mlp": SampleSpec(
        networks.SpiralsMLP,
        _spirals,
        "Two hidden layers of 16 that tell three spiral arms apart: small enough to be seen whole."
        " Trained on 1,200 generated points.",
    ),
    "digits-mlp": SampleSpec(
        networks.DigitsMLP, _digits(64), f"LeNet-300-100, three fully connected layers, {DIGITS}."
    ),
    "digits-cnn": SampleSpec(
        networks.DigitsCNN,
        _digits(1, 8, 8),
        f"Convolutions with BatchNorm in two residual blocks, {DIGITS}.",
    ),
    "digits-vit": SampleSpec(
        networks.DigitsViT,
        _digits(1, 8, 8),
        f"A vision transformer of two blocks that sees sixteen patches of 2x2 pixels, {DIGITS}.",
    ),
    "digits-gru": SampleSpec(
        networks.DigitsGRU, _digits(8, 8), f"A recurrent network that reads an image row by row, {DIGITS}."
    ),
    "adder-transformer": SampleSpec(
        networks.AdderTransformer,
        _sums,
        "A small causal language model that reads a sum such as 347+285= and writes 0632, trained on generated sums."
        " A sample is right when all four digits are; each is answered with the true ones before it given.",
    ),
}


def sample_names() -> tuple[str, ...]:
    """Names that :func:`load_sample` knows, in the order in which to meet them."""
    return tuple(SAMPLES)


@lru_cache(maxsize=len(SAMPLES))
def load_sample(name: str) -> Subject:
    """A sample network with its trained weights and its held-out samples; read once, then shared by everyone.

    Raises:
        SubjectError: there is no sample of that name, or its files are missing.

    >>> load_sample("tutorial-mlp").weight("fc1.weight").shape
    torch.Size([4, 5])
    """
    if name not in SAMPLES:
        raise SubjectError(_unknown(name))
    spec = SAMPLES[name]
    samples = vars(spec.samples())
    return Subject.from_module(
        _trained(name, spec),
        name=name,
        about=" ".join([spec.about, *_stated_quality(name)]),
        loading=LOADING.format(name=name),
        **samples,
    )


class _Undrawn(TorchFunctionMode):
    """Leave new tensors as they are where numbers would be drawn for them.

    So the global generator, from which the caller may draw next, stays where it is. The meta device would do the same,
    but some of what torch does there is written in Python and imports its compiler, which takes 2 s.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (Tensor.normal_, Tensor.uniform_) or getattr(func, "__module__", "") == nn.init.__name__:
            return args[0] if args else kwargs["tensor"]
        return (torch.empty if func is torch.randn else func)(*args, **kwargs)


def _trained(name: str, spec: SampleSpec) -> nn.Module:
    weights = read_tensors(SAMPLE_MODELS / "weights" / f"{name}.safetensors")
    with _Undrawn():
        network = spec.build()
    network.load_state_dict(weights, assign=True)
    return network.eval()


def _stated_quality(name: str) -> list[str]:
    metrics = SAMPLE_MODELS / "metrics.json"
    if not metrics.is_file():
        raise SubjectError(f"{metrics} is missing; install the package again, or in a checkout restore it from git")
    measured = json.loads(metrics.read_text())
    if name not in measured:
        return []
    right, count = measured[name]["right"], measured[name]["n"]
    return [f"Right on {right} of the {count} held-out samples ({right / count:.1%})."]


def _unknown(name: str) -> str:
    close = get_close_matches(name, SAMPLES, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"no network is called {name!r}; {hint}the networks are {', '.join(SAMPLES)}"
