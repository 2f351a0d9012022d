"""How the sample networks came to their weights: the data and the steps, and what they began with."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.sample_data import Part, read_digits, read_spirals
from pruning_explorer.sources.samples import SAMPLES, load_sample

SEED = 0
"""Random seed for the initial weights of each sample network and for its batches."""


@dataclass(frozen=True)
class HowTrained:
    """How one network was trained: AdamW under a one-cycle learning rate, with batches drawn at random.

    Attributes:
        steps: of one batch each.
        batch: samples in it.
        learning_rate: the highest of the cycle.
    """

    steps: int
    batch: int
    learning_rate: float
    weight_decay: float


# tutorial-mlp is not here: it is never trained, only initialised
HOW_TRAINED: dict[str, HowTrained] = {
    "spirals-mlp": HowTrained(3000, 128, 1e-2, 1e-3),
    "digits-mlp": HowTrained(1500, 64, 2e-3, 1e-2),
    "digits-cnn": HowTrained(1500, 64, 5e-3, 1e-2),
    "digits-vit": HowTrained(3000, 64, 2e-3, 5e-2),
    "digits-gru": HowTrained(3000, 64, 5e-3, 1e-2),
    "adder-transformer": HowTrained(2500, 256, 2e-3, 1e-2),
}

_READERS: dict[str, Callable[[Part], tuple[Tensor, Tensor]]] = {
    "spirals-mlp": read_spirals,
    "digits-mlp": read_digits,
    "digits-cnn": read_digits,
    "digits-vit": read_digits,
    "digits-gru": read_digits,
}

_GLOBAL_GENERATOR = threading.Lock()


def how_trained(name: str) -> HowTrained:
    """How a sample network was trained.

    Raises:
        SubjectError: it is none, or was never trained.
    """
    if name not in HOW_TRAINED:
        raise SubjectError(f"{name} is no sample network that was trained; those are {', '.join(HOW_TRAINED)}")
    return HOW_TRAINED[name]


def training_data(name: str) -> tuple[Tensor, Tensor]:
    """The training part of a sample network's data: none of it is among the samples that it is judged on.

    Returns:
        Inputs ``[N, ...]``, shaped as the network reads them, and labels int64 ``[N]``.

    Raises:
        SubjectError: there is no such network, or its training part is no file: it was never trained, or its samples
            were made as it learned.
    """
    if name not in _READERS:
        raise SubjectError(f"{name} has no training data in a file; the networks that have are {', '.join(_READERS)}")
    inputs, labels = _READERS[name]("training")
    held_out = load_sample(name).samples or (inputs,)
    return inputs.reshape(len(inputs), *held_out[0].shape[1:]), labels


def initial_network(name: str, seed: int = SEED) -> nn.Module:
    """A sample network before its training, as ``sample_models/train.py`` begins, in eval mode.

    Args:
        seed: the default gives the very weights that the trained network began with; any other gives weights that
            are drawn anew, by the same rule.

    Raises:
        SubjectError: there is no sample network of that name.
    """
    if name not in SAMPLES:
        raise SubjectError(f"{name} is no sample network; those are {', '.join(SAMPLES)}")
    # Layers draw from the global generator and from no other: it is put back, and two threads do not share it
    with _GLOBAL_GENERATOR, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SAMPLES[name].build().eval()
