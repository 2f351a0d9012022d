"""What differs from its default is marked in the sidebar, and goes back by one click."""

from collections.abc import Callable
from typing import Any

import pytest

from pruning_explorer import Recipe
from tests.ui.page import Page

OpenPage = Callable[..., Page]

# The address -> what is marked, and what it goes back to
CHANGES: dict[str, tuple[dict[str, Any], str, str]] = {
    "criterion": ({"criterion": "wanda"}, "back_criterion", "Magnitude"),
    "granularity": ({"granularity": "block"}, "back_granularity", "Single weights"),
    "scope": ({"scope": "global"}, "back_scope", "Each layer"),
    "allocation": ({"allocation": "erk"}, "back_allocation", "each its fraction"),
    "cap": ({"cap": "0.9"}, "back_cap", "100.0 %"),
    "seed": ({"seed": "3"}, "back_seed", "0"),
    "biases": ({"biases": "true"}, "back_biases", "off"),
    "recalibrate": ({"recalibrate": "true"}, "back_recalibrate", "off"),
    "layers": ({"target": ["fc.weight"]}, "back_unwanted", "all"),
    "amounts": ({"layer_amount": ["fc.weight=0.1"]}, "back_layer_amounts", "one amount for all"),
}


def marks(page: Page) -> dict[str, str]:
    """The ways back in the sidebar, by key, with what each says."""
    return {each.key or "": each.label for each in page.app.sidebar.button if str(each.key).startswith("back_")}


def test_nothing_is_marked_at_first(open_page: OpenPage) -> None:
    assert marks(open_page(subject="digits-cnn", amount="0.3")) == {}


@pytest.mark.parametrize(("address", "key", "default"), CHANGES.values(), ids=CHANGES)
def test_what_differs_is_marked_and_one_click_takes_it_back(
    open_page: OpenPage, address: dict[str, Any], key: str, default: str
) -> None:
    page = open_page(subject="digits-cnn", amount="0.3", **address)
    seen = marks(page)
    assert seen.pop("back_all") == "1 changed: take all back"
    assert seen.pop(key).casefold() == f"Back to the default: {default}".casefold()
    assert set(seen) <= {"back_more"}, "the fold that it stands in"
    page.click(key)
    assert page.recipe == Recipe(amount=0.3)
    assert marks(page) == {}


def test_settings_of_what_is_chosen_are_marked_too(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn", granularity="channel:dim=1,n=1", schedule="linear:steps=7")
    assert set(marks(page)) == {
        "back_all",
        "back_granularity",
        "back_channel_dim",
        "back_channel_n",
        "back_more",
        "back_schedule",
        "back_steps",
    }
    page.click("back_channel_dim")
    page.click("back_steps")
    assert str(page.recipe.granularity) == "channel:dim=0,n=1"
    assert str(page.recipe.schedule) == "linear:steps=10"
    page.click("back_all")
    assert page.recipe == Recipe()
    page.pick("granularity", "channel")
    assert str(page.recipe.granularity) == "channel:dim=0,n=2"


def test_all_go_back_together_but_the_network_and_the_amount(open_page: OpenPage) -> None:
    everything: dict[str, Any] = {}
    for address, _, _ in CHANGES.values():
        everything |= address
    del everything["allocation"]  # a global ranking decides by itself
    page = open_page(subject="digits-cnn", amount="0.3", schedule="cubic", **everything)
    assert marks(page)["back_all"] == "10 changed: take all back"
    page.click("back_all")
    assert page.subject.name == "digits-cnn"
    assert page.recipe == Recipe(amount=0.3)
    assert marks(page) == {}


def test_what_decides_nothing_is_no_change(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn", allocation="erk")
    page.pick("scope", "global")
    assert set(marks(page)) == {"back_all", "back_scope"}
