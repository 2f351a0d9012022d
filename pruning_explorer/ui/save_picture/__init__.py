"""Charts as PNG and SVG files, made in the browser from what it has drawn."""

from pruning_explorer.ui.save_picture.component import save_pictures

__all__ = ["save_pictures"]
