"""Words where the page waits for a network of some size, in a line that is kept free for them."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pruning_explorer.figures.numbers import count, short_count
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

STATUS_LINE_FROM = 2_000_000
"""Parameters of all layers from which a status line says what the page waits for; with fewer, no step takes long."""

LINE_HEIGHT = 40
"""Height in pixels of the status line; fixed, so that nothing moves when a step begins or ends."""


class Waiting:
    """The line, where the network is large; a small one needs none."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        large = sum(target.numel for target in subject.targets) >= STATUS_LINE_FROM
        self._line = st.container(height=LINE_HEIGHT, border=False, key="waiting") if large else None

    @contextmanager
    def ranking(self, recipe: Recipe) -> Iterator[None]:
        """While the weights that a recipe chooses are ranked, and cut."""
        weights = sum(target.numel for target in recipe.chosen(self._subject))
        with self._say(f"Ranking {short_count(weights)} weights …"):
            yield

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the network runs on its samples."""
        samples = self._subject.sample_count
        with self._say(f"Running the network on its {count(samples)} sample{'' if samples == 1 else 's'} …"):
            yield

    @contextmanager
    def picturing(self) -> Iterator[None]:
        """While the open layer is prepared for the browser."""
        with self._say("Preparing the layer's picture …"):
            yield

    @contextmanager
    def _say(self, words: str) -> Iterator[None]:
        if self._line is None:
            yield
            return
        with self._line, st.spinner(words, show_time=True):
            yield
