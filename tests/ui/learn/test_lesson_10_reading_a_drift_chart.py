"""Lesson 10 against torch: every stop of the slider pruned by the library, and every measure written out."""

import base64
import copy
import io
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils import prune

from tests.ui.learn.learn_page import LearnPage
from tests.ui.learn.torch_alone import digits, logits_of, trained

STOPS = [step / 100 for step in range(101)]


@dataclass(frozen=True)
class Told:
    """What is expected at one stop."""

    answers: Tensor
    right: int
    flips: int
    lost: int
    gained: int
    kl: float
    sqnr: float


@cache
def dense_network() -> nn.Module:
    return trained("digits-cnn")


@cache
def inputs() -> tuple[Tensor, Tensor]:
    images, labels = digits()
    return images.unsqueeze(1), labels


def layers(network: nn.Module) -> list[tuple[nn.Module, str]]:
    return [(module, "weight") for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def pruned_logits(amount: float, scope: str) -> Tensor:
    network = copy.deepcopy(dense_network())
    if scope == "global":
        prune.global_unstructured(layers(network), prune.L1Unstructured, amount=amount)
    else:
        for module, name in layers(network):
            prune.l1_unstructured(module, name, amount=amount)
    return logits_of(network, inputs()[0])


@cache
def dense() -> tuple[Tensor, Tensor, Tensor]:
    """Logits, answers, labels."""
    images, labels = inputs()
    logits = logits_of(dense_network(), images)
    return logits.double(), logits.argmax(dim=1), labels


@cache
def expected(amount: float, scope: str) -> Told:
    before, said, labels = dense()
    after = pruned_logits(amount, scope).double()
    says = after.argmax(dim=1)
    chances = before.softmax(dim=1)
    return Told(
        says,
        int((says == labels).sum()),
        int((says != said).sum()),
        int(((said == labels) & (says != labels)).sum()),
        int(((said != labels) & (says == labels)).sum()),
        float((chances * (chances.log() - after.log_softmax(dim=1))).sum(dim=1).mean()),
        float(10 * torch.log10(before.square().sum() / (before - after).square().sum())),
    )


def example(scope: str = "global") -> float:
    """Where the most answers flip while as many are right as before; the first such place."""
    right = int((dense()[1] == dense()[2]).sum())
    same = [amount for amount in STOPS if expected(amount, scope).right == right]
    return max(same, key=lambda amount: expected(amount, scope).flips)


def quiet(scope: str = "global") -> float:
    """The last place up to which no answer has flipped."""
    return max(amount for amount in STOPS if not any(expected(each, scope).flips for each in STOPS if each <= amount))


@pytest.fixture(scope="module")
def lesson() -> LearnPage:
    return LearnPage("reading-a-drift-chart", amount="0.48")


def line(lesson: LearnPage, title: str, name: str) -> list[float | None]:
    values: list[float | None] = next(each for each in lesson.panel(title)["series"] if each["name"] == name)["values"]
    return values


def test_each_curve_is_what_torch_gives(lesson: LearnPage) -> None:
    told = [expected(amount, "global") for amount in STOPS]
    counts = "Answers flipped and wrong answers"
    assert line(lesson, counts, "Answers flipped") == [each.flips for each in told]
    assert line(lesson, counts, "Wrong answers") == [360 - each.right for each in told]
    assert line(lesson, "KL", "KL") == pytest.approx([each.kl for each in told], rel=1e-3, abs=1e-6)
    sqnr = line(lesson, "SQNR", "SQNR")
    assert sqnr[0] is None
    assert sqnr[1:] == pytest.approx([each.sqnr for each in told[1:]], rel=1e-3, abs=1e-3)
    looks = {title: lesson.panel(title) for title in (counts, "KL", "SQNR")}
    assert [each["better"] for each in looks.values()] == ["lower", "lower", "higher"]
    assert [each["log"] for each in looks.values()] == [True, True, False]
    # From 0, what is drawn at the bottom is at most what rounding makes; nothing is above the top
    assert looks["KL"]["y_range"] == [1e-6, 10]
    assert max(each.kl for each in told) < 10


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_key_figures_count_what_changed(scope: str) -> None:
    page = LearnPage("reading-a-drift-chart", scope=scope)
    for stop in (0, 14, 30, 48, 70, 100):
        told = expected(STOPS[stop], scope)
        assert page.figure("Accuracy", stop) == f"{told.right / 3.6:.1f} %"
        assert page.figure("Answers flipped", stop) == str(told.flips)
        assert page.figure("Right → wrong", stop) == str(told.lost)
        assert page.figure("Wrong → right", stop) == str(told.gained)
        assert page.figure("Wrong → otherwise wrong", stop) == str(told.flips - told.lost - told.gained)


def test_the_pictures_are_the_samples_that_flip(lesson: LearnPage) -> None:
    panel = lesson.panel("Answers, dense → pruned")
    _, said, labels = dense()
    told = expected(example(), "global")
    flipped = [
        f"{said[i]} → {told.answers[i]} (true\N{NO-BREAK SPACE}{labels[i]})"
        for i in (told.answers != said).nonzero()[:, 0]
    ]
    stop = round(100 * example())
    framed = [text for text, mark in zip(panel["captions"][stop], panel["marked"][stop], strict=True) if mark]
    assert sorted(framed) == sorted(flipped)
    assert len(panel["captions"][0]) == 12
    assert panel["size"] == [1, 12, 8, 8]
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(panel["sprite"].partition(",")[2]))).convert("L"))
    for place, text in enumerate(panel["captions"][stop]):
        # The very image, to one grey of 255: of each caption there is one among the held-out digits
        off = (inputs()[0][:, 0] * 255 - torch.from_numpy(drawn[:, 8 * place : 8 * place + 8].copy())).abs()
        sample = int(off.amax(dim=(1, 2)).argmin())
        assert float(off[sample].max()) <= 1
        assert text == f"{said[sample]} → {told.answers[sample]} (true\N{NO-BREAK SPACE}{labels[sample]})"
    for captions, marks in zip(panel["captions"], panel["marked"], strict=True):
        assert [text[0] != text[4] for text in captions] == marks


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_the_table_leaves_the_question_to_the_slider(scope: str) -> None:
    panel = LearnPage("reading-a-drift-chart", scope=scope).panel("Before any answer flips")
    still = quiet(scope)
    told = expected(still, scope)
    assert 0 < still < example(scope)
    assert panel["columns"] == ["", "dense", f"{round(100 * still)} %"]
    rows = {row[0]: row[1:] for row in panel["rows"][0]}
    assert rows["Accuracy"] == [f"{told.right / 3.6:.1f} %"] * 2
    assert rows["Answers flipped"] == ["0", "0"]
    assert rows["Agreement"] == ["100.0 %", "100.0 %"]
    assert rows["KL"][1] == f"{told.kl:#.3g} nats"
    assert rows["SQNR"][1] == f"{told.sqnr:.1f} dB"


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_the_text_tells_of_the_places_that_torch_finds(scope: str) -> None:
    """What to try follows the knob; the question and the truth stay what they are."""
    page = LearnPage("reading-a-drift-chart", scope=scope)
    page.answer(1)
    words = " ".join(page.text.split())
    assert f"Drag to {quiet(scope):.0%}. Up to here no answer has flipped;".replace("%", " %") in words
    assert f"Then drag to {example(scope):.0%},".replace("%", " %") in words
    amount, told, right = example(), expected(example(), "global"), int((dense()[1] == dense()[2]).sum())
    assert told.right == right
    assert told.lost == told.gained > 0
    assert (
        f"At {round(100 * amount)} % (scope: *All together*) the pruned network is right on {right} of 360 samples. "
        "So is the dense one." in words
    )
    assert (
        f"Accuracy is {right / 3.6:.1f} % before and after; yet {told.flips} answers have flipped at "
        f"{round(100 * amount)} %: {told.lost} right → wrong, {told.gained} wrong → right, "
        f"{told.flips - 2 * told.lost} wrong → otherwise wrong. Accuracy sees only the difference of the "
        f"first two. Agreement sees all of them: {100 - told.flips / 3.6:.1f} %." in words
    )
    assert f"{told.lost} were lost and {told.gained} gained." in words
    still, worst = quiet(), max(STOPS, key=lambda each: expected(each, "global").kl)
    assert (
        f"up to {round(100 * still)} % no answer has flipped, while KL there is "
        f"{expected(still, 'global').kl:#.3g} nats and SQNR {expected(still, 'global').sqnr:.1f} dB" in words
    )
    assert f"it is largest at {round(100 * worst)} % ({expected(worst, 'global').kl:.2f} nats)" in words
    # Surer of wrong answers than one that knows nothing and says so
    assert expected(worst, "global").kl > np.log(10)
    assert f"with everything removed it is {expected(1.0, 'global').kl:.2f} nats" in words
