"""Lesson 2: every number of it, from torch alone."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.pruned_alone import (
    PERCENTS,
    answers,
    grid,
    layers_of,
    percent_of,
    pruned,
    smallest_of_each,
)
from tests.ui.learn.torch_alone import FILES, spirals, trained

POINTS, LABELS = spirals()


@pytest.fixture(scope="module")
def lesson() -> LearnPage:
    page = LearnPage("what-it-still-knows", amount="0.45")
    page.answer(1)
    return page


@pytest.fixture(scope="module")
def given() -> torch.Tensor:
    """The answer to each sample at every percent, ``[101, 300]``."""
    return torch.stack([answers(pruned("spirals-mlp", smallest_of_each(percent)), POINTS) for percent in PERCENTS])


def test_the_curve_and_the_figures(lesson: LearnPage, given: torch.Tensor) -> None:
    curve = lesson.panel("Accuracy over the amount")
    right, flips = given == LABELS, (given != given[0]).sum(dim=1)
    assert curve["growing"]
    np.testing.assert_allclose(curve["series"][0]["values"], 100 * right.double().mean(dim=1), atol=0.051)
    assert curve["lines"] == [["guessing", pytest.approx(100 * int(LABELS.bincount().max()) / len(LABELS), abs=0.05)]]
    figures = {each["label"]: each["values"] for panel in lesson.panels for each in panel.get("figures", ())}
    for percent in PERCENTS:
        masks = [module.weight_mask for module, _ in layers_of(pruned("spirals-mlp", smallest_of_each(percent)))]
        assert figures["Accuracy"][percent] == percent_of(right[percent])
        assert figures["Flipped"][percent] == str(int(flips[percent]))
        assert figures["Removed"][percent] == str(sum(int((mask == 0).sum()) for mask in masks))


def test_the_network_is_drawn_as_it_is_and_its_edges_leave_as_torch_removes_them(lesson: LearnPage) -> None:
    picture = lesson.panel("The network")
    assert [len(column) for column in picture["columns"]] == [2, 16, 16, 3]
    assert picture["columns"][0] == ["x1", "x2"]
    assert picture["columns"][3] == ["arm 0", "arm 1", "arm 2"]
    for drawn, (module, _) in zip(picture["layers"], layers_of(trained("spirals-mlp")), strict=True):
        np.testing.assert_allclose(drawn["values"], module.weight.detach(), atol=1e-4)
    for percent in (0, 1, 20, 45, 73, 100):
        layers = layers_of(pruned("spirals-mlp", smallest_of_each(percent)))
        for drawn, (module, _) in zip(picture["layers"], layers, strict=True):
            assert (np.array(drawn["leaves"]) > percent).tolist() == module.weight_mask.bool().tolist()


def test_the_regions_are_its_answers(lesson: LearnPage) -> None:
    panel = lesson.panel("What it answers")
    plane = grid(panel["extent"], panel["size"])
    assert plane.min(dim=0).values.lt(POINTS.min(dim=0).values).all()
    assert plane.max(dim=0).values.gt(POINTS.max(dim=0).values).all()
    for percent in (0, 27, 45, 80, 100):
        found = answers(pruned("spirals-mlp", smallest_of_each(percent)), plane)
        assert panel["answers"][percent].ravel().tolist() == found.tolist()
    np.testing.assert_allclose(panel["points"], POINTS, atol=1e-3)
    assert panel["labels"] == LABELS.tolist()


def test_the_sentences_say_what_torch_says(lesson: LearnPage, given: torch.Tensor) -> None:
    text = " ".join(lesson.text.split())
    right, flips = given == LABELS, (given != given[0]).sum(dim=1)
    (last,) = given[100].unique().tolist()
    lost = right[0].double().mean() - right.double().mean(dim=1)
    first_flip, breaks = int((flips > 0).nonzero()[0]), int((lost > 0.05 + 1e-9).nonzero()[0])
    assert f"with all its 336 weights, accuracy on 300 samples is {percent_of(right[0])}" in text
    assert f"one answer is left, arm {last}, and accuracy is {percent_of(right[100])}" in text
    assert f"the commonest answer is worth: {percent_of(LABELS.mode().values == LABELS)}." in text
    assert f"The first answer flips at: {first_flip} %. More than five points are lost at: {breaks} %." in text
    worst = int(right.sum(dim=1).argmin())
    assert right[worst].sum() < LABELS.bincount().max(), "below what always giving one answer is worth"
    assert f"The lowest accuracy of all is {percent_of(right[worst])}, at: {worst} %." in text
    assert f"What is left answers arm {last} to all" in text


def test_without_labels_it_is_agreement_with_the_dense_network() -> None:
    page = LearnPage("what-it-still-knows", network="tutorial-mlp", amount="0.8")
    (vectors,) = load_file(FILES / "data" / "vectors.safetensors").values()
    given = torch.stack([answers(pruned("tutorial-mlp", smallest_of_each(each)), vectors) for each in PERCENTS])
    agrees = given == given[0]
    curve = page.panel("Agreement over the amount")
    np.testing.assert_allclose(curve["series"][0]["values"], 100 * agrees.double().mean(dim=1), atol=0.051)
    assert page.figure("Agreement", 80) == percent_of(agrees[80])
    assert curve["lines"] == []
    assert [len(column) for column in page.panel("The network")["columns"]] == [5, 4, 3]


def test_a_network_too_large_to_be_drawn_says_so_and_shows_the_rest() -> None:
    page = LearnPage("what-it-still-knows", network="digits-mlp")
    (note,) = [panel["note"] for panel in page.panels if panel["kind"] == "figures"]
    assert note.startswith("There is no picture of the network: digits-mlp cannot be drawn as nodes and edges: it has")
    assert [panel["kind"] for panel in page.panels] == ["figures", "curves"]
    assert page.errors == []
