"""The decision in words."""

from dataclasses import dataclass

import pytest

from pruning_explorer.decision import decision_in_short, decision_line, mark_words


@dataclass(frozen=True)
class Told:
    allowed: float = 1.0
    measure: str = "quality"
    amount: float | None = 0.529
    achieved: float | None = 0.529
    cost: float | None = 0.8333
    beyond: float | None = 0.53
    beyond_cost: float | None = 1.111
    earlier: float | None = None
    exact: bool = True


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            Told(),
            "52.9 % can go for at most 1 point of accuracy: there it costs 0.83 points, on 360 samples of 0.28 points "
            "each. At 53.0 % it costs 1.1 points.",
        ),
        (
            Told(measure="agreement", allowed=2.5, cost=1.4, achieved=0.5, earlier=0.2),
            "52.9 % can go for at most 2.5 % of the answers flipped: there 1.4 % flip, on 360 samples of 0.28 points "
            "each; 50.0 % is achieved. At 53.0 % 1.1 % flip. The curve goes up and down: at 20.0 %, which is less, it "
            "costs more.",
        ),
        (
            Told(exact=False, cost=1.0),
            "At least 52.9 % can go for at most 1 point of accuracy, and less than 53.0 %: so far as it is measured. "
            "At 52.9 % it costs 1 point.",
        ),
        (
            Told(amount=1.0, achieved=1.0, beyond=None, beyond_cost=None, cost=-2.0),
            "100.0 % can go for at most 1 point of accuracy: there it is 2 points above dense, on 360 samples of 0.28 "
            "points each.",
        ),
        (Told(amount=None, cost=None, achieved=None), "No measured amount costs at most 1 point of accuracy."),
    ],
)
def test_what_is_said(told: Told, line: str) -> None:
    assert decision_line(told, "accuracy", 360) == line


@pytest.mark.parametrize(
    ("told", "line", "mark"),
    [
        (Told(), "52.9 % costs 0.83, 53.0 % costs 1.1", "most for 1 point"),
        (
            Told(measure="agreement", allowed=2.5, cost=1.4),
            "52.9 % flips 1.4 %, 53.0 % flips 1.1 %",
            "most for 2.5 % flipped",
        ),
        (Told(exact=False), "at least 52.9 %, less than 53.0 %", "most for 1 point"),
        (Told(amount=1.0, beyond=None, beyond_cost=None, cost=-2.0), "100.0 % gains 2", "most for 1 point"),
        (Told(amount=None, cost=None, achieved=None), "no measured amount does", "most for 1 point"),
    ],
)
def test_what_is_said_in_a_line_and_at_the_mark(told: Told, line: str, mark: str) -> None:
    assert decision_in_short(told) == line
    assert mark_words(told) == mark
