"""Quality by a scoring function of somebody's own."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.paired import bootstrap_interval
from pruning_explorer.measure.quality import (
    dense_level,
    dense_quality,
    interval_name,
    mean_quality,
    quality_interval,
    quality_label,
    quality_table,
    sample_quality,
    true_answers,
    wilson_interval,
)
from pruning_explorer.prune.metric import Metric
from pruning_explorer.prune.subject import Subject


def share_of_span(logits: Tensor, labels: Tensor | None) -> Tensor:
    assert labels is not None
    return (logits.argmax(dim=-1) == labels).float().mean(dim=-1)


def first_output_leads(logits: Tensor, labels: Tensor | None) -> Tensor:
    assert labels is None
    return logits[:, 0] > logits[:, 1]


@pytest.fixture
def spans() -> Subject:
    """y = x at each of 4 positions: logits [3, 4, 2] are the samples themselves."""
    model = nn.Linear(2, 2, bias=False)
    model.weight = nn.Parameter(torch.eye(2))
    samples = torch.eye(2)[torch.tensor([[0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 1]])]
    labels = torch.tensor([[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0]])
    return Subject.from_module(model, samples, labels, name="spans", metric=share_of_span)


def judged(subject: Subject, metric: Metric) -> Subject:
    return replace(subject, metric=metric)


def test_the_mean_by_hand(spans: Subject) -> None:
    values = dense_quality(spans)
    assert values is not None
    assert values.tolist() == [1, 0.5, 0.75]
    assert dense_level(spans) == mean_quality(values) == 0.75
    assert interval_name(values) == "bootstrap"
    assert quality_interval(values) == bootstrap_interval(lambda mean: mean, values)
    assert quality_label(spans) == "mean share of span"


def test_where_all_are_right_or_wrong_it_counts(spans: Subject) -> None:
    for whole in (
        judged(spans, lambda logits, labels: share_of_span(logits, labels) == 1),
        judged(spans, lambda logits, labels: (share_of_span(logits, labels) == 1).float()),
        judged(spans, lambda logits, labels: (share_of_span(logits, labels) == 1).long()),
    ):
        values = dense_quality(whole)
        assert values is not None
        assert (values.dtype, values.tolist()) == (np.bool_, [True, False, False])
        assert quality_interval(values) == wilson_interval(1, 3)
        assert quality_label(whole) == "share of span"


def test_a_network_that_is_right_everywhere_does_not_hide_that_a_metric_gives_fractions(spans: Subject) -> None:
    right = replace(spans, labels=torch.tensor([[0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 1]]))
    values = dense_quality(right)
    assert values is not None
    assert values.all()
    assert quality_label(right) == "mean share of span"


def test_it_may_go_without_labels() -> None:
    subject = Subject.from_module(nn.Linear(2, 2), torch.ones(5, 2), metric=first_output_leads)
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    values = sample_quality(subject, logits)
    assert values is not None
    assert values.tolist() == [True, False, True, True, False]


def test_a_single_output_and_labels_of_any_kind() -> None:
    def near_enough(logits: Tensor, labels: Tensor | None) -> Tensor:
        assert labels is not None
        return 1 - (logits[:, 0] - labels.mean(dim=(1, 2))).abs().clamp(max=1)

    labels = torch.arange(12.0).reshape(2, 2, 3)  # means 2.5 and 8.5
    subject = Subject.from_module(nn.Linear(2, 1), torch.ones(2, 2), labels, metric=near_enough)
    values = sample_quality(subject, torch.tensor([[2.75], [20.0]]))
    assert values is not None
    assert values.tolist() == [0.75, 0]
    assert true_answers(subject, torch.zeros(2, 1)) is None


def test_labels_are_the_right_answers_where_they_could_be(spans: Subject) -> None:
    answers = true_answers(spans, torch.zeros(3, 4, 2))
    assert answers is not None
    assert answers.tolist() == [[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0]]
    assert true_answers(spans, torch.zeros(3, 2)) is None
    assert true_answers(replace(spans, labels=torch.zeros(3, 4).long()), torch.zeros(3, 4, 1)) is None
    assert true_answers(replace(spans, labels=torch.full((3, 4), 2)), torch.zeros(3, 4, 2)) is None
    assert true_answers(replace(spans, labels=torch.zeros(3, 4)), torch.zeros(3, 4, 2)) is None


def test_a_sample_without_an_answer_is_worth_nothing(spans: Subject) -> None:
    generous = judged(spans, lambda logits, labels: torch.full((3,), math.nan).where(logits.isnan().any(-1).any(-1), 1))
    logits = torch.zeros(3, 4, 2)
    logits[1, 2, 0] = math.nan
    values = sample_quality(generous, logits)
    assert values is not None
    assert values.tolist() == [True, False, True]


def test_groups_have_their_own_means(spans: Subject) -> None:
    subject = replace(spans, groups=torch.tensor([1, 0, 1]), group_names=("one", "two"))
    dense = torch.eye(2)[torch.tensor([[0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 1]])]
    table = quality_table(subject, dense, dense.flip(-1))
    assert table is not None
    assert table["group"].tolist() == ["all", "one", "two"]
    assert table["dense"].tolist() == [0.75, 0.5, 0.875]
    assert table["pruned"].tolist() == [0.25, 0.5, 0.125]
    assert table["change"].tolist() == [-0.5, 0, -0.75]
    # Of the one sample in a group it cannot be said how others would do
    assert np.isnan(table["dense_low"][1])
    assert table["dense_low"][2] <= 0.875 <= table["dense_high"][2]


def test_it_cannot_write_to_what_is_shared(spans: Subject) -> None:
    def destroys(logits: Tensor, labels: Tensor | None) -> Tensor:
        assert labels is not None
        labels.zero_()
        return logits.zero_().sum(dim=(1, 2)) == 0

    logits = torch.ones(3, 4, 2)
    before = None if spans.labels is None else spans.labels.clone()
    sample_quality(judged(spans, destroys), logits)
    assert (logits == 1).all()
    assert before is not None
    assert torch.equal(spans.labels if spans.labels is not None else before, before)


def _raises(logits: Tensor, labels: Tensor | None) -> Tensor:
    raise KeyError("nothing here\nand a second line")


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        (lambda logits, labels: torch.tensor([0.0, 1.5, -1.0]), r"gave sample 1 the value 1.5, and 1 more outside"),
        (lambda logits, labels: torch.tensor([0.0, 0.0, math.nan]), r"gave sample 2 the value nan"),
        (lambda logits, labels: torch.tensor(0.5), r"gave float32 \[\] for"),
        (lambda logits, labels: torch.zeros(3, 4), r"gave float32 \[3, 4\] for"),
        (lambda logits, labels: torch.zeros(3, dtype=torch.complex64), r"gave complex64 \[3\] for"),
        (lambda logits, labels: 0.5, r"gave a float for"),
        (_raises, r"failed on .* with KeyError: 'nothing here"),
    ],
)
def test_what_comes_and_what_is_wanted_is_said(
    spans: Subject, metric: Callable[[Tensor, Tensor | None], Tensor], says: str
) -> None:
    broken = judged(spans, metric)
    with pytest.raises(SubjectError, match=says) as raised:
        sample_quality(broken, torch.zeros(3, 4, 2))
    assert "“share of span”" in str(raised.value)
    assert "it must give one number in [0, 1] or bool per sample, a tensor [3]" in str(raised.value)
    if "value" not in says:
        assert "logits float32 [3, 4, 2] and labels int64 [3, 4]" in str(raised.value)
    assert dense_level(broken) is None
    assert quality_label(broken) == "share of span"


def test_rounding_beyond_one_is_one(spans: Subject) -> None:
    values = sample_quality(
        judged(spans, lambda logits, labels: torch.tensor([1.0000001, 0.5, -1e-8])), torch.zeros(3, 4, 2)
    )
    assert values is not None
    assert values.tolist() == [1, 0.5, 0]
