"""Sample outputs in one row, flipped ones first, which follow a hand at the amount."""

from pruning_explorer.ui.output_strip.component import CARDS, output_strip, send_answers, send_inputs
from pruning_explorer.ui.output_strip.payload import build_inputs

__all__ = ["CARDS", "build_inputs", "output_strip", "send_answers", "send_inputs"]
