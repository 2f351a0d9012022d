"""A network that is judged by a metric of its own, on every part of the page."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pruning_explorer import Recipe, Subject, compute_masks, load_subject
from pruning_explorer.measure.forward import masked_outputs
from pruning_explorer.measure.quality import quality_interval, sample_quality
from pruning_explorer.prune.metric import Metric
from pruning_explorer.ui import subjects
from tests.ui.page import Page, unescaped

Judged = Callable[[Metric], Page]


@pytest.fixture
def judged(open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch) -> Judged:
    """A page on spirals-mlp under the name ``judged``, with a metric in place of its accuracy."""

    def page(metric: Metric) -> Page:
        plain = load_subject("spirals-mlp")
        subject = Subject.from_module(
            plain.model,
            plain.samples,
            plain.labels,
            name="judged",
            output_names=plain.output_names,
            view=plain.view,
            metric=metric,
        )
        monkeypatch.setitem(subjects._OPERATORS, "judged", subject)
        return open_page(subject="judged", amount="0.6")

    return page


def probability_of_the_right_arm(logits: Tensor, labels: Tensor | None) -> Tensor:
    assert labels is not None
    return logits.softmax(dim=-1)[torch.arange(len(logits)), labels]


def arm_is_right(logits: Tensor, labels: Tensor | None) -> Tensor:
    return logits.argmax(dim=-1) == labels


def first_arm(logits: Tensor, labels: Tensor | None) -> Tensor:
    return logits[:2, 0]


def wait_for_cliff(page: Page) -> None:
    """Until one of its three points stands."""
    for _ in range(200):
        if page.curve.get("points"):
            return
        page.run()
    raise AssertionError("no point of the cliff came")


def test_its_name_its_mean_and_its_interval_stand_everywhere(judged: Judged) -> None:
    page = judged(probability_of_the_right_arm)
    subject = subjects.find_subject("judged")
    values = sample_quality(subject, masked_outputs(subject, compute_masks(subject, Recipe(amount=0.6))))
    assert values is not None
    figure = page.metrics["Mean probability of the right arm"]
    assert float(figure.value.removesuffix(" %")) == pytest.approx(100 * values.mean(), abs=0.051)
    low, high = quality_interval(values)
    assert f"95 % interval {100 * low:.1f} % to {100 * high:.1f} %, bootstrap" in figure.help
    page.open("By class")
    chart = page.chart("class_quality")
    assert chart["layout"]["title"]["text"] == "Mean probability of the right arm by class"
    wait_for_cliff(page)
    assert page.curve["quality_name"] == "mean probability of the right arm"
    assert page.warnings == page.errors == []


def test_right_or_wrong_is_counted(judged: Judged) -> None:
    figures, plain = judged(arm_is_right).metrics, load_subject("spirals-mlp")
    assert "Wilson" in figures["Arm is right"].help
    values = sample_quality(plain, masked_outputs(plain, compute_masks(plain, Recipe(amount=0.6))))
    assert values is not None
    assert float(figures["Arm is right"].value.removesuffix(" %")) == pytest.approx(100 * values.mean(), abs=0.051)


def test_one_that_fails_says_so_in_its_place_and_all_else_stands(judged: Judged) -> None:
    page = judged(first_arm)
    assert page.errors == []
    (warning,) = page.warnings
    assert "the metric “first arm” gave float32 [2] for logits float32 [300, 3]" in warning
    assert "it must give one number in [0, 1] or bool per sample, a tensor [300]" in warning
    assert page.metrics["First arm"].below == "not known, see below"
    assert page.metrics["Drift, nats"].value != page.metrics["First arm"].value
    for tab in ("Outputs", "Drift by layer", "Numbers", "Code and recipe"):
        page.open(tab)
        assert page.errors == []
    page.open("By class")
    assert [unescaped(each.value) for each in page.tab("By class").warning] == [warning]
    wait_for_cliff(page)
    assert page.curve["dense_quality"] is None
    assert all(point["quality"] is None and point["agreement"] is not None for point in page.curve["points"])
