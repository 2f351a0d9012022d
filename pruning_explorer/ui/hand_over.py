"""From one page to another, with a network and a recipe."""

from typing import Literal, NoReturn

import streamlit as st

from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.ui import session


def hand_over(page: Literal["explore", "compare"], subject: str, recipe: Recipe | None = None) -> NoReturn:
    """Open a page that begins with a network and a recipe, as far as it fits, and with no layer opened.

    To be called in a run, not in a callback, and before the controls are drawn where they are.

    Args:
        subject: name of the network.
        recipe: None for the one that Explore had last.
    """
    choose_subject(subject)
    if recipe is not None:
        session.EXPLORED.set(recipe)
    st.switch_page(session.PAGES.get()[page])


def choose_subject(name: str) -> None:
    """Have every page show a network; the controls are set anew before they are drawn."""
    session.SUBJECT.set(name)
    session.OPEN_LAYER.set(None)
    session.CONTROLS_SHOW.set(None)
