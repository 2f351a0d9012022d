"""Sessions on the Explore page, without a browser."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from pruning_explorer.lab.curves import CurveQueue
from tests.ui.page import Page


@pytest.fixture(scope="session", autouse=True)
def installed_components() -> Iterator[None]:
    """What is installed is read once: AppTest looks for components in every package anew for each page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def quick_queue() -> CurveQueue:
    """Three points of each cliff: the tests of the page need the machine themselves."""
    return CurveQueue(lambda: (0.0, 0.5, 1.0), seeds=1)


@pytest.fixture
def quick_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of a quarter between them, for the same reason."""
    monkeypatch.setattr("pruning_explorer.lab.most_within.STEPS", 4)


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, quick_queue: CurveQueue, quick_search: None) -> Callable[..., Page]:
    """``open_page(subject="digits-cnn", amount="0.8")``: a new session at that address."""
    monkeypatch.setattr("pruning_explorer.ui.explore.cliff._QUEUE", quick_queue)
    return lambda **address: Page(address)
