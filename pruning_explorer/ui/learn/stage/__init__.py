"""The stage of a lesson: its slider and its panels, played in the browser."""

from pruning_explorer.ui.learn.stage.component import Stop, draw_panels, draw_stage, released_stop
from pruning_explorer.ui.learn.stage.encode import encode_panel, encode_stage

__all__ = ["Stop", "draw_panels", "draw_stage", "encode_panel", "encode_stage", "released_stop"]
