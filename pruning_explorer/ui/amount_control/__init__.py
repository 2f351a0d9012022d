"""One amount, by slider or typed."""

from pruning_explorer.ui.amount_control.component import amount_control, released_by_control

__all__ = ["amount_control", "released_by_control"]
