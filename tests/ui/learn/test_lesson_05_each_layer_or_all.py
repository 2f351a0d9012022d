"""Lesson 5 against torch: columns and weights, ranked by layer and all together, and a cap as a loop."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils import prune

from pruning_explorer import compute_masks, load_subject
from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.scenes.each_or_all import EACH_OR_ALL
from pruning_explorer.lessons.stages import stage_of
from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.torch_alone import digits, logits_of, trained

LAYERS = ("fc1", "fc2", "fc3")
STOPS = (0, 10, 22, 25, 60, 90, 99, 100)
Masks = dict[str, Tensor]


def weights() -> Masks:
    network = trained("digits-mlp")
    return {name: network.get_submodule(name).weight.detach() for name in LAYERS}


def columns_of_each(percent: int) -> Masks:
    network = trained("digits-mlp")
    for name in LAYERS:
        prune.ln_structured(network.get_submodule(name), "weight", amount=percent / 100, n=1, dim=1)
    return {name: network.get_submodule(name).weight_mask for name in LAYERS}


def columns_of_all(percent: int, cap: float = 1) -> Masks:
    """The columns of all layers from the smallest sum on; a layer that has lost its share is passed over."""
    matrices = weights()
    columns = [
        (float(matrix[:, i].abs().sum()), name, i) for name, matrix in matrices.items() for i in range(matrix.shape[1])
    ]
    masks, left = (
        {name: torch.ones_like(matrix) for name, matrix in matrices.items()},
        round(percent / 100 * len(columns)),
    )
    quota = {name: math.floor(round(cap * 100) * matrix.shape[1] / 100) for name, matrix in matrices.items()}
    for _, name, i in sorted(columns):
        if left and quota[name]:
            masks[name][:, i] = 0
            left, quota[name] = left - 1, quota[name] - 1
    return masks


def weights_of_each(percent: int) -> Masks:
    network = trained("digits-mlp")
    for name in LAYERS:
        prune.l1_unstructured(network.get_submodule(name), "weight", amount=percent / 100)
    return {name: network.get_submodule(name).weight_mask for name in LAYERS}


def weights_of_all(percent: int) -> Masks:
    network = trained("digits-mlp")
    layers = [(network.get_submodule(name), "weight") for name in LAYERS]
    prune.global_unstructured(layers, pruning_method=prune.L1Unstructured, amount=percent / 100)
    return {name: network.get_submodule(name).weight_mask for name in LAYERS}


def weights_under_cap(percent: int, cap: float) -> Masks:
    """The smallest weights of all layers; one whose layer has lost its share is passed over."""
    sizes = {name: matrix.abs().flatten() for name, matrix in weights().items()}
    allowed = {name: math.floor(round(cap * 100) * len(size) / 100) for name, size in sizes.items()}
    for name, size in sizes.items():
        size[size.argsort()[allowed[name] :]] = torch.inf
    wanted = min(round(percent / 100 * sum(map(len, sizes.values()))), sum(allowed.values()))
    mask = torch.ones(sum(map(len, sizes.values())))
    mask[torch.cat(list(sizes.values())).argsort()[:wanted]] = 0
    parts = mask.split([len(size) for size in sizes.values()])
    return {name: part.view_as(matrix) for (name, matrix), part in zip(weights().items(), parts, strict=True)}


def accuracy(masks: Masks) -> float:
    network = trained("digits-mlp")
    for name, mask in masks.items():
        prune.custom_from_mask(network.get_submodule(name), "weight", mask)
    images, labels = digits()
    return float((logits_of(network, images.flatten(1)).argmax(dim=1) == labels).double().mean())


def gone(masks: Masks) -> float:
    return sum(float((mask == 0).sum()) for mask in masks.values()) / sum(mask.numel() for mask in masks.values())


def percent_of(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


WAYS: dict[tuple[str, str], Callable[[int], Masks]] = {
    ("inputs", "Each layer by itself"): columns_of_each,
    ("inputs", "All together"): columns_of_all,
    ("inputs", "All together, with the cap"): lambda percent: columns_of_all(percent, 0.95),
    ("weights", "Each layer by itself"): weights_of_each,
    ("weights", "All together"): weights_of_all,
    ("weights", "All together, with the cap"): lambda percent: weights_under_cap(percent, 0.95),
}


@pytest.fixture(scope="module")
def page() -> LearnPage:
    page = LearnPage("each-layer-or-all")
    page.answer(1)
    return page


@pytest.mark.parametrize(("group", "way"), WAYS)
def test_bars_curves_and_figures_are_torchs(page: LearnPage, group: str, way: str) -> None:
    page.set(group=group)
    bars = page.panel(way)
    assert bars["names"] == list(LAYERS)
    assert bars["weights"] == [19200, 30000, 1000]
    curves = page.panel("Accuracy as more goes")
    assert curves["growing"], "drawn in full they would answer the question"
    curve = next(each for each in curves["series"] if each["name"] == way)
    for percent in STOPS:
        masks = WAYS[group, way](percent)
        assert bars["kept"][percent] == pytest.approx([float(masks[name].mean()) for name in LAYERS], abs=1e-6)
        assert curve["values"][percent] == pytest.approx(100 * accuracy(masks), rel=1e-4)
        assert page.figure(f"Accuracy, {way.lower()}", percent) == percent_of(accuracy(masks))
        assert page.figure(f"Weights gone, {way.lower()}", percent) == percent_of(gone(masks))


@pytest.mark.parametrize("cap", ["0.95", "0.9", "0.8"])
def test_no_layer_is_emptied_under_a_cap(page: LearnPage, cap: str) -> None:
    page.set(group="inputs", cap=cap)
    bars = page.panel("All together, with the cap")
    assert bars["cap"] == float(cap)
    assert np.array(bars["kept"]).min() >= 1 - float(cap) - 1e-6
    for percent in STOPS:
        masks = columns_of_all(percent, float(cap))
        assert bars["kept"][percent] == pytest.approx([float(masks[name].mean()) for name in LAYERS], abs=1e-6)


def test_the_last_layer_collapses_where_the_question_says(page: LearnPage) -> None:
    begins = next(percent for percent in range(101) if columns_of_all(percent)["fc3"].sum() == 0)
    assert begins < 30
    assert f"in one ranking, and {begins} % of them go, without a cap. What is left of fc3?" in " ".join(
        page.text.split()
    )
    before, after = (columns_of_all(percent)["fc3"].mean() for percent in (begins - 1, begins))
    assert before > 0 == after
    images, _ = digits()
    network = trained("digits-mlp")
    for name, mask in columns_of_all(begins).items():
        prune.custom_from_mask(network.get_submodule(name), "weight", mask)
    assert torch.equal(logits_of(network, images.flatten(1)), network.fc3.bias.expand(len(images), -1))


def test_the_truth_says_what_torch_gives(page: LearnPage) -> None:
    page.set(group="weights", cap="0.9")  # the truth speaks of both groups and of two caps, whatever is shown
    text = " ".join(page.text.split())
    each, together = columns_of_each(25), columns_of_all(25)
    loose, tight = columns_of_all(25, 0.95), columns_of_all(25, 0.8)
    assert f"At 25 % of all columns, accuracy is {percent_of(accuracy(together))}, though only" in text
    assert f"though only {percent_of(gone(together))} of the weights have gone." in text
    assert f"loses {percent_of(gone(each))} of the weights, and accuracy is {percent_of(accuracy(each))}." in text
    caps = [percent_of(accuracy(masks)) for masks in (loose, tight)]
    assert f"at 25 %, accuracy is {caps[0]} with a cap of 95 %, and {caps[1]} with 80 %." in text
    both = [percent_of(accuracy(way(90))) for way in (weights_of_all, weights_of_each)]
    assert f"at 90 %, accuracy is {both[0]}, and {both[1]} with each layer by itself." in text
    unfair, fair = weights_under_cap(90, 0.8), weights_under_cap(90, 0.95)
    assert f"Under a cap of 80 % it is {percent_of(accuracy(unfair))}, but" in text
    assert f"{percent_of(gone(unfair))} of the weights are removed where 90 % were asked for." in text
    assert f"With 95 % all that was asked for goes, and accuracy is {percent_of(accuracy(fair))}." in text
    assert gone(fair) == pytest.approx(0.9)
    assert [float(mask.mean()) for mask in unfair.values()] == pytest.approx([0.2] * 3), "all have come to their cap"
    assert accuracy(together) < accuracy(loose) < accuracy(tight) < accuracy(each)
    assert accuracy(weights_of_all(90)) > accuracy(weights_of_each(90))
    assert "A column has 300 weights in fc1, and only 10 in fc3." in text


def test_explore_opens_with_all_together() -> None:
    subject = load_subject("digits-mlp")
    masks = compute_masks(subject, stage_of(subject, EACH_OR_ALL, {}).recipe(25))
    assert all(torch.equal(masks[f"{name}.weight"], mask.bool()) for name, mask in columns_of_all(25).items())


def test_a_network_without_labels_is_refused() -> None:
    with pytest.raises(LessonError, match="choose a network with labels"):
        EACH_OR_ALL.build(load_subject("tutorial-mlp"), {"group": "inputs", "cap": "0.9"})
