"""The same numbers in the shapes in which people have them are the same samples; others stay as they are."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples.sample_files import read_samples
from pruning_explorer.sources.own_samples.sample_fit import fit_samples
from pruning_explorer.sources.own_samples.sample_set import SampleSet
from pruning_explorer.sources.samples import load_sample


def arrays(inputs: Tensor) -> SampleSet:
    return SampleSet("mine.npz", inputs=(inputs,), held=len(inputs))


class Images(nn.Module):
    """``[N, C, H, W]`` to ``[N, 2]``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 2, 3)

    def forward(self, images: Tensor) -> Tensor:
        return relu(self.conv(images)).mean((2, 3))


@pytest.mark.parametrize("shape", [(64,), (8, 8), (1, 8, 8), (8, 8, 1)])
@pytest.mark.parametrize("name", ["digits-cnn", "digits-mlp", "digits-gru", "digits-vit"])
def test_flat_rows_and_images_are_the_same_samples(name: str, shape: tuple[int, ...]) -> None:
    own = load_sample(name)
    judged = fit_samples(own, arrays(own.samples[0].reshape(-1, *shape)))
    assert torch.equal(judged.samples[0], own.samples[0])


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (8, 8, 1)])
def test_without_samples_the_first_layer_says_which_shape_it_takes(shape: tuple[int, ...]) -> None:
    own = load_sample("digits-cnn")
    images = own.samples[0]
    judged = fit_samples(Subject.from_module(own.model), arrays(images.reshape(-1, *shape)))
    assert torch.equal(judged.samples[0], images)
    flat = fit_samples(Subject.from_module(nn.Sequential(nn.Linear(64, 3))), arrays(images.reshape(-1, *shape)))
    assert torch.equal(flat.samples[0], images.flatten(1))


@pytest.mark.parametrize("now", [None, torch.zeros(1, 3, 6, 5)])
def test_channels_that_come_last_are_put_first_and_it_is_said(now: Tensor | None) -> None:
    images = torch.rand(4, 6, 5, 3)
    judged = fit_samples(Subject.from_module(Images(3), now), arrays(images))
    assert torch.equal(judged.samples[0], images.permute(0, 3, 1, 2))
    assert "Its channels, which come last in the file, are put first." in judged.about_samples
    as_they_are = fit_samples(Subject.from_module(Images(3), now), arrays(images.permute(0, 3, 1, 2)))
    assert torch.equal(as_they_are.samples[0], judged.samples[0])
    assert "put first" not in as_they_are.about_samples


def test_what_is_of_another_shape_is_refused_with_the_one_that_it_has() -> None:
    """Columns of an image of other sides, or three channels in one row, are not guessed."""
    own = Subject.from_module(Images(3), torch.zeros(1, 3, 6, 5))
    for shape in [(5, 6, 3), (3, 5, 6, 1)]:
        shown = str([4, *shape]).replace("[", r"\[").replace("]", r"\]")
        with pytest.raises(SubjectError, match=rf"mine\.npz holds float32 {shown}"):
            fit_samples(Subject.from_module(Images(4), torch.zeros(1, 4, 6, 5)), arrays(torch.rand(4, *shape)))
    assert fit_samples(own, arrays(torch.rand(4, 90))).samples[0].shape == (4, 3, 6, 5)


def written(path: Path, rows: list[list[object]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_bytes_are_said_wherever_they_come_from(tmp_path: Path) -> None:
    own = load_sample("digits-mlp")
    pixels = (own.samples[0][:9] * 255).round()
    rows = [[f"pixel{i}" for i in range(64)], *([int(value) for value in row] for row in pixels)]
    table = fit_samples(own, read_samples(written(tmp_path / "mine.csv", rows)))
    assert "Its whole numbers, 0 to 255, are given to the network as they are, not scaled" in table.about_samples
    np.savez(tmp_path / "mine.npz", x=pixels.to(torch.uint8).numpy())
    array = fit_samples(own, read_samples(tmp_path / "mine.npz"))
    assert "Its bytes, 0 to 255, are given to the network as they are, not scaled" in array.about_samples
    for dtype in (torch.int64, torch.float32, torch.float64):
        assert "0 to 255" in fit_samples(own, arrays(pixels.to(dtype))).about_samples


def test_numbers_that_are_no_bytes_are_not_called_so() -> None:
    own = load_sample("digits-mlp")
    scaled = own.samples[0][:9]
    for values in (scaled, scaled.round(), scaled * 255, (scaled * 255).round() - 9, (scaled * 300).round()):
        assert "not scaled" not in fit_samples(own, arrays(values)).about_samples
    few = fit_samples(Subject.from_module(nn.Linear(3, 2)), arrays(torch.tensor([[44.0, 1.0, 180.0]])))
    assert "not scaled" not in few.about_samples
