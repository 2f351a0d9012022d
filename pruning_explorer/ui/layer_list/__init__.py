"""The chosen layers with their masks, alive under the hand: what goes from each, all at a glance."""

from pruning_explorer.ui.layer_list.component import layer_list, opened_in_list
from pruning_explorer.ui.layer_list.payload import build_counts, build_thumbnails

__all__ = ["build_counts", "build_thumbnails", "layer_list", "opened_in_list"]
