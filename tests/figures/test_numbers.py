"""Numbers as a person reads them."""

import math

import pytest

from pruning_explorer.figures import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (9999, "9,999"),
        (12_345, "12.3 k"),
        (999_960, "1.00 M"),
        (61_706_000, "61.7 M"),
        (5e9, "5.00 G"),
    ],
)
def test_short_count(value: float, text: str) -> None:
    assert numbers.short_count(value) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0.0 %"),
        (1, "100.0 %"),
        (0.1 * 3 / 0.3, "100.0 %"),
        (0.9999, ">99.9 %"),
        (1e-6, "<0.1 %"),
        (0.975, "97.5 %"),
    ],
)
def test_only_all_is_100_percent_and_only_none_is_0(fraction: float, text: str) -> None:
    assert numbers.percent(fraction) == text


@pytest.mark.parametrize("write", [numbers.count, numbers.short_count, numbers.percent, numbers.points, numbers.nats])
def test_where_there_is_no_number_there_is_a_dash(write) -> None:  # type: ignore[no-untyped-def]
    assert write(None) == write(math.nan) == numbers.MISSING


def test_drift_in_sensible_digits() -> None:
    assert [numbers.nats(value) for value in (0.0, 1e-6, 0.00123, 0.5, 12.34, 1234.5, math.inf)] == [
        "0 nats",
        "<0.0001 nats",
        "0.00123 nats",
        "0.500 nats",
        "12.3 nats",
        "1,234 nats",
        "infinite nats",
    ]


def test_no_difference_is_called_identical() -> None:
    assert numbers.decibels(math.inf) == "identical"
    assert numbers.decibels(-3.21) == f"{numbers.MINUS}3.2 dB"


def test_points_carry_their_sign() -> None:
    assert numbers.points(-0.034) == f"{numbers.MINUS}3.4 points"
    assert numbers.points(0.034) == "+3.4 points"
