"""Sessions on the Explore page, without a browser."""

from collections.abc import Callable

import pytest

from pruning_explorer.lab.cliff import CliffDesk, CliffJob
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from tests.ui.page import Page


class QuickDesk:
    """Three points of each cliff: the tests of the page need the machine themselves."""

    def __init__(self) -> None:
        self._desk = CliffDesk()

    def ask(self, subject: Subject, recipe: Recipe, asker: str) -> CliffJob:
        return self._desk.ask(subject, recipe, asker, lambda: (0.0, 0.5, 1.0))


@pytest.fixture(scope="session")
def quick_desk() -> QuickDesk:
    return QuickDesk()


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, quick_desk: QuickDesk) -> Callable[..., Page]:
    """``open_page(subject="digits-cnn", amount="0.8")``: a new session at that address."""
    monkeypatch.setattr("pruning_explorer.ui.explore.cliff._desk", lambda: quick_desk)
    return lambda **address: Page(address)
