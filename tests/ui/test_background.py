"""What is measured behind the page: seen as it comes, cancelled, and gone on with."""

import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Subject
from pruning_explorer.lab.curves import CurveQueue
from pruning_explorer.lab.layer_drift_job import LayerDriftQueue
from pruning_explorer.prune.behaviour import behaviour_of
from pruning_explorer.ui import subjects
from pruning_explorer.ui.explore import waiting
from tests.ui.page import Page

OpenPage = Callable[..., Page]
OPEN = threading.Event()


class Slow(nn.Module):
    """Behind the page it waits until it is let go on; the page itself runs at once."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.second = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        if not threading.current_thread().name.startswith("ScriptRunner"):
            OPEN.wait(60)
        logits: Tensor = self.second(hidden)
        return logits


@pytest.fixture
def slow_page(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        subject = Subject.from_module(Slow(), torch.randn(6, 4), torch.arange(6) % 3, name="slow")
    OPEN.set()
    behaviour_of(subject)  # for which it runs on its inputs, once for all
    monkeypatch.setitem(subjects._OPERATORS, "slow", subject)
    monkeypatch.setattr("pruning_explorer.ui.explore.layer_drift._QUEUE", LayerDriftQueue())
    queue = CurveQueue(lambda: (0.0, 0.25, 0.5, 0.75, 1.0), seeds=1)
    monkeypatch.setattr("pruning_explorer.ui.explore.cliff._QUEUE", queue)
    OPEN.clear()
    yield open_page(subject="slow", amount="0.5")
    OPEN.set()


def captions(page: Page) -> str:
    return "\n".join(each.value for each in page.app.caption)


def keys(page: Page) -> set[str]:
    return {str(each.key) for each in page.app.button}


def run_until(page: Page, stands: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not stands() and time.monotonic() < end:
        page.run()
    assert stands()


def test_layer_drift_is_cancelled_and_gone_on_with(slow_page: Page) -> None:
    page = slow_page
    page.open("Drift by layer")
    assert "layer_drift_progress_cancel" in keys(page)
    assert "No module has been compared yet." in str(page.chart("layer_drift")["layout"]["annotations"])
    page.click("layer_drift_progress_cancel")
    assert "Cancelled at 0 of 2 modules." in captions(page)
    OPEN.set()
    # No slider, no tab begins it again
    page.open("Outputs")
    page.open("Drift by layer")
    assert "Cancelled at 0 of 2 modules." in captions(page)
    page.click("layer_drift_progress_go_on")
    run_until(page, lambda: "2 of 2 modules have outputs to compare." in captions(page))
    assert {"layer_drift_progress_cancel", "layer_drift_progress_go_on"}.isdisjoint(keys(page))


def test_another_recipe_cancels_it_and_starts_its_own(slow_page: Page) -> None:
    page = slow_page
    page.open("Drift by layer")
    page.set_amount(70.0)
    OPEN.set()
    run_until(page, lambda: "2 of 2 modules have outputs to compare." in captions(page))


def test_the_cliff_is_cancelled_and_the_rest_measured_later(slow_page: Page) -> None:
    page = slow_page
    assert "cliff_progress_cancel" in keys(page)
    page.click("cliff_progress_cancel")
    # With nothing removed there is nothing to run
    assert re.search(r"Cancelled at [01] of 5\.", captions(page))
    OPEN.set()
    page.set_amount(70.0)
    assert " of 5." in captions(page)
    page.click("cliff_progress_go_on")
    run_until(page, lambda: "5 amounts, 6 samples." in captions(page))
    assert {"cliff_progress_cancel", "cliff_progress_go_on"}.isdisjoint(keys(page))


def test_a_network_of_millions_has_a_line_for_what_the_page_waits_for(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    real = waiting.st.spinner

    def spinner(words: str, **options: bool) -> object:
        said.append(words)
        return real(words, **options)

    monkeypatch.setattr(waiting.st, "spinner", spinner)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(*(nn.Linear(1024, 1024, bias=False) for _ in range(3)), nn.Linear(1024, 10))
    monkeypatch.setitem(
        subjects._OPERATORS, "millions", Subject.from_module(model, torch.randn(8, 1024), name="millions")
    )
    page = open_page(subject="millions", amount="0.5")
    assert said == [
        "Ranking 3.16 M weights …",
        "Running the network on its 8 samples …",
        "Preparing the layer's picture …",
    ]
    for tab in ("Drift by layer", "Numbers", "Code and recipe"):
        page.open(tab)
        assert (page.errors, page.warnings) == ([], [])
    page.set_amount(80.0)
    assert page.metrics["Sparsity"].value == "80.0 %"
    said.clear()
    page.pick("subject", "tutorial-mlp")
    assert said == []
