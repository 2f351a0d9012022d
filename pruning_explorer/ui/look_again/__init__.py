"""Parts of a page that are drawn again while something is waited for."""

from pruning_explorer.ui.look_again.component import draw_until_done

__all__ = ["draw_until_done"]
