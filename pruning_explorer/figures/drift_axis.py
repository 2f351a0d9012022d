"""The axes of quality over drift: what the cliff and the curves of a comparison share."""

import math
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from pruning_explorer.figures.chart import PERCENT_AXIS

# Drift in nats below which the axis is linear, and above it logarithmic: so both 0 and 10 can be drawn
LINEAR_BELOW = 1e-3
DRIFT_TICKS = (0.0, 0.01, 0.1, 1.0, 10.0, 100.0)


def symlog(value: npt.NDArray[np.float64] | np.float64) -> npt.NDArray[np.float64]:
    """A symmetric-log scale: nearly linear below ``LINEAR_BELOW`` nats, one unit per factor of ten above."""
    return np.asarray(np.arcsinh(value / LINEAR_BELOW) / math.log(10))


def drift_height(nats: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Positions of drifts in nats on their axis; NaN (a gap) where not finite; rounding errors below 0 count as 0."""
    return symlog(np.where(np.isfinite(nats), np.maximum(nats, 0), np.nan))


def drift_axis(nats: npt.NDArray[np.float64], domain: list[float]) -> dict[str, Any]:
    """An axis that holds all of ``nats`` and at least 0 to 1."""
    top = np.max(nats[np.isfinite(nats)], initial=1.0)
    return {
        "title": {"text": "drift, KL (nats)"},
        "domain": domain,
        "range": [-0.15, float(symlog(top)) + 0.25],
        "tickvals": symlog(np.array(DRIFT_TICKS)),
        "ticktext": [f"{tick:g}" for tick in DRIFT_TICKS],
    }


def quality_axis(name: str, domain: list[float]) -> dict[str, Any]:
    """A quality axis from 0 to 100 %."""
    return {
        "title": {"text": escape(f"{name} (%)", quote=False)},
        "domain": domain,
        **PERCENT_AXIS,
    }
