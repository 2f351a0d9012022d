"""What a class needs of the browser itself: a clicker's keys, and the printer."""

from pruning_explorer.ui.learn.front.component import draw_front as draw_front
