"""Sessions on the Explore page, without a browser."""

from collections.abc import Callable

import pytest

from pruning_explorer.lab.curves import CurveDesk
from tests.ui.page import Page


@pytest.fixture(scope="session")
def quick_desk() -> CurveDesk:
    """Three points of each cliff: the tests of the page need the machine themselves."""
    return CurveDesk(lambda: (0.0, 0.5, 1.0), seeds=1)


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, quick_desk: CurveDesk) -> Callable[..., Page]:
    """``open_page(subject="digits-cnn", amount="0.8")``: a new session at that address."""
    monkeypatch.setattr("pruning_explorer.ui.explore.cliff._DESK", quick_desk)
    return lambda **address: Page(address)
