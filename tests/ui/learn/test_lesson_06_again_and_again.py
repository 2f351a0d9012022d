"""Lesson 6 against torch: the same calls on the same layer, and steps written out as loops."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import prune

from pruning_explorer import compute_masks, load_subject
from pruning_explorer.lessons.scenes.again_and_again import AGAIN_AND_AGAIN
from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.torch_alone import run_lines, spirals, trained

AMOUNTS = {"0.5": 0.5, "0.2": 0.2, "1": 1, "1.0": 1.0}


def masks_after_calls(amount: float) -> list[Tensor]:
    """Before the first call, and after each of five."""
    layer = trained("tutorial-mlp").fc1
    masks = [torch.ones(4, 5)]
    for _ in range(5):
        prune.l1_unstructured(layer, "weight", amount=amount)
        masks.append(layer.weight_mask.clone())
    return masks


def help_of(lesson: LearnPage, label: str) -> str:
    figures = next(panel["figures"] for panel in lesson.panels if panel["kind"] == "figures")
    return str(next(each["help"] for each in figures if each["label"] == label))


@pytest.fixture(scope="module")
def lesson() -> LearnPage:
    return LearnPage("again-and-again", times="2")


@pytest.mark.parametrize("written", AMOUNTS)
def test_after_each_call_torch_has_removed_what_is_struck_out(lesson: LearnPage, written: str) -> None:
    lesson.set(amount=written)
    panel, masks = lesson.panel("weight_orig"), masks_after_calls(AMOUNTS[written])
    assert np.array(panel["values"]) == pytest.approx(trained("tutorial-mlp").fc1.weight.detach().numpy(), abs=0.0006)
    for times, mask in enumerate(masks):
        removed = int((mask == 0).sum())
        before = int((masks[max(0, times - 1)] == 0).sum())
        assert np.array_equal(np.array(panel["leaves"]) <= times, mask.numpy() == 0)
        assert lesson.figure("Removed in all", times) == str(removed)
        assert lesson.figure("Removed by this call", times) == str(removed - before)
        assert lesson.figure("Left", times) == str(20 - removed)
        if times and before < 20:
            found, help = 20 - before, help_of(lesson, "Removed by this call")
            took = {"half": found / 2, "a fifth": found / 5, "one": 1, "all": found}
            said = [words for words in took if f": {words} " in f"{help} "]
            assert len(said) == 1
            assert removed - before == round(took[said[0]]), help
        assert lesson.figure("Sparsity", times) == f"{removed * 5}.0 %"


@pytest.mark.parametrize("written", AMOUNTS)
def test_each_line_of_code_gives_what_it_says(lesson: LearnPage, written: str) -> None:
    lesson.set(amount=written)
    for times, text in enumerate(lesson.panel("The same in torch")["texts"]):
        held = run_lines(text, model=trained("tutorial-mlp"))
        assert held == (2 if times > 1 else 1)
        assert text.count(f"amount={written})") == times


@pytest.mark.parametrize("written", AMOUNTS)
def test_explore_opens_with_the_very_mask(written: str) -> None:
    subject = load_subject("tutorial-mlp")
    stage = AGAIN_AND_AGAIN.build(subject, {"amount": written})
    for times, mask in enumerate(masks_after_calls(AMOUNTS[written])):
        assert torch.equal(compute_masks(subject, stage.recipe(times))["fc1.weight"], mask.bool())


def magnitude(network: nn.Module, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    return {name: each.detach().abs() for name, each in weights_of(network).items()}


def gradient(network: nn.Module, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    network.zero_grad()
    cross_entropy(network(inputs), labels).backward()
    return {name: (each * each.grad).detach().abs() for name, each in weights_of(network).items()}


def weights_of(network: nn.Module) -> dict[str, nn.Parameter]:
    return {name: each for name, each in network.named_parameters() if name.endswith("weight")}


def removed_in_steps(judge: Callable[..., dict[str, Tensor]], steps: int, to: float) -> dict[str, Tensor]:
    """Each step removes the same fraction of what is left, and judges the rest anew."""
    network, (points, arms) = trained("spirals-mlp"), spirals(held_out=False)
    seen = torch.arange(256) * len(points) // 256
    gone = {name: torch.zeros_like(each, dtype=torch.bool) for name, each in weights_of(network).items()}
    for step in range(1, steps + 1):
        scores = judge(network, points[seen], arms[seen])
        for name, each in weights_of(network).items():
            order = torch.where(gone[name], -1.0, scores[name]).flatten().argsort()
            gone[name].view(-1)[order[: round((1 - (1 - to) ** (step / steps)) * each.numel())]] = True
            each.data[gone[name]] = 0
    return gone


def test_steps_choose_as_a_loop_of_torch_does(lesson: LearnPage) -> None:
    table = next(panel for panel in lesson.panels if panel["kind"] == "table")
    by_judge = {row[0]: row[1:] for row in table["rows"][2]}
    told = {"Magnitude": magnitude, "Gradient × weight": gradient}
    assert by_judge.keys() == told.keys()
    for title, judge in told.items():
        at_once, in_steps = (removed_in_steps(judge, steps, 0.75) for steps in (1, 2))
        others = sum(int((at_once[name] & ~in_steps[name]).sum()) for name in at_once)
        assert by_judge[title] == [str(sum(int(each.sum()) for each in at_once.values())), str(others)]
        assert (others == 0) is (title == "Magnitude")


def test_the_truth_tells_what_torch_did() -> None:
    page = LearnPage("again-and-again", times="2")
    page.answer(1)
    assert "Right." in page.text
    gone = [int((mask == 0).sum()) for mask in masks_after_calls(0.5)]
    words = " ".join(page.text.split())
    told = f"The first call with 0.5 removes {gone[1]} of 20, the second {gone[2] - gone[1]} of the {20 - gone[1]}"
    assert told in words
    assert f"that are left: {gone[2] / 20:.1%}".replace("%", " %") in words
    assert f"finds {20 - gone[2]} weights and removes {gone[3] - gone[2]} " in words
    one, everything = (int((masks_after_calls(amount)[1] == 0).sum()) for amount in (1, 1.0))
    assert f"`amount=1` removes {one} weight at every call; `amount=1.0` removes all {everything} at the first" in words
    assert [int((mask == 0).sum()) for mask in masks_after_calls(1)] == [one * times for times in range(6)]
