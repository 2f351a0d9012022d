"""What a browser says of a slider that was let go: it is checked, and the latest counts, whenever it comes."""

from collections.abc import Callable

import pytest

from pruning_explorer import Recipe
from pruning_explorer.ui.release import Release, read_release
from tests.ui.hands import release_amount
from tests.ui.page import Page


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, None),
        ({"release": "80"}, None),
        ({"release": {"amount": float("nan"), "revision": 1}}, None),
        ({"release": {"amount": 0.8, "revision": 1.5}}, None),
        ({"release": {"amount": 0.8004, "revision": 3}}, Release(0.8, 3)),
        ({"release": {"amount": -5, "revision": 1}}, Release(0.0, 1)),
        ({"release": {"amount": 5, "revision": 1}}, Release(1.0, 1)),
    ],
)
def test_what_a_browser_sends_is_checked(state: dict[str, object], expected: Release | None) -> None:
    assert read_release(state) == expected


def test_a_release_that_comes_late_is_not_taken(open_page: Callable[..., Page]) -> None:
    page = open_page(subject="tutorial-mlp", layer_amount="fc2.weight=0.4", layer="fc2.weight")
    release_amount(page.app, 70.0, revision=1_000_005)
    assert page.recipe.amount == 0.7
    release_amount(page.app, 20.0, revision=1_000_004)  # of the same control
    release_amount(page.app, 30.0, key="live_mask-view", revision=1_000_003)  # of another
    assert page.recipe.amount == 0.7
    assert dict(page.recipe.amounts) == {"fc2.weight": 0.4}
    release_amount(page.app, 30.0, key="live_mask-view", revision=1_000_006)
    assert dict(page.recipe.amounts) == {"fc2.weight": 0.3}
    assert page.amount == 70.0


def test_a_layer_without_an_amount_of_its_own_has_no_slider(open_page: Callable[..., Page]) -> None:
    page = open_page(subject="tutorial-mlp", amount="0.2")
    release_amount(page.app, 70.0, key="live_mask-view", revision=1_000_008)  # from when it had one
    assert page.recipe == Recipe(amount=0.2)


@pytest.mark.parametrize("key", ["amount_curve-view", "live_mask-view"])
def test_a_release_whose_taking_was_stopped_is_taken_by_the_next_run(open_page: Callable[..., Page], key: str) -> None:
    page = open_page(subject="tutorial-mlp", layer_amount="fc2.weight=0.5", layer="fc2.weight")

    def stands() -> float:
        return page.recipe.amount if key == "amount_curve-view" else page.recipe.amounts["fc2.weight"]

    def set_back() -> None:
        page.app.session_state["amount"] = 0.5
        page.app.session_state["layer_amounts"] = {"fc2.weight": 0.5}

    release_amount(page.app, 70.0, key=key, revision=1_000_010)
    # What a callback leaves that is stopped before it sets anything: the browser does not say it again
    set_back()
    page.app.session_state["last_release"] = 1_000_009
    page.run()
    assert stands() == 0.7
    set_back()  # set since, by a button: the release is an old one
    page.run()
    assert stands() == 0.5
