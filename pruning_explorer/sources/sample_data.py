"""Reads the data that the sample networks were trained on and are judged on; no randomness, no download."""

from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.installed import sample_models

SAMPLE_MODELS = sample_models()
Part = Literal["training", "held out"]


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file by name.

    Raises:
        SubjectError: there is no such file.
    """
    if not path.is_file():
        raise SubjectError(
            f"{path} is missing; install the package again, or in a checkout restore it from git, or train weights "
            f"again with `python sample_models/train.py {path.stem}`"
        )
    return load_file(path)


def read_digits(part: Part) -> tuple[Tensor, Tensor]:
    """Images float32 ``[N, 8, 8]`` in [0, 1] and labels int64 ``[N]``: 1,437 for training, 360 held out."""
    images, labels = _part("digits", "images", part)
    return images.float() / 16, labels  # a pixel counts the inked ones of 16


def read_spirals(part: Part) -> tuple[Tensor, Tensor]:
    """Points float32 ``[N, 2]`` in [-1.2, 1.2] and labels int64 ``[N]``, the arm of each."""
    return _part("spirals", "points", part)


def _part(name: str, inputs: str, part: Part) -> tuple[Tensor, Tensor]:
    data = read_tensors(SAMPLE_MODELS / "data" / f"{name}.safetensors")
    chosen = data["held_out"] if part == "held out" else ~data["held_out"]
    return data[inputs][chosen], data["labels"][chosen]


def read_held_out_sums() -> Tensor:
    """The pairs int64 ``[500, 2]`` of numbers in [0, 999] that no training step may see, in either order."""
    return read_tensors(SAMPLE_MODELS / "data" / "sums.safetensors")["pairs"].long()


def draw_training_sums(count: int) -> Tensor:
    """Pairs int64 ``[count, 2]`` that may be trained on: none is held out, in either order. Always the same."""
    held_out = read_held_out_sums()
    allowed = torch.ones(1000, 1000, dtype=torch.bool)
    allowed[held_out[:, 0], held_out[:, 1]] = False
    allowed[held_out[:, 1], held_out[:, 0]] = False
    pairs = torch.randint(1000, (2 * count, 2), generator=torch.Generator().manual_seed(0))
    return pairs[allowed[pairs[:, 0], pairs[:, 1]]][:count]


def draw_vectors(count: int) -> Tensor:
    """Other vectors than :func:`read_vectors` gives, float32 ``[count, 5]``, standard normal. Always the same."""
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(1))


def read_vectors() -> Tensor:
    """64 vectors float32 ``[64, 5]`` of standard normal numbers, for the network that was never trained."""
    return read_tensors(SAMPLE_MODELS / "data" / "vectors.safetensors")["vectors"]
