import math
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.quality import (
    guessing_level,
    quality_of,
    quality_table,
    quality_totals,
    sample_quality,
    wilson_interval,
)
from pruning_explorer.prune.subject import Subject

COLUMNS = [
    "group",
    "samples",
    "dense",
    "dense_low",
    "dense_high",
    "pruned",
    "pruned_low",
    "pruned_high",
    "change",
]


def test_wilson_by_hand() -> None:
    # n = 1, one right, z = 1.96: (1 + z^2 / 2 -+ z sqrt(z^2 / 4)) / (1 + z^2) = 1 / (1 + z^2) and 1
    z = NormalDist().inv_cdf(0.975)
    assert wilson_interval(1, 1) == (pytest.approx(1 / (1 + z * z)), 1)
    assert wilson_interval(0, 1) == (0, pytest.approx(z * z / (1 + z * z)))
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263 and 15 of 148
    assert [round(bound, 4) for bound in wilson_interval(81, 263)] == [0.2553, 0.3662]
    assert [round(bound, 4) for bound in wilson_interval(15, 148)] == [0.0624, 0.1605]


@settings(deadline=None)
@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_bounds(counts: tuple[int, int], confidence: float) -> None:
    right, n = counts
    low, high = wilson_interval(right, n, confidence)
    assert 0 <= low <= right / n <= high <= 1
    # The bounds solve (p - right / n)^2 = z^2 p (1 - p) / n
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    for bound in (low, high):
        assert (bound - right / n) ** 2 == pytest.approx(z * z * bound * (1 - bound) / n, abs=1e-9)


def test_wilson_refuses_what_is_no_proportion() -> None:
    for right, n, confidence in ((0, 0, 0.95), (3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)):
        with pytest.raises(SubjectError):
            wilson_interval(right, n, confidence)


def test_quality_by_hand(by_hand: Subject) -> None:
    dense = torch.tensor([[2.0, 0.0], [0.0, 1.0], [6.0, 1.0]])  # labels are 0, 1, 0
    pruned = torch.tensor([[0.0, 1.0], [0.0, 1.0], [6.0, 1.0]])
    table = quality_table(by_hand, dense, pruned)
    assert table is not None
    assert list(table.columns) == COLUMNS
    assert table["group"].tolist() == ["all", "left", "right"]
    assert table["samples"].tolist() == [3, 2, 1]
    assert table["dense"].tolist() == [1, 1, 1]
    assert table["pruned"].tolist() == pytest.approx([2 / 3, 1 / 2, 1])
    assert table["change"].tolist() == pytest.approx([-1 / 3, -1 / 2, 0])
    for row, (right, n) in enumerate([(2, 3), (1, 2), (1, 1)]):
        assert (table["pruned_low"][row], table["pruned_high"][row]) == pytest.approx(wilson_interval(right, n))
    assert quality_totals(table) == {column: pytest.approx(table[column][0]) for column in COLUMNS if column != "group"}
    assert quality_of(by_hand, pruned) == pytest.approx(2 / 3)


def test_a_sequence_is_right_when_all_of_it_is(by_hand: Subject) -> None:
    subject = replace(by_hand, labels=torch.tensor([[0, 1], [1, 1]]), groups=torch.tensor([5, 2]), group_names=())
    logits = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    right = sample_quality(subject, logits)
    assert right is not None
    assert right.tolist() == [True, False]
    table = quality_table(subject, logits, logits)
    assert table is not None
    assert table["group"].tolist() == ["all", "2", "5"]
    assert table["dense"].tolist() == [0.5, 0, 1]


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_no_answer_is_wrong_even_where_argmax_would_be_right(by_hand: Subject, broken: float) -> None:
    logits = torch.tensor([[broken, 0.0], [0.0, broken], [broken, 1.0]])
    assert logits.argmax(dim=1).tolist() == [0, 1, 0]
    assert quality_of(by_hand, logits) == 0


def test_a_missing_label_is_never_right(by_hand: Subject) -> None:
    subject = replace(by_hand, labels=torch.tensor([-1, 1, 0]))
    assert quality_of(subject, torch.full((3, 2), math.nan)) == 0


def test_without_labels_there_is_no_quality(make: Callable[..., Subject]) -> None:
    subject = make(lambda: nn.Linear(2, 2), torch.ones(3, 2))
    logits = torch.zeros(3, 2)
    assert quality_table(subject, logits, logits) is None
    assert quality_of(subject, logits) is None
    assert sample_quality(subject, logits) is None
    assert quality_totals(None) is None


def test_labels_that_do_not_fit_the_logits_are_an_error(by_hand: Subject) -> None:
    with pytest.raises(SubjectError, match=r"labels \[3\] for logits \[3, 2, 2\]"):
        quality_of(by_hand, torch.zeros(3, 2, 2))
    with pytest.raises(SubjectError, match="single output"):
        quality_of(by_hand, torch.zeros(3, 1))


def test_groups_add_up(everything: Subject) -> None:
    generator = torch.Generator().manual_seed(5)
    table = quality_table(everything, torch.randn(24, 5, generator=generator), torch.randn(24, 5, generator=generator))
    assert table is not None
    for side in ("dense", "pruned"):
        hits = np.rint(table[side] * table["samples"])
        assert hits[0] == hits[1:].sum()
    assert table["samples"][0] == table["samples"][1:].sum() == 24


def test_guessing_is_always_the_commonest_answer(by_hand: Subject) -> None:
    """Of the labels 0, 2, 2 and 1 two are the same; where a metric judges, no one answer is a guess."""
    labels = torch.tensor([0, 2, 2, 1])
    samples = torch.zeros(4, *by_hand.samples[0].shape[1:]) if by_hand.samples else None
    asked = replace(by_hand, samples=None if samples is None else (samples,), labels=labels)
    assert guessing_level(asked) == 0.5
    assert guessing_level(replace(asked, labels=None)) is None
    assert guessing_level(replace(asked, metric=lambda logits, labels: logits[:, 0])) is None
    assert guessing_level(replace(asked, labels=labels[:, None])) is None
