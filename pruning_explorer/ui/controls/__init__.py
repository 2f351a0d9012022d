"""The sidebar in which a recipe is set, the same on every page."""

from pruning_explorer.ui.controls.sidebar import draw_controls

__all__ = ["draw_controls"]
