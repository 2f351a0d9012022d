"""Makes the four data files in data/ from seeds. They are committed; this shows where they came from.

Needs scikit-learn, which neither the app nor train.py does: python sample_models/make_data.py
"""

import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

DATA = Path(__file__).parent / "data"


def held_out_fifth(labels: np.ndarray) -> Tensor:
    """True for a fifth of the samples, drawn with each class in its proportion. Bool ``[N]``."""
    count = len(labels)
    _, chosen = train_test_split(np.arange(count), test_size=math.ceil(count / 5), stratify=labels, random_state=0)
    held_out = torch.zeros(count, dtype=torch.bool)
    held_out[torch.from_numpy(chosen)] = True
    return held_out


def digits() -> dict[str, Tensor]:
    data = load_digits()
    return {
        "images": torch.from_numpy(data.images.astype(np.uint8)),
        "labels": torch.from_numpy(data.target.astype(np.int64)),
        "held_out": held_out_fifth(data.target),
    }


def spirals(per_arm: int = 500, turns: float = 0.9, noise: float = 0.025) -> dict[str, Tensor]:
    """Three arms that wind around the origin, with normal noise on every point."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(3).repeat_interleave(per_arm)
    # Square root: as many points per length of arm outside as inside
    radius = 0.08 + 0.92 * torch.rand(3 * per_arm, generator=generator).sqrt()
    angle = 2 * math.pi * (turns * radius + labels / 3)
    points = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    points += noise * torch.randn(points.shape, generator=generator)
    return {"points": points, "labels": labels, "held_out": held_out_fifth(labels.numpy())}


def sums(count: int = 500) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randperm(1_000_000, generator=generator)[:count]
    return {"pairs": torch.stack([drawn // 1000, drawn % 1000], dim=1).to(torch.int16)}


def vectors(count: int = 64) -> dict[str, Tensor]:
    return {"vectors": torch.randn(count, 5, generator=torch.Generator().manual_seed(0))}


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    for make in (digits, spirals, sums, vectors):
        save_file(make(), DATA / f"{make.__name__}.safetensors")
