"""The amount of all layers, set by a drag along the curve of what it costs."""

from pruning_explorer.ui.amount_curve.component import amount_curve, released_on_curve
from pruning_explorer.ui.amount_curve.points import send_curves, send_points

__all__ = ["amount_curve", "released_on_curve", "send_curves", "send_points"]
