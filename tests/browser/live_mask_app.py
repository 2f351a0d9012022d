"""A small app around the live mask alone, for its tests and its benchmark: ``?layer=tiny&amount=50``."""

import numpy as np
import streamlit as st

from pruning_explorer.ui.live_mask import build_payload, build_window, live_mask, released_in_mask
from tests.browser.emptied import emptied

SHAPES = {
    "tiny": (4, 5),
    "linear": (100, 300),
    "narrow": (300, 64),
    "conv": (32, 16, 3, 3),
    "first-conv": (16, 1, 3, 3),
    "first-conv-rgb": (64, 3, 7, 7),
    "bias": (300,),
    "square-256": (256, 256),
    "square-512": (512, 512),
    "square-1024": (1024, 1024),
    "conv-64k": (128, 56, 3, 3),
    "conv-256k": (256, 113, 3, 3),
    "conv-1m": (512, 227, 3, 3),
    "conv-tall": (1024, 100, 3, 3),
    "conv-large": (512, 512, 3, 3),
    "conv-large-tall": (4096, 64, 3, 3),
    "large": (3000, 4096),
}


def weights_of(name: str) -> np.ndarray:
    """Seeded weights with some structure to look at: rows and columns differ in size."""
    shape = SHAPES[name]
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.05, shape).astype(np.float32)
    if len(shape) > 1:
        sides = (shape[0],) + (1,) * (len(shape) - 1), (1, shape[1]) + (1,) * (len(shape) - 2)
        for side in sides:
            values *= (0.4 + rng.gamma(2.0, 0.4, side)).astype(np.float32)
    return values


def rank_of(scores: np.ndarray) -> np.ndarray:
    ranks = np.empty(scores.size, np.uint32)
    ranks[np.argsort(scores, kind="stable")] = np.arange(scores.size, dtype=np.uint32)
    return ranks


def ranking(name: str, channels: bool, cap: float, by_row: bool = False) -> dict[str, object]:
    weights = weights_of(name)
    scores = np.abs(weights).reshape(-1)
    if channels:
        per = np.linalg.norm(weights.reshape(len(weights), -1), axis=1)
        groups = len(per)
        ranks, scores = (np.repeat(v, weights.size // groups) for v in (rank_of(per), per))
    else:
        groups, ranks = scores.size, rank_of(scores)
    if by_row:  # every row is a competition of its own: low scores of one row outlive high ones of another
        places = np.argsort(np.argsort(scores.reshape(len(weights), -1), axis=1, kind="stable"), axis=1)
        ranks = rank_of(places.reshape(-1))
    removed_at = np.rint(np.minimum(np.arange(1001) / 1000, cap) * groups).astype(np.uint32)
    return {"scores": scores, "weights": weights, "ranks": ranks, "removed_at": removed_at, "shape": weights.shape}


@st.cache_data(max_entries=4)
def payload(name: str, channels: bool, cap: float, by_row: bool = False, dim: int = 0) -> bytes:
    note = "whole output channels go together" if channels else "every weight stands for itself"
    key = f"{name}-{channels}-{cap}"
    parts = ranking(name, channels, cap, by_row)
    return build_payload(key=key, title=f"{name}.weight", granularity_note=note, channel_dim=dim, **parts)


@st.cache_data(max_entries=4)
def window(name: str, channels: bool, cap: float, place: tuple[int, int, int, int]) -> bytes:
    parts = ranking(name, channels, cap)
    parts.pop("removed_at")
    return build_window(key=f"{name}-{channels}-{cap}", window=place, **parts)


def follow() -> None:
    released = released_in_mask("mask")
    if released is None:
        return  # the component was left, and has nothing to report any more
    st.session_state.update(amount=round(released.amount * 100, 1), revision=released.revision)


def main() -> None:
    if emptied():
        return
    st.set_page_config(page_title="Live mask", layout="wide")
    names = list(SHAPES)
    asked = st.query_params.get("layer", "tiny")
    st.session_state.setdefault("amount", float(st.query_params.get("amount", "50")))
    layer = st.sidebar.selectbox("Layer", names, index=names.index(asked))
    channels = st.sidebar.toggle("Whole channels", value="channels" in st.query_params)
    cap = st.sidebar.slider("Cap", 0.0, 1.0, float(st.query_params.get("cap", "1")))
    st.sidebar.slider("Amount in the sidebar", 0.0, 100.0, step=0.1, key="amount")
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    if not st.sidebar.toggle("Show the layer", value=True):
        return
    place = st.session_state.get("place")
    state = live_mask(
        payload(layer, channels, cap, "by_row" in st.query_params, int(st.query_params.get("dim", "0"))),
        key="mask",
        layer_key=layer,
        amount=st.session_state.amount / 100,
        revision=st.session_state.get("revision", 0),
        label="Amount to remove",
        help="",
        window_payload=window(layer, channels, cap, place[1]) if place and place[0] == layer else None,
        on_release=follow,
    )
    if state.window and place != (layer, state.window):
        st.session_state.place = (layer, state.window)
        st.rerun()
    st.write(f"Python sees {st.session_state.amount:.1f} %, run {st.session_state.runs}")


if __name__ == "__main__":
    main()
