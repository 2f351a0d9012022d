"""What the browser is told of a curve."""

import json
import math
from base64 import b64decode

from pruning_explorer.lab.curve_points import Point
from pruning_explorer.ui.amount_curve.points import MOST_FLIPS, point_told

WHOLE: Point = {
    "amount": 0.3,
    "quality": 0.75,
    "quality_low": 0.5,
    "quality_high": 0.9,
    "agreement": 0.7,
    "kl_nats": 0.25,
    "flips": bytes([0b00100110, 0b00000000]),
}


def test_a_point_by_hand() -> None:
    told = point_told(WHOLE, 10)
    assert b64decode(told.pop("flips")) == WHOLE["flips"]
    assert told == {
        "amount": 0.3,
        "quality": 0.75,
        "low": 0.5,
        "high": 0.9,
        "agreement": 0.7,
        "kl": 0.25,
        "flipped": 3,
    }


def test_what_is_not_known_is_none_and_strict_json() -> None:
    none = dict.fromkeys(("quality", "quality_low", "quality_high", "agreement"), math.nan)
    told = point_told({**WHOLE, **none, "kl_nats": math.inf}, 10)
    assert {name for name, value in told.items() if value is None} == {
        "quality",
        "low",
        "high",
        "agreement",
        "kl",
        "flipped",
    }
    json.dumps(told, allow_nan=False)


def test_of_many_samples_it_is_not_told_which_flip() -> None:
    assert "flips" in point_told(WHOLE, MOST_FLIPS)
    assert "flips" not in point_told(WHOLE, MOST_FLIPS + 1)
