"""Lesson 1: every number of it, from torch alone."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from pruning_explorer.lessons.catalog import built_in_catalog
from pruning_explorer.lessons.lesson import begins_at
from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.pruned_alone import PERCENTS
from tests.ui.learn.torch_alone import trained


@pytest.fixture(scope="module")
def lesson() -> LearnPage:
    opened = LearnPage("a-mask")
    opened.answer(1)
    return opened


def cut(percent: int) -> nn.Module:
    """The first layer of the tutorial network, pruned as the lesson does."""
    layer = trained("tutorial-mlp").get_submodule("fc1")
    prune.l1_unstructured(layer, "weight", amount=percent / 100)
    return layer


def test_the_matrices_are_what_torch_leaves_on_the_module(lesson: LearnPage) -> None:
    original, mask, product = (lesson.panel(name) for name in ("weight_orig", "weight_mask", "weight"))
    assert (original["look"], mask["look"], product["look"]) == ("struck", "mask", "zeroed")
    figures = {each["label"]: each["values"] for panel in lesson.panels for each in panel.get("figures", ())}
    for percent in PERCENTS:
        layer = cut(percent)
        kept = [np.array(each["leaves"]) > percent for each in (original, mask, product)]
        assert all(each.tolist() == layer.weight_mask.bool().tolist() for each in kept)
        np.testing.assert_allclose(original["values"], layer.weight_orig.detach(), atol=0.0006)
        shown = np.where(kept[2], product["values"], 0.0)
        np.testing.assert_allclose(shown, layer.weight.detach(), atol=0.0006)
        assert figures["Removed"][percent] == str(int((layer.weight_mask == 0).sum()))
        assert figures["Kept"][percent] == str(int(layer.weight_mask.sum()))
    assert figures["Shape"] == [" × ".join(map(str, layer.weight.shape))]


def test_the_smallest_go_one_by_one(lesson: LearnPage) -> None:
    """In the order of |w|, one every 5 %."""
    weight = trained("tutorial-mlp").get_parameter("fc1.weight")
    leaves = torch.tensor(lesson.panel("weight_orig")["leaves"])
    assert leaves.flatten().argsort().tolist() == weight.abs().flatten().argsort().tolist()
    assert leaves.unique().numel() == weight.numel()


def test_no_weight_reads_as_if_it_were_gone(lesson: LearnPage) -> None:
    for name in ("weight_orig", "weight"):
        panel = lesson.panel(name)
        assert panel["digits"] == 3
        assert all(f"{abs(value):.3f}" != "0.000" for row in panel["values"] for value in row)


def test_it_opens_where_nothing_is_removed_yet(lesson: LearnPage) -> None:
    assert begins_at(built_in_catalog().lessons["a-mask"], "amount") == 0
    assert min(min(row) for row in lesson.panel("weight_orig")["leaves"]) > 0


def test_the_sentences_say_what_torch_says(lesson: LearnPage) -> None:
    fifth, half = ((cut(percent).weight_mask == 0).sum(dim=1) for percent in (20, 50))
    text = " ".join(lesson.text.split())
    by_row = ", ".join(map(str, fifth.tolist()))
    assert f"at 20 % of 20 weights, {int(fifth.sum())} are removed in all, and by row that is {by_row}" in text
    assert f"at 50 % it is {', '.join(map(str, half.tolist()))}. The matrix is still 4 × 5" in text
    assert "The matrix has 4 × 5 = 20 weights" in lesson.app.radio[0].label
    assert lesson.app.radio[0].options[1] == "The 4 smallest of all 20 weights, wherever they are"


def test_the_code_does_what_is_shown(lesson: LearnPage) -> None:
    """It is run, as it stands, on the network."""
    for percent in (0, 20, 35, 100):
        names: dict[str, Any] = {"model": trained("tutorial-mlp")}
        exec(lesson.panel("The same in torch")["texts"][percent], names)
        assert torch.equal(names["model"].fc1.weight_mask, cut(percent).weight_mask)
