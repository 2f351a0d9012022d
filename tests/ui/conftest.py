"""Sessions on the Explore page, without a browser."""

from collections.abc import Callable

import pytest

from pruning_explorer.lab.curves import CurveQueue
from tests.ui.page import Page


@pytest.fixture(scope="session")
def quick_queue() -> CurveQueue:
    """Three points of each cliff: the tests of the page need the machine themselves."""
    return CurveQueue(lambda: (0.0, 0.5, 1.0), seeds=1)


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, quick_queue: CurveQueue) -> Callable[..., Page]:
    """``open_page(subject="digits-cnn", amount="0.8")``: a new session at that address."""
    monkeypatch.setattr("pruning_explorer.ui.explore.cliff._QUEUE", quick_queue)
    return lambda **address: Page(address)
