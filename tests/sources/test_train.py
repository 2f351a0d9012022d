"""The training script: the same seed gives the same weights, and no step sees what is held out."""

import importlib.util
import sys
from dataclasses import replace
from types import ModuleType

import pytest
import torch

from pruning_explorer.sources.sample_data import SAMPLE_MODELS, read_digits, read_held_out_sums
from pruning_explorer.sources.samples import sample_names


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train", SAMPLE_MODELS / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["train"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sample_names()[1:])
def test_a_few_steps_give_the_same_weights_twice(script: ModuleType, name: str) -> None:
    short = replace(script.HOW_TRAINED[name], steps=4, batch=8)
    with torch.random.fork_rng():
        (first, held_out), (second, _) = script.train(name, short), script.train(name, short)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert script.measure(first, held_out)["n"] == len(held_out[1])


def test_a_sample_with_one_wrong_digit_is_wrong(script: ModuleType) -> None:
    inputs = torch.eye(3)[torch.tensor([[0, 1], [0, 2], [1, 1]])]
    labels = torch.tensor([[0, 1], [0, 1], [1, 1]])
    assert script.measure(torch.nn.Identity(), (inputs, labels)) == {"fraction": 0.6667, "right": 2, "n": 3}


def test_training_sums_leave_out_the_held_out_ones_and_their_mirror_images(script: ModuleType) -> None:
    held_out = {tuple(pair) for pair in read_held_out_sums().tolist()}
    assert len(held_out) == 500
    draw, _ = script.sums()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        tokens, _ = draw(200_000)
    place = torch.tensor([100, 10, 1])
    first, second = (tokens[:, :3] * place).sum(dim=1), (tokens[:, 4:7] * place).sum(dim=1)
    drawn = set(zip(first.tolist(), second.tolist(), strict=True))
    assert len(drawn) > 150_000
    assert not drawn & held_out
    assert not drawn & {(second, first) for first, second in held_out}


def test_no_image_is_in_both_parts() -> None:
    training, held_out = (
        {image.numpy().tobytes() for image in read_digits(part)[0]} for part in ("training", "held out")
    )
    assert not training & held_out
