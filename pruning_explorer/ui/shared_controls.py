"""Who the sidebar's controls stand for: Explore's recipe, or one of Compare's. Both pages draw the same controls."""

from dataclasses import replace

import streamlit as st

from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui import session, state
from pruning_explorer.ui.one_by_one import beginning

EXPLORE = "explore"


def take_controls(owner: str, subject: Subject, recipe: Recipe) -> None:
    """Set every control to a recipe, if they stand for somebody else's. To be called before they are drawn."""
    if session.CONTROLS_SHOW.get() != owner:
        for note in state.show(subject, fitting(recipe, subject)):
            st.toast(f"The {note}.")
        session.CONTROLS_SHOW.set(owner)
        session.CONTROLS_BEGAN_AS.set(None)


def fitting(recipe: Recipe, subject: Subject) -> Recipe:
    """The recipe as it begins on ``subject``: without what it says of layers, if the network lacks one of them."""
    if subject_names(subject).issuperset((*(recipe.targets or ()), *recipe.frozen, *recipe.amounts)):
        return beginning(recipe, subject)
    return beginning(replace(recipe, targets=None, frozen=(), amounts={}), subject)


def subject_names(subject: Subject) -> set[str]:
    return {name for target in subject.targets for name in (target.name, *target.aliases)}


def what_changed(recipe: Recipe) -> Recipe | None:
    """The recipe that the controls make, once a person has touched them; None while they stand as they were set.

    A control may show a recipe rounded (an amount of 0.96875 as 96.9 %): that by itself changes nothing.
    """
    began = session.CONTROLS_BEGAN_AS.get()
    if began is None:
        session.CONTROLS_BEGAN_AS.set(recipe.id)
        return None
    if began == recipe.id:
        return None
    session.CONTROLS_BEGAN_AS.set("")
    return recipe


def controls_make_nothing() -> None:
    """The controls make no recipe as they stand: whatever they make next is the person's doing."""
    session.CONTROLS_BEGAN_AS.set("")
