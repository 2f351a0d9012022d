"""Sessions on the Compare page, without a browser."""

from collections.abc import Callable

import pytest

from pruning_explorer.lab.curves import CurveQueue
from tests.ui.compare.comparison import Comparison


@pytest.fixture(scope="session")
def few_points() -> CurveQueue:
    """Three points of each curve: the tests of the page need the machine themselves."""
    return CurveQueue(lambda: (0.0, 0.5, 0.9), seeds=2)


@pytest.fixture
def open_comparison(
    monkeypatch: pytest.MonkeyPatch, few_points: CurveQueue, quick_search: None
) -> Callable[..., Comparison]:
    """``open_comparison("amount=0.8", "scope=global", subject="digits-cnn")``: a new session at that address."""
    monkeypatch.setattr("pruning_explorer.ui.compare.curves._QUEUE", few_points)

    def opened(*recipes: str, session: dict[str, object] | None = None, **address: str) -> Comparison:
        return Comparison({**address, **({"recipe": list(recipes)} if recipes else {})}, **(session or {}))

    return opened
