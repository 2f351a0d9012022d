"""Lesson 4 against torch: masks of both kinds on one layer, what it then says, and what BatchNorm makes of zeros."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning_explorer import compute_masks, load_subject
from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.catalog import built_in_catalog
from pruning_explorer.lessons.lesson import begins_at
from pruning_explorer.lessons.scenes.weights_or_neurons import WEIGHTS_OR_NEURONS
from pruning_explorer.lessons.stages import stage_of
from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.torch_alone import FILES, digits, trained

TITLES = ("Single weights", "Whole neurons")
SAYS = "What fc1 says on 64 samples, from lowest to highest"
BEHIND = "Behind BatchNorm: bn1 of digits-cnn, whole filters removed"


def under(title: str, percent: int) -> nn.Linear:
    """The first layer, pruned by torch."""
    layer = trained("tutorial-mlp").fc1
    assert isinstance(layer, nn.Linear)
    if title == "Single weights":
        prune.l1_unstructured(layer, "weight", amount=percent / 100)
    else:
        prune.ln_structured(layer, "weight", amount=percent / 100, n=2, dim=0)
    return layer


def says(layer: nn.Linear) -> Tensor:
    """From lowest to highest of each neuron, ``[2, R]``."""
    outputs = layer(load_file(FILES / "data" / "vectors.safetensors")["vectors"]).detach()
    return torch.stack([outputs.amin(dim=0), outputs.amax(dim=0)])


def behind_batchnorm(percent: int) -> tuple[list[bool], Tensor]:
    """Which filters are gone, and the maps of all samples ``[N, 16, 8, 8]``."""
    network = trained("digits-cnn")
    prune.ln_structured(network.conv1, "weight", amount=percent / 100, n=2, dim=0)
    with torch.no_grad():
        maps = network.bn1(network.conv1(digits()[0][:, None]))
    return (network.conv1.weight_mask.flatten(1).sum(dim=1) == 0).tolist(), maps


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.fixture(scope="module")
def page() -> LearnPage:
    page = LearnPage("weights-or-neurons")
    page.answer(1)
    return page


@pytest.mark.parametrize("title", TITLES)
def test_the_holes_and_rows_are_torchs(page: LearnPage, title: str) -> None:
    panel = page.panel(title)
    assert np.array(panel["values"]) == pytest.approx(trained("tutorial-mlp").fc1.weight.detach().numpy(), abs=0.0006)
    for percent in range(101):
        gone = under(title, percent).weight_mask == 0
        assert np.array_equal(np.array(panel["leaves"]) <= percent, gone.numpy()), percent


def test_what_is_left_is_counted_in_torchs_masks(page: LearnPage) -> None:
    rows = page.panel("What is left")["rows"]
    for percent in (0, 25, 37, 50, 75, 87, 100):
        masks = [under(title, percent).weight_mask for title in TITLES]
        empty = [int((mask.sum(dim=1) == 0).sum()) for mask in masks]
        assert rows[percent] == [
            ["Weights removed", *(str(int((mask == 0).sum())) for mask in masks)],
            ["Rows without a weight", *map(str, empty)],
            ["Shape under the mask", "4 × 5", "4 × 5"],
            ["Shape once empty rows are cut out", *(f"{4 - each} × 5" for each in empty)],
        ]


@pytest.mark.parametrize("percent", [0, 25, 50, 75, 100])
def test_what_each_neuron_says_is_what_the_layer_gives(page: LearnPage, percent: int) -> None:
    bias = trained("tutorial-mlp").fc1.bias.tolist()
    expected = [says(under(*each)) for each in (("Single weights", 0), *((title, percent) for title in TITLES))]
    for neuron, row in enumerate(page.panel(SAYS)["rows"][percent]):
        assert row[0] == f"out {neuron}"
        assert number(row[1]) == pytest.approx(bias[neuron], rel=0.005)
        for written, (low, high) in zip(row[2:], (each[:, neuron].tolist() for each in expected), strict=True):
            if low == high:
                assert written.endswith(" always")
                assert number(written.removesuffix(" always")) == pytest.approx(low, rel=0.005)
                assert low == bias[neuron]
            else:
                assert [number(part) for part in written.split(" to ")] == pytest.approx([low, high], rel=0.005)


@pytest.mark.parametrize("percent", [0, 25, 50, 100])
def test_a_filter_of_zeros_is_one_number_behind_batchnorm(page: LearnPage, percent: int) -> None:
    gone, maps = behind_batchnorm(percent)
    panel = page.panel(BEHIND)
    assert panel["marked"][percent] == gone
    assert sum(gone) == round(percent / 100 * 16)
    for index, caption in enumerate(panel["captions"][percent]):
        low, high = maps[:, index].min().item(), maps[:, index].max().item()
        assert (low == high) == gone[index]
        if gone[index]:
            written = caption.removeprefix(f"filter {index}: ").removesuffix(" always")
            assert number(written) == pytest.approx(low, rel=0.005)
        else:
            assert caption == f"filter {index}"


def test_the_truth_says_what_torch_gives(page: LearnPage) -> None:
    text = " ".join(page.text.split())
    first = int((under("Whole neurons", 25).weight_mask.sum(dim=1) == 0).nonzero()[0])
    holes = under("Single weights", 25).weight_mask
    assert f"All weights of neuron out {first} are removed." in text
    assert f"they leave holes in {int((holes == 0).any(dim=1).sum())} rows" in text
    assert f"and {int((holes.sum(dim=1) == 0).sum())} rows are without a weight" in text
    low, high = says(under("Single weights", 0))[:, first].tolist()
    bias = trained("tutorial-mlp").fc1.bias[first].item()
    assert f"went from {low:.3f} to {high:.2f} to **{bias:.3f} always**: it is dead".replace("-", "−") in text
    assert f"the mask leaves it: {bias:.3f}." in text
    gone, maps = behind_batchnorm(50)
    constants = maps[0, gone, 0, 0]
    alike = int((maps[:, gone].amin(dim=(0, 2, 3)) == maps[:, gone].amax(dim=(0, 2, 3))).sum())
    assert f"At 50 %, {alike} of {sum(gone)} removed filters say one number always" in text
    assert f"from {constants.min():.3f} to {constants.max():.3f}; ".replace("-", "−") in text
    assert f"{int((constants > 0).sum())} of these numbers are above 0" in text


def test_a_cut_changes_nothing_where_the_constant_is_folded_into_the_next_biases() -> None:
    network = trained("tutorial-mlp")
    prune.ln_structured(network.fc1, "weight", amount=0.25, n=2, dim=0)
    prune.remove(network.fc1, "weight")
    kept = network.fc1.weight.abs().sum(dim=1) > 0
    samples = load_file(FILES / "data" / "vectors.safetensors")["vectors"]
    with torch.no_grad():
        dead = network.fc1.bias[~kept].relu()
        assert dead.min() > 0
        masked, reads = network(samples), network.fc2.weight
        hidden = (samples @ network.fc1.weight[kept].T + network.fc1.bias[kept]).relu()
        folded = hidden @ reads[:, kept].T + network.fc2.bias + reads[:, ~kept] @ dead
        dropped = hidden @ reads[:, kept].T + network.fc2.bias
    torch.testing.assert_close(folded, masked)
    assert (dropped - masked).abs().max() > 0.01


def test_it_opens_where_nothing_is_removed_yet() -> None:
    assert begins_at(built_in_catalog().lessons["weights-or-neurons"], "amount") == 0


@pytest.mark.parametrize("percent", [0, 25, 60])
def test_explore_opens_with_the_rows(percent: int) -> None:
    subject = load_subject("tutorial-mlp")
    recipe = stage_of(subject, WEIGHTS_OR_NEURONS, {}).recipe(percent)
    assert torch.equal(compute_masks(subject, recipe)["fc1.weight"], under("Whole neurons", percent).weight_mask.bool())


@pytest.mark.parametrize("name", ["digits-mlp", "digits-gru"])
def test_a_network_that_cannot_be_followed_is_refused(name: str) -> None:
    with pytest.raises(LessonError, match="choose a network"):
        WEIGHTS_OR_NEURONS.build(load_subject(name), {})
