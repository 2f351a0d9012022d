"""One layer, live while the pointer drags."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import Ranked, rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target
from pruning_explorer.ui import state
from pruning_explorer.ui.live_mask import build_payload, build_window, live_mask, released_amount
from pruning_explorer.ui.live_mask.payload import POSITIONS

KEY = "live_mask"
WINDOW = "live_mask_asked"
"""In the session: the layer, and the part of it whose single weights were asked for by zooming in."""


@dataclass(frozen=True)
class Bytes:
    """Bytes that a cache can weigh."""

    content: bytes

    @property
    def nbytes(self) -> int:
        return len(self.content)


PAYLOADS: ByteBoundedCache[Bytes] = ByteBoundedCache(limit=256 << 20)


def draw_layer(subject: Subject, recipe: Recipe, chosen: tuple[Target, ...]) -> None:
    """The open layer: which one, and its weights, mask, exit amounts and scores, redrawn in the browser."""
    target = state.open_layer(chosen)
    names = [each.name for each in chosen]
    st.session_state["open_layer_box"] = target.name
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header("The layer, weight by weight", anchor="layer")
    right.selectbox(
        "Open layer",
        names,
        key="open_layer_box",
        help="Or click its bar above.",
        on_change=lambda: st.session_state.update(open_layer=st.session_state["open_layer_box"]),
    )
    own = recipe.amount_of(target)
    live = _by_itself(recipe, target) if own is not None else replace(recipe, amount=0.0)
    layer_key = f"{subject.id}-{target.name}"
    now = live_mask(
        _payload(subject, live, target),
        key=KEY,
        layer_key=layer_key,
        amount_percent=round((recipe.amount if own is None else own) * 100, 1),
        label="Amount" if own is None else f"Amount of {target.name} alone",
        help="Drag: all of this follows the pointer. Let go: the rest of the page follows.",
        window_payload=_window(subject, live, target, layer_key),
        followers=".px-stand" if own is None else "",
        on_release=lambda: _take_amount(None if own is None else target.name),
    )
    if now.window and st.session_state.get(WINDOW) != (layer_key, now.window):
        st.session_state[WINDOW] = (layer_key, now.window)
        st.rerun()


def _by_itself(recipe: Recipe, target: Target) -> Recipe:
    """The recipe under which a target with an amount of its own is cut: nobody competes with it."""
    return replace(recipe, amount=0.0, amounts={}, scope="layer", targets=(target.name,), frozen=())


def _ranked(subject: Subject, live: Recipe, target: Target) -> tuple[Ranked, int]:
    ranked = rank_targets(subject, live)
    return ranked, next(i for i, each in enumerate(ranked.targets) if each.name == target.name)


def _payload(subject: Subject, live: Recipe, target: Target) -> bytes:
    key = _content_key(subject, live, target)

    def make() -> Bytes:
        ranked, index = _ranked(subject, live, target)
        return Bytes(
            build_payload(
                key=key,
                title=target.name,
                removed_at=ranked.removed_at(np.arange(POSITIONS) / (POSITIONS - 1))[:, index],
                granularity_note=_note(live, ranked.granularity.unit),
                channel_dim=target.out_dim,
                **_weight_by_weight(subject, ranked, index),
            )
        )

    return PAYLOADS.get(key, make).content


def _window(subject: Subject, live: Recipe, target: Target, layer_key: str) -> bytes | None:
    layer, place = st.session_state.get(WINDOW, (None, None))
    if layer != layer_key or place is None:
        return None
    key = _content_key(subject, live, target)

    def make() -> Bytes:
        ranked, index = _ranked(subject, live, target)
        return Bytes(build_window(key=key, window=place, **_weight_by_weight(subject, ranked, index)))

    return PAYLOADS.get((key, place), make).content


def _content_key(subject: Subject, live: Recipe, target: Target) -> str:
    return f"{subject.id}-{live.id}-{target.name}"


def _weight_by_weight(subject: Subject, ranked: Ranked, index: int) -> dict[str, Any]:
    target, ranking = ranked.targets[index], ranked.rankings[index]
    return {
        "scores": ranked.per_weight(index, ranking.scores),
        "weights": subject.weight(target.name).float().contiguous().numpy(),
        "ranks": ranked.per_weight(index, ranking.ranks),
        "shape": target.shape,
    }


def _note(live: Recipe, unit: str) -> str:
    together = "every weight by itself" if unit == "weights" else f"whole {unit} ({live.granularity})"
    return f"{together}, ranked {'within this layer' if live.scope == 'layer' else 'together with all chosen layers'}"


def _take_amount(layer: str | None) -> None:
    percent = released_amount(KEY)
    if percent is None:
        return
    if layer is None:
        state.set_amount(percent / 100)
    else:
        state.set_layer_amounts({**st.session_state["layer_amounts"], layer: round(percent / 100, 4)})
