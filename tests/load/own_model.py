"""A small checkpoint for each visitor: all called alike, of the same shapes, and no weight the same."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from pruning_explorer import Subject
from pruning_explorer.sources.words import open_file

NAME = "mine"
FILE = f"{NAME}.pt"
"""As everybody calls theirs."""

_KEPT = TemporaryDirectory()
"""Weights are read when they are asked for, so the files stay until the tests end."""


def checkpoint_of(visitor: int) -> bytes:
    """A ``state_dict`` as ``torch.save`` writes it."""
    draw = torch.Generator().manual_seed(visitor)
    weights = {
        "fc1.weight": torch.randn(48, 64, generator=draw),
        "fc1.bias": torch.randn(48, generator=draw),
        "fc2.weight": torch.randn(10, 48, generator=draw),
    }
    file = BytesIO()
    torch.save(weights, file)
    return file.getvalue()


def model_of(visitor: int) -> Subject:
    """What a visitor's checkpoint is, opened here."""
    folder = Path(_KEPT.name) / str(visitor)
    path = folder / FILE
    if not path.exists():
        folder.mkdir(exist_ok=True)
        path.write_bytes(checkpoint_of(visitor))
    return open_file(path, name=NAME)
