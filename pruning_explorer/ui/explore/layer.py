"""One layer, live while the pointer drags."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import Ranked, rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target
from pruning_explorer.ui import state
from pruning_explorer.ui.live_mask import live_mask
from pruning_explorer.ui.live_mask.payload import POSITIONS, build_payload, build_window

KEY = "live_mask"


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
    left.subheader("The layer, weight by weight", anchor="layer")
    right.selectbox(
        "Open layer",
        names,
        key="open_layer_box",
        help="Or click its bar above.",
        on_change=lambda: st.session_state.update(open_layer=st.session_state["open_layer_box"]),
    )
    own = recipe.amount_of(target)
    alone = _by_itself(recipe, target)
    live = alone if own is not None else replace(recipe, amount=0.0)
    layer_key = f"{subject.id}-{live.id}-{target.name}"
    amount = recipe.amount if own is None else own
    live_mask(
        _payload(subject, live, target, layer_key),
        key=KEY,
        layer_key=layer_key,
        amount_percent=round(amount * 100, 1),
        label=f"Amount of {target.name} (its own), %" if own is not None else "Amount, %",
        help="Drag: everything here follows the pointer. Let go: the rest of the page follows.",
        window_payload=_window(subject, live, target, layer_key),
        on_release=lambda: _take_amount(target.name if own is not None else None),
    )


def _by_itself(recipe: Recipe, target: Target) -> Recipe:
    """The recipe under which a target with an amount of its own is cut: nobody competes with it."""
    return replace(recipe, amount=0.0, amounts={}, scope="layer", targets=(target.name,), frozen=())


def _ranked(subject: Subject, live: Recipe, target: Target) -> tuple[Ranked, int]:
    ranked = rank_targets(subject, live)
    return ranked, next(i for i, each in enumerate(ranked.targets) if each.name == target.name)


def _payload(subject: Subject, live: Recipe, target: Target, layer_key: str) -> bytes:
    def make() -> Bytes:
        ranked, index = _ranked(subject, live, target)
        ranking = ranked.rankings[index]
        return Bytes(
            build_payload(
                key=layer_key,
                title=target.name,
                scores=ranked.per_weight(index, ranking.scores),
                weights=subject.weight(target.name).float().contiguous().numpy(),
                ranks=ranked.per_weight(index, ranking.ranks),
                removed_at=ranked.removed_at(np.arange(POSITIONS) / (POSITIONS - 1))[:, index],
                shape=target.shape,
                granularity_note=_note(live, ranked.granularity.unit),
                channel_dim=target.out_dim,
            )
        )

    return PAYLOADS.get(layer_key, make).content


def _window(subject: Subject, live: Recipe, target: Target, layer_key: str) -> bytes | None:
    asked = (st.session_state.get(KEY) or {}).get("window")
    if not asked or asked.get("key") != layer_key:
        return None
    place = (int(asked["row"]), int(asked["col"]), int(asked["rows"]), int(asked["cols"]))

    def make() -> Bytes:
        ranked, index = _ranked(subject, live, target)
        ranking = ranked.rankings[index]
        return Bytes(
            build_window(
                key=layer_key,
                scores=ranked.per_weight(index, ranking.scores),
                weights=subject.weight(target.name).float().contiguous().numpy(),
                ranks=ranked.per_weight(index, ranking.ranks),
                shape=target.shape,
                window=place,
            )
        )

    return PAYLOADS.get((layer_key, place), make).content


def _note(live: Recipe, unit: str) -> str:
    together = "every weight by itself" if unit == "weights" else f"whole {unit} ({live.granularity})"
    return f"{together}, ranked {'within this layer' if live.scope == 'layer' else 'together with all chosen layers'}"


def _take_amount(layer: str | None) -> None:
    released = (st.session_state.get(KEY) or {}).get("amount_percent")
    if released is None:
        return
    if layer is None:
        state.set_amount(released / 100)
    else:
        state.set_layer_amounts({**st.session_state["layer_amounts"], layer: round(released / 100, 4)})
