"""What a metric of somebody's own is called, and what tells it from others."""

import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer.prune.metric import metric_id, metric_name
from pruning_explorer.prune.subject import Subject


def exact_span_match(logits: Tensor, labels: Tensor | None) -> Tensor:
    return logits.argmax(dim=-1) == labels


def within(tolerance: float) -> Callable[[Tensor, Tensor | None], Tensor]:
    def near_enough(logits: Tensor, labels: Tensor | None) -> Tensor:
        assert labels is not None
        return (logits.squeeze(-1) - labels).abs() <= tolerance

    return near_enough


class Weighted:
    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    def __call__(self, logits: Tensor, labels: Tensor | None) -> Tensor:
        return (logits.softmax(dim=-1) * self.weights).sum(dim=-1)


def test_it_is_called_as_its_function_is() -> None:
    assert metric_name(exact_span_match) == "exact span match"
    assert metric_name(functools.partial(exact_span_match, labels=None)) == "exact span match"
    assert metric_name(Weighted(torch.ones(2))) == "Weighted"
    assert metric_name(lambda logits, labels: logits) == "own metric"


def test_what_computes_differently_has_another_id() -> None:
    ids = [
        metric_id(each)
        for each in (
            exact_span_match,
            within(0.1),
            within(0.2),
            functools.partial(exact_span_match, labels=torch.tensor([1])),
            functools.partial(exact_span_match, labels=torch.tensor([2])),
            Weighted(torch.tensor([1.0, 0.0])),
            Weighted(torch.tensor([0.0, 1.0])),
            lambda logits, labels: logits[:, 0] > 0,
            lambda logits, labels: logits[:, 0] > 1,
            lambda logits, labels: logits[:, 0].exp() > 1,
        )
    ]
    assert len(set(ids)) == len(ids)


def test_whatever_a_metric_holds_tells_it_from_others() -> None:
    def holding(held: object) -> Callable[[Tensor, Tensor | None], Tensor]:
        return lambda logits, labels: logits[:, 0] * len(str(held))

    things = [nn.Linear, nn.Conv2d, len, sum, {1, "a"}, {2, "a"}, frozenset({1, "a"}), {"a": 1}, {"b": 1}, [1], (1,)]
    assert len({metric_id(holding(each)) for each in things}) == len(things)
    assert metric_id(holding({"b", 3, "a"})) == metric_id(holding({"a", "b", 3}))


def test_the_same_again_has_the_same_id() -> None:
    assert metric_id(within(0.1)) == metric_id(within(0.1))
    assert metric_id(Weighted(torch.ones(3))) == metric_id(Weighted(torch.ones(3)))


def test_one_that_holds_itself_ends() -> None:
    def again(logits: Tensor, labels: Tensor | None) -> Tensor:
        return again(logits, labels)

    assert len(metric_id(again)) == 16


@pytest.fixture
def model() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Linear(3, 2)


def test_the_subject_takes_its_name_and_another_id(model: nn.Module) -> None:
    samples, labels = torch.ones(4, 3), torch.zeros(4, dtype=torch.long)
    plain = Subject.from_module(model, samples, labels)
    judged = Subject.from_module(model, samples, labels, metric=exact_span_match)
    named = Subject.from_module(model, samples, labels, metric=exact_span_match, quality_name="span hits")
    assert (plain.quality_name, judged.quality_name, named.quality_name) == (
        "accuracy",
        "exact span match",
        "span hits",
    )
    assert len({plain.id, judged.id, named.id}) == 3
    assert judged.id == Subject.from_module(model, samples, labels, metric=exact_span_match).id
    near, nearer = (Subject.from_module(model, samples, labels, metric=within(each)) for each in (0.2, 0.1))
    assert near.quality_name == nearer.quality_name
    assert near.id != nearer.id


def test_other_samples_are_judged_by_the_same_metric(model: nn.Module) -> None:
    judged = Subject.from_module(model, torch.ones(4, 3), metric=exact_span_match, quality_name="span hits")
    other = judged.with_samples(torch.zeros(2, 3), torch.zeros(2, 5, 7))
    assert (other.metric, other.quality_name) == (exact_span_match, "span hits")
    assert other.id != judged.id
    plain = Subject.from_module(model, torch.ones(4, 3))
    assert plain.with_samples(torch.zeros(2, 3), torch.zeros(2, 5)).quality_name == "exact match"


def test_what_a_metric_is_given_are_classes_only_where_they_have_names(model: nn.Module) -> None:
    samples, classes = torch.ones(4, 3), torch.tensor([0, 1, 1, 0])

    def groups(labels: Tensor, **names: object) -> Tensor | None:
        return Subject.from_module(model, samples, labels, metric=exact_span_match, **names).groups

    assert groups(classes) is None
    assert groups(classes, output_names=("a", "b")) is classes
    assert groups(classes.float(), output_names=("a", "b")) is None
    assert groups(torch.ones(4, 9), groups=classes) is classes
