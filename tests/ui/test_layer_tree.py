"""The tree of layers, as far as Python has a part in it: what it offers, and what of a browser's answer it takes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from pruning_explorer.ui.layer_tree import chosen_in_tree
from pruning_explorer.ui.layer_tree.component import rows_of
from tests.ui.hands import choose_layers, layers_shown
from tests.ui.page import Page

OpenPage = Callable[..., Page]

EVERY = ["fc1.weight", "fc2.weight", "fc3.weight"]


def answer(page: Page, choice: object) -> None:
    """What any browser may send, and a run."""
    proto = next(each.proto for each in page.app.get("bidi_component") if each.proto.id.endswith("-layer_tree"))
    states: WidgetStates = page.app._tree.get_widget_states()
    states.widgets.append(WidgetState(id=proto.id, json_value=json.dumps({"choice": choice})))
    page.app._run(states)
    assert not page.app.exception


def offer_of(page: Page) -> str:
    proto = next(each.proto for each in page.app.get("bidi_component") if each.proto.id.endswith("-layer_tree"))
    return str(json.loads(proto.json)["offer"])


def test_what_a_hand_ticks_is_chosen_and_an_older_choice_is_not_taken_again(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp")
    choose_layers(page.app, ["fc2.weight"], revision=2_000)
    assert layers_shown(page.app) == {"fc1.weight": False, "fc2.weight": True, "fc3.weight": False}
    choose_layers(page.app, EVERY, revision=1_999)
    assert page.layers == ["fc2.weight"]
    page.click("back_unwanted")  # the browser says its last word with every other one
    assert page.layers == EVERY


@pytest.mark.parametrize(
    "choice",
    [
        None,
        "110",
        {"offer": "unknown", "chosen": "110", "revision": 5},
        {"chosen": "110", "revision": 5},
        {"chosen": "1", "revision": 5},
        {"chosen": "1x0", "revision": 5},
        {"chosen": [1, 1, 0], "revision": 5},
        {"chosen": "110", "revision": "5"},
        {"chosen": "110", "revision": None},
    ],
)
def test_what_makes_no_sense_changes_nothing(open_page: OpenPage, choice: Any) -> None:
    page = open_page(subject="digits-mlp")
    if isinstance(choice, dict) and len(choice) == 2 and choice["chosen"] != "110":
        choice = {"offer": offer_of(page), **choice}
    answer(page, choice)
    assert page.layers == EVERY


def test_a_choice_is_one_among_what_the_browser_had_seen(open_page: OpenPage) -> None:
    """Biases that come in meanwhile were not there to choose from: they are chosen, as ever."""
    page = open_page(subject="digits-mlp")
    before = offer_of(page)
    page.switch("biases", True)
    answer(page, {"offer": before, "chosen": "010", "revision": 7_000})
    assert page.layers == ["fc1.bias", "fc2.weight", "fc2.bias", "fc3.bias"]


def test_a_choice_for_another_network_is_none_for_this_one(open_page: OpenPage) -> None:
    page = open_page(subject="digits-mlp")
    before = offer_of(page)
    page.pick("subject", "spirals-mlp")  # its layers have the same names
    answer(page, {"offer": before, "chosen": "010", "revision": 8_000})
    assert page.layers == EVERY
    assert page.app.session_state["last_choice"] == 8_000, "else the browser would wait for its answer"


@pytest.fixture
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    state: dict[str, Any] = {}
    monkeypatch.setattr("streamlit.session_state", state)
    return state


def test_before_the_first_word_of_a_browser_there_is_no_choice(nothing_said: dict[str, Any]) -> None:
    assert chosen_in_tree("layer_tree", "digits-mlp") is None
    nothing_said["layer_tree"] = {"choice": {"revision": 3}}
    choice = chosen_in_tree("layer_tree", "digits-mlp")
    assert choice is not None
    assert (choice.names, choice.among, choice.revision) == (frozenset(), frozenset(), 3)


PARTS = st.text("ab", min_size=0, max_size=2)
NAMES = st.lists(st.lists(PARTS, min_size=1, max_size=4).map(".".join), unique=True, max_size=12)


@given(NAMES)
def test_a_tree_has_a_row_for_each_layer_and_each_block_of_several(names: list[str]) -> None:
    blocks = {".".join(name.split(".")[:i]) for name in names for i in range(1, name.count(".") + 1)}
    several = [
        block
        for block in blocks
        if len({n[len(block) + 1 :].split(".")[0] for n in names if n.startswith(f"{block}.")}) > 1
    ]
    assert rows_of(names) == len(names) + len(several)
