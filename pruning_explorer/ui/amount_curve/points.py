"""What curves are to the browser: their measured points, and a mark."""

import base64
import math
from collections.abc import Iterable, Sequence
from typing import Any

from pruning_explorer.figures.colours import RecipeLook
from pruning_explorer.lab.curve_points import Point
from pruning_explorer.ui.browser import send_state

MOST_FLIPS = 2048
"""Most samples of which each point tells which of them flip: 342 characters."""


def send_points(page: str, points: Iterable[Point], **told: Any) -> None:
    """Send a curve to the store of a page, where it replaces the one before.

    Args:
        points: as :func:`~pruning_explorer.lab.curve_points.measure_points` gives them, in any order; of two at the
            same amount the later counts.
        told: ``planned`` and ``measured`` numbers of points, ``quality_name``, ``dense_quality`` in [0, 1] or None,
            number of ``samples``, whether it is ``done``, the ``mark``: ``{amount, words, exact}`` or None, a
            ``note`` that stands over the plain track while there are no points, and ``of``: of which network and recipe
            but for the amount.
    """
    send_state(page, "points", {"points": _in_order(points, told["samples"]), **told})


def send_curves(page: str, curves: Sequence[tuple[RecipeLook, Iterable[Point]]], **told: Any) -> None:
    """Send a curve of each of several recipes, with how the recipe looks; else as :func:`send_points`, and no mark."""
    looks = [
        {"letter": look.letter, "colour": look.colour, "dash": look.dash, "points": _in_order(points, told["samples"])}
        for look, points in curves
    ]
    send_state(page, "points", {"curves": looks, **told})


def _in_order(points: Iterable[Point], samples: int) -> list[dict[str, Any]]:
    at = {point["amount"]: point for point in points}
    return [point_told(at[amount], samples) for amount in sorted(at)]


def point_told(point: Point, samples: int) -> dict[str, Any]:
    """A point as JSON: what is not finite is None, and which samples flip is in base64, where they are not too many."""
    agreement = point["agreement"]
    told = {
        "amount": point["amount"],
        "quality": _number(point["quality"]),
        "low": _number(point["quality_low"]),
        "high": _number(point["quality_high"]),
        "agreement": _number(agreement),
        "kl": _number(point["kl_nats"]),
        "flipped": None if math.isnan(agreement) else round((1 - agreement) * samples),
    }
    if samples <= MOST_FLIPS and (flips := point.get("flips")) is not None:
        told["flips"] = base64.b64encode(flips).decode()
    return told


def _number(value: float) -> float | None:
    """As JSON has it: none where it is not finite."""
    return round(float(value), 6) if math.isfinite(value) else None
