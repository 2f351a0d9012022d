"""What the pages' own components share: their JavaScript, their look, and how both go to the browser."""

from pruning_explorer.ui.browser.channel import send_arrays, send_state
from pruning_explorer.ui.browser.component import declare_component
from pruning_explorer.ui.browser.modules import join_modules
from pruning_explorer.ui.browser.theme import SLIDER, THEME, colour_variables

__all__ = ["SLIDER", "THEME", "colour_variables", "declare_component", "join_modules", "send_arrays", "send_state"]
