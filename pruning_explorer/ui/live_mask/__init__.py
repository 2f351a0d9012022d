"""One layer, live while the pointer drags: the amount, the masks it makes and what remains."""

from pruning_explorer.ui.live_mask.component import LiveMaskState, live_mask, released_in_mask
from pruning_explorer.ui.live_mask.payload import build_payload, build_window, exit_amounts

__all__ = [
    "LiveMaskState",
    "build_payload",
    "build_window",
    "exit_amounts",
    "live_mask",
    "released_in_mask",
]
