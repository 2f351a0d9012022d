"""A tree of layers as a Streamlit component.

A hand may tick several boxes while a run is under way. So the browser sends the whole choice with a number that grows,
and keeps to it until Python has answered that number.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pruning_explorer.prune.targets import Target
from pruning_explorer.ui.browser import THEME, declare_component
from pruning_explorer.ui.session import Key, component_state

_HERE = Path(__file__).parent
_TREE = declare_component(
    "layer_tree", _HERE / "js/main.js", html=_HERE / "layer_tree.html", css=(THEME, _HERE / "layer_tree.css")
)
FEW = 7
"""Layers that are found without a search."""
_REMEMBERED = 4
"""Offers that a browser may still answer to: those that were drawn last."""
_OFFERS = Key[dict[str, tuple[str, tuple[str, ...]]]]("layer_offers", {})
"""By id: whose layers they are, and their names in order."""


@dataclass(frozen=True)
class Choice:
    """What a hand chose in a tree.

    Attributes:
        names: of the chosen layers.
        among: names of the layers that were there to choose from.
        revision: grows from one choice to the next.
    """

    names: frozenset[str]
    among: frozenset[str]
    revision: int


def layer_tree(
    targets: Sequence[Target],
    *,
    key: str,
    network: str,
    chosen: Collection[str],
    refused: Mapping[str, str],
    revision: int,
    on_choice: Callable[[], None],
) -> None:
    """Show layers as a tree: blocks, then layers, with type, shape and share of all weights that are on offer.

    It shows ``chosen`` whenever Python has taken the last choice of the hand, and keeps to the hand until then.

    Args:
        targets: the layers on offer.
        key: identity on the page.
        network: its name; which blocks are open is remembered for each.
        chosen: names of layers.
        refused: name -> why it is not on offer.
        revision: of the last choice that Python has taken.
        on_choice: called when a hand chose, before the script runs; see :func:`chosen_in_tree`.
    """
    names = tuple(target.name for target in targets)
    offer = _remember(network, names)
    search = len(names) > FEW
    # Its height is known before it is drawn, so that what stands below does not move
    room = f"--tree-known: block; --tree-rows: {rows_of(names)}; --tree-search: {2.375 * search}rem"
    st.html(f"<style>[data-testid=stSidebar] {{ {room} }}</style>")
    data = {
        "network": network,
        "offer": offer,
        "layers": [[target.name, target.layer_type, list(target.shape), target.numel] for target in targets],
        "chosen": "".join(str(int(name in chosen)) for name in names),
        "search": search,
        "refused": list(map(list, refused.items())),
        "revision": revision,
    }
    _TREE(key=key, data=data, on_choice_change=on_choice)


def chosen_in_tree(key: str, network: str) -> Choice | None:
    """The last choice in the tree ``key``; None before the first. For use in ``on_choice``.

    What a browser sends is checked: a choice among layers of another network, or of which nothing is known, is one
    among none.
    """
    value = component_state(key).get("choice")
    if not isinstance(value, Mapping) or not isinstance(value.get("revision"), int):
        return None
    owner, names = _OFFERS.get().get(str(value.get("offer")), ("", ()))
    digits = value.get("chosen")
    if owner != network or not isinstance(digits, str) or len(digits) != len(names) or set(digits) - {"0", "1"}:
        return Choice(frozenset(), frozenset(), value["revision"])
    chosen = frozenset(name for name, digit in zip(names, digits, strict=True) if digit == "1")
    return Choice(chosen, frozenset(names), value["revision"])


def rows_of(names: Collection[str]) -> int:
    """How many rows a tree of these has with all of its blocks open: layers, and blocks that hold several things.

    >>> rows_of(["conv.weight", "block.conv1.weight", "block.conv2.weight"])
    4
    """
    parts: dict[str, set[str]] = {}
    for name in names:
        block = ""
        for part in name.split("."):
            parts.setdefault(block, set()).add(part)
            block += f"{part}."
    return len(names) + sum(len(each) > 1 for block, each in parts.items() if block)


def _remember(network: str, names: tuple[str, ...]) -> str:
    """The id of an offer, by which the browser says what it has chosen among."""
    offer = hashlib.blake2b(json.dumps([network, names]).encode(), digest_size=8).hexdigest()
    known = _OFFERS.get()
    if next(reversed(known), None) != offer:
        others = [(each, of) for each, of in known.items() if each != offer]
        _OFFERS.set({**dict(others[1 - _REMEMBERED :]), offer: (network, names)})
    return offer
