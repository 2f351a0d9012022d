"""What a browser session holds, and who it is.

Whatever one part of the pages sets and another reads is declared here, once, with its type. What a single module keeps
for itself, of a type of its own, is a :class:`Key` in that module. Nobody else touches ``st.session_state``.
"""

import uuid
from collections.abc import Mapping
from copy import copy
from typing import Any, Generic, Self, TypeVar

import streamlit as st
from streamlit.navigation.page import Page

from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.recipe_settings import Allocation, Scope
from pruning_explorer.prune.targets import OPTIONAL

T = TypeVar("T")


class Key(str, Generic[T]):
    """Where a session keeps a value, of one type.

    It is a string, so that a widget takes it as its ``key``: then the value is what the widget shows.

    >>> Key("amount_of_something", 0.5).get()
    0.5
    """

    _first: tuple[T, ...]

    def __new__(cls, name: str, *first: T) -> Self:
        """Declare a place.

        Args:
            name: of the place, in the session.
            first: one value, which is there before any was set; none for a place that is read only after it was set.
        """
        key = super().__new__(cls, name)
        key._first = first
        return key

    def get(self, *otherwise: T) -> T:
        """What was set; else the first value, or another one.

        Raises:
            KeyError: nothing was set, there is no first value, and no other one is given.
        """
        first = otherwise or self._first
        value: T = first[0] if first and not self.is_set() else st.session_state[self]
        return value

    def setdefault(self) -> T:
        """What was set; else the first value, which stays there and may be changed in place."""
        if not self.is_set():
            self.set(copy(self.get()))
        return self.get()

    def set(self, value: T) -> None:
        """Put a value there; of a widget's key before the widget is drawn, or in a callback."""
        st.session_state[self] = value

    def pop(self) -> T:
        """What :meth:`get` gives; nothing is set from then on."""
        value = self.get()
        self.forget()
        return value

    def forget(self) -> None:
        """Have nothing set there."""
        st.session_state.pop(self, None)

    def is_set(self) -> bool:
        """Whether a value was set."""
        return self in st.session_state

    def keep(self) -> None:
        """Have Streamlit remember a widget's value through a run in which the widget is not drawn."""
        if self.is_set():
            self.set(self.get())


# What the sidebar's controls hold; see ui/state.py
SUBJECT = Key[str]("subject")
UNWANTED = Key[set[str]]("unwanted")
ASKED = Key[set[str]]("asked", set())
"""Names of parameters that belong to no layer and are on offer all the same, since a recipe names them."""
CRITERION = Key[str]("criterion")
GRANULARITY = Key[str]("granularity")
SCOPE = Key[Scope]("scope")
ALLOCATION = Key[Allocation]("allocation")
SCHEDULE = Key[str]("schedule")
STEPS = Key[int]("steps")
AMOUNT = Key[float]("amount")
"""In [0, 1], like the cap; the slider moves in steps of 0.001."""
LAYER_AMOUNTS = Key[dict[str, float]]("layer_amounts")
"""Amounts in [0, 1] of the layers that have their own, by layer name."""
CAP = Key[float]("cap")
SEED = Key[int]("seed")
RECALIBRATE = Key[bool]("recalibrate")
SWITCHES = {name: Key[bool](name) for name in OPTIONAL.values()}
"""Whether biases, norm layers and embeddings are on offer."""
OPEN_LAYER = Key[str | None]("open_layer", None)
"""The layer that Explore shows weight by weight; None for the largest."""
LAST_RELEASE = Key[int]("last_release", 0)
"""The number of the last release of an amount that was taken; 0 before the first."""
LAST_CHOICE = Key[int]("last_choice", 0)
"""The number of the last choice of layers that was taken; 0 before the first."""

# Which recipe the sidebar's controls show; see ui/shared_controls.py
CONTROLS_SHOW = Key[str | None]("controls_show", None)
CONTROLS_BEGAN_AS = Key[str | None]("controls_began_as", None)

# Between the pages
PAGES = Key[Mapping[str, Page]]("pages")
EXPLORED = Key[Recipe]("explored", Recipe())
"""The recipe of Explore's controls the last time that they described a valid one."""
OPEN_IN_EXPLORE = Key[Recipe | None]("open_in_explore", None)
"""A recipe of Compare that the person asked to open in Explore."""
COLUMNS_SUBJECT = Key[str]("columns_subject")
"""The network that Compare's recipes were last fitted to."""

# What could not be read in an address, until a person has seen it
EXPLORE_PROBLEMS = Key[tuple[str, ...]]("address_problems", ())
COMPARE_PROBLEMS = Key[tuple[str, ...]]("comparison_problems", ())
LEARN_PROBLEMS = Key[tuple[str, ...]]("learn_problems", ())
MODELS_PROBLEMS = Key[tuple[str, ...]]("models_problems", ())

# Learn
LEARN_WORD = Key[str | None]("learn_word", None)
LEARN_PRESENT = Key[bool]("learn_present", False)
"""Large type, for a projector."""

TRACE = Key[bool]("trace", False)
"""Whether the address asked for a table of where the time went."""

_JUST_ARRIVED = Key[bool]("just_arrived", False)
_PAGE_SHOWN = Key[str | None]("page_shown", None)
_SESSION_ID = Key[str]("session_id")


def arriving(page: str) -> None:
    """Note which page is shown; to be called before it is drawn."""
    _JUST_ARRIVED.set(_PAGE_SHOWN.get() != page)
    _PAGE_SHOWN.set(page)


def just_arrived() -> bool:
    """Whether this run shows another page than the one before, so that what stood on it is drawn anew."""
    return _JUST_ARRIVED.get()


def page_shown() -> str | None:
    """The page that is shown, as its address names it; None where there is but one."""
    return _PAGE_SHOWN.get()


def session_id() -> str:
    """An id of this browser session, made at its first run."""
    if not _SESSION_ID.is_set():
        _SESSION_ID.set(uuid.uuid4().hex)
    return _SESSION_ID.get()


def component_state(key: str) -> Mapping[str, Any]:
    """What a component of that key last said to Python; empty before it did."""
    return Key[Mapping[str, Any]](key, {}).get()
