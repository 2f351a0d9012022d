"""One layer, live while the pointer drags."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import ONE_AT_A_TIME_FROM, Ranked, rank_targets
from pruning_explorer.prune.mapped import give_back
from pruning_explorer.prune.ranking import Ranking
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.recipe_settings import Scope
from pruning_explorer.prune.sorting import as_floats
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target
from pruning_explorer.ui import session, state
from pruning_explorer.ui.explore.positions import removed_at_positions
from pruning_explorer.ui.live_mask import build_payload, build_window, live_mask, released_in_mask
from pruning_explorer.ui.live_mask.computed import Computed
from pruning_explorer.ui.live_mask.payload import POSITIONS

KEY = "live_mask"
ALL_FOLLOWS = "Drag: all of this follows the pointer. Let go: the rest of the page follows."
STEPS_FOLLOW = "Drag: this shows who went first on the way to this amount. Let go: the steps to the new one are taken."
RANKED_WITH = {
    "layer": "within this layer",
    "row": "within each output row",
    "global": "together with all chosen layers",
}
WINDOW = session.Key[tuple[str, tuple[int, int, int, int]] | None]("live_mask_asked", None)
"""The layer, and the rows and columns of it whose single weights the person zoomed into."""
AMOUNT_OF = session.Key[str | None]("live_mask_amount_of", None)
"""The layer whose own amount the slider sets; None where there is no slider, as the layer has none."""


@dataclass(frozen=True)
class Bytes:
    """Bytes that a cache can weigh."""

    content: bytes

    @property
    def nbytes(self) -> int:
        return len(self.content)


PAYLOADS: ByteBoundedCache[Bytes] = ByteBoundedCache(256 << 20, "pictures of layers")


def draw_layer(subject: Subject, recipe: Recipe, chosen: tuple[Target, ...]) -> None:
    """The open layer: its weights, mask, exit amounts and scores, redrawn in the browser."""
    target = state.open_layer(chosen)
    own = recipe.amount_of(target)
    shown = _Shown(subject, recipe, target)
    layer_key = f"{subject.id}-{target.name}"
    AMOUNT_OF.set(None if own is None else target.name)
    now = live_mask(
        _payload(shown),
        key=KEY,
        layer_key=layer_key,
        amount=recipe.amount if own is None else own,
        revision=session.LAST_RELEASE.get(),
        group=state.SHARED_AMOUNT if own is None else "",
        label="Amount" if own is None else f"Amount of {target.name} alone",
        help=STEPS_FOLLOW if not recipe.nested else ALL_FOLLOWS if own is not None else "",
        window_payload=_window(shown, layer_key),
        on_release=take_released_amount,
    )
    if now.window and WINDOW.get() != (layer_key, now.window):
        WINDOW.set((layer_key, now.window))
        st.rerun()


@dataclass(frozen=True)
class _Shown:
    """A layer under all amounts of a recipe."""

    subject: Subject
    recipe: Recipe
    target: Target

    @property
    def live(self) -> Recipe:
        """The recipe whose ranking is shown, without what plays no part in it."""
        if not self.recipe.nested:
            return self.recipe
        if self.recipe.amount_of(self.target) is None:
            return replace(self.recipe, amount=0.0)
        return _by_itself(self.recipe, self.target)

    @property
    def key(self) -> str:
        """Identity of the layer and its ranking."""
        return f"{self.subject.id}-{self.live.id}-{self.target.name}"

    def ranked(self) -> tuple[Ranked, int]:
        """All of the recipe's rankings, and which of them is this layer's."""
        ranked = rank_targets(self.subject, self.live)
        return ranked, next(i for i, each in enumerate(ranked.targets) if each.name == self.target.name)

    def removed_at(self, ranked: Ranked, index: int) -> NDArray[np.int64]:
        """Ranks of this layer that are gone at each position of its slider."""
        if self.recipe.amount_of(self.target) is None:
            return removed_at_positions(self.subject, ranked)[:, index]
        alone = replace(
            ranked,
            recipe=_by_itself(self.recipe, self.target),
            targets=(self.target,),
            rankings=(ranked.rankings[index],),
            joint=(False,),
        )
        return alone.removed_at(np.arange(POSITIONS) / (POSITIONS - 1))[:, 0]


def _by_itself(recipe: Recipe, target: Target) -> Recipe:
    """The recipe under which a target with an amount of its own is cut: nobody competes with it."""
    scope: Scope = "row" if recipe.scope == "row" else "layer"
    return replace(recipe, amount=0.0, amounts={}, scope=scope, allocation="each", targets=(target.name,), frozen=())


def _payload(shown: _Shown) -> bytes:
    def make() -> Bytes:
        ranked, index = shown.ranked()
        content = build_payload(
            key=shown.key,
            title=shown.target.name,
            removed_at=shown.removed_at(ranked, index),
            granularity_note=_note(shown.recipe) + _experts(shown.target),
            channel_dim=shown.target.picture[1],
            rank_scores=_rank_scores(ranked.rankings[index]),
            **_weight_by_weight(shown.subject, ranked, index),
        )
        if shown.target.numel >= ONE_AT_A_TIME_FROM:
            give_back(shown.subject.weight(shown.target.name))
        return Bytes(content)

    return PAYLOADS.get((shown.subject.id, shown.key), make).content


def _window(shown: _Shown, layer_key: str) -> bytes | None:
    layer, place = WINDOW.get() or (None, None)
    return window_of(shown, place) if layer == layer_key and place is not None else None


def window_of(shown: _Shown, place: tuple[int, int, int, int]) -> bytes:
    """Single weights of a part of a large layer, ``(row, col, rows, cols)`` in cells of its picture."""

    def make() -> Bytes:
        ranked, index = shown.ranked()
        return Bytes(build_window(key=shown.key, window=place, **_weight_by_weight(shown.subject, ranked, index)))

    return PAYLOADS.get((shown.subject.id, shown.key, place), make).content


def _weight_by_weight(subject: Subject, ranked: Ranked, index: int) -> dict[str, Any]:
    """Scores, weights and ranks of a layer, of which no copy is made where each weight is a group by itself."""
    target, ranking = ranked.targets[index], ranked.rankings[index]
    weight = subject.weight(target.name).reshape(-1)
    ranks, of_ranks = ranked.per_weight(index, ranking.ranks), _rank_scores(ranking)

    def weights_at(at: slice | NDArray[Any]) -> NDArray[Any]:
        return as_floats(weight[at if isinstance(at, slice) else torch.from_numpy(at)])

    return {
        "scores": ranked.per_weight(index, ranking.scores)
        if of_ranks is None
        else Computed(target.numel, lambda at: of_ranks[ranks[at]]),
        "weights": Computed(target.numel, weights_at),
        "ranks": ranks,
        "shape": target.picture[0],
    }


def _rank_scores(ranking: Ranking) -> Computed | None:
    """The scores in the order in which their groups go; None where a rank has no score of its own."""
    return Computed(ranking.groups, ranking.scores_of) if ranking.ordered_scores else None


def _note(recipe: Recipe) -> str:
    granularity, grouping = recipe.granularity, recipe.granularity.grouping
    each = "every weight by itself" if grouping.within_rows else f"whole {grouping.unit} ({granularity})"
    together = granularity.together(granularity.values) or each
    return f"{together}, ranked {RANKED_WITH[recipe.scope]}"


def _experts(target: Target) -> str:
    return f"; {target.experts} experts below one another, each a matrix by itself" if target.experts else ""


def take_released_amount() -> None:
    """Take what the slider of a layer's own amount was let go at: when the browser says so, and at the beginning of
    each run, since nobody says it again where that was stopped.
    """

    def of_the_layer(amount: float) -> None:
        if (layer := AMOUNT_OF.get()) is not None:
            session.LAYER_AMOUNTS.set({**session.LAYER_AMOUNTS.get(), layer: amount})

    state.take_release(released_in_mask(KEY), of_the_layer)
