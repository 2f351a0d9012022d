"""A value that takes long keeps nobody from another one, and is computed once however many want it."""

import copy
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject
from pruning_explorer.lab.comparison import Entry, compare
from pruning_explorer.measure.computed_once import computed_once
from pruning_explorer.measure.report import Report, report_of

AT_ONCE = 8
BEGUN, GO_ON = threading.Event(), threading.Event()
"""Of the network that takes long; outside of it, since a network is copied."""

Spawn = Callable[[Callable[[], object]], "Future[object]"]


class Slow(nn.Linear):
    """It says that it has begun, and waits until it may go on."""

    def forward(self, inputs: Tensor) -> Tensor:
        BEGUN.set()
        assert GO_ON.wait(60)
        return super().forward(inputs)


def subject(layer: nn.Linear, name: str) -> Subject:
    return Subject.from_module(layer, torch.eye(4), torch.arange(4), name=name)


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Do something in a thread of its own; all that waits goes on in the end."""
    BEGUN.clear()
    GO_ON.clear()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            yield pool.submit
        finally:
            GO_ON.set()


def test_a_slow_network_keeps_no_other_from_its_numbers(spawn: Spawn) -> None:
    slow, quick = (report_of(subject(kind(4, 4), kind.__name__), Recipe()) for kind in (Slow, nn.Linear))
    waiting = spawn(lambda: slow.outcome)
    assert BEGUN.wait(60)
    parts = [name for name, each in vars(Report).items() if isinstance(each, computed_once)]
    assert {"outcome", "output_drift", "drift", "layer_drift", "quality", "layers"} <= set(parts)
    for part in parts:
        spawn(lambda part=part: getattr(quick, part)).result(20)
    assert not waiting.done()
    GO_ON.set()
    assert waiting.result(20) is slow.outcome


def test_nor_from_its_comparison(spawn: Spawn) -> None:
    entries = [Entry("one", Recipe(amount=0.25)), Entry("other", Recipe(amount=0.75))]
    slow = spawn(lambda: compare(subject(Slow(4, 4), "slow"), entries, ()))
    assert BEGUN.wait(60)
    quick = spawn(lambda: compare(subject(nn.Linear(4, 4), "quick"), entries, ()).table).result(20)
    assert not slow.done()
    GO_ON.set()
    assert list(slow.result(20).table["measure"]) == list(quick["measure"])  # type: ignore[attr-defined, index]


@dataclass(frozen=True, eq=False)
class Parts:
    """Something with values that are counted as they are computed."""

    counted: Counter[str] = field(default_factory=Counter)

    @computed_once
    def whole(self) -> list[int]:
        """Of both halves."""
        self.counted["whole"] += 1
        BEGUN.set()
        assert GO_ON.wait(60)
        return [*self.half, *self.half]

    @computed_once
    def half(self) -> list[int]:
        self.counted["half"] += 1
        return [self.counted["half"]]

    @computed_once
    def failing(self) -> int:
        self.counted["failing"] += 1
        if self.counted["failing"] == 1:
            raise ValueError("the first time")
        return self.counted["failing"]


def test_many_who_want_the_same_get_the_very_same_computed_once(spawn: Spawn) -> None:
    parts = Parts()
    asked = [spawn(lambda: parts.whole) for _ in range(AT_ONCE)]
    assert BEGUN.wait(60)
    GO_ON.set()
    found = {id(each.result(20)) for each in asked}
    assert found == {id(parts.whole)}
    assert parts.whole == [1, 1]
    assert parts.counted == {"whole": 1, "half": 1}


def test_another_value_of_the_same_object_is_not_waited_for(spawn: Spawn) -> None:
    parts = Parts()
    waiting = spawn(lambda: parts.whole)
    assert BEGUN.wait(60)
    assert spawn(lambda: parts.half).result(20) == [1]
    assert not waiting.done()


def test_what_fails_is_computed_anew() -> None:
    parts = Parts()
    with pytest.raises(ValueError, match="the first time"):
        _ = parts.failing
    assert parts.failing == parts.failing == 2


def test_an_object_whose_values_are_computed_can_be_copied() -> None:
    parts = Parts()
    assert parts.half == [1]
    assert copy.deepcopy(parts).half == [1]


def test_it_says_what_it_is_on_the_class() -> None:
    assert Parts.whole.__doc__ == "Of both halves."
