"""What a component's slider says when it is let go."""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Release:
    """The end of a hand's move.

    Attributes:
        amount: a fraction in [0, 1], in steps of 0.001.
        revision: grows from one release to the next, also from one component of a browser to another.
    """

    amount: float
    revision: int


def read_release(state: Any) -> Release | None:
    """The last release in a component's state; what a browser sends is checked."""
    value = state.get("release") if hasattr(state, "get") else None
    if not isinstance(value, dict):
        return None
    amount, revision = value.get("amount"), value.get("revision")
    if not isinstance(amount, (int, float)) or not math.isfinite(amount) or not isinstance(revision, int):
        return None
    return Release(round(min(1.0, max(0.0, float(amount))), 3), revision)
