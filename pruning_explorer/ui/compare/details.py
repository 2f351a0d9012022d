"""Tabs below the curves; only the open one is computed and sent."""

from collections.abc import Callable

import streamlit as st

from pruning_explorer.comparison_charts import BUDGET_NOTE
from pruning_explorer.figures.sparsity_lines import sparsity_lines
from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.ui.compare.behaviour import draw_behaviour
from pruning_explorer.ui.compare.masks import draw_agreement, draw_masks
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.compare.take_along import draw_take_along
from pruning_explorer.ui.session import Key
from pruning_explorer.ui.show_chart import show_chart

_OPEN_TAB = Key[str]("comparison_tab")


def draw_details(shown: Comparison) -> None:
    """Masks, their agreement, where the budget went, behaviour, and the whole as one file."""
    parts: dict[str, Callable[[Comparison], None]] = {
        "Masks": draw_masks,
        "Agreement": draw_agreement,
        "Sparsity by layer": _sparsity_by_layer,
        "Behaviour": draw_behaviour,
        "Take it along": draw_take_along,
    }
    for tab, draw in zip(st.tabs(list(parts), key=_OPEN_TAB, on_change="rerun"), parts.values(), strict=True):
        if tab.open:
            with tab:
                draw(shown)


def keep_open_tab() -> None:
    """Where the tabs are not drawn: Streamlit would forget which one was open."""
    _OPEN_TAB.keep()


def _sparsity_by_layer(shown: Comparison) -> None:
    st.caption(BUDGET_NOTE)
    chart = sparsity_lines(shown.layers, shown.names)
    show_chart(chart, "sparsity_lines")
    save_table("sparsity-by-layer", lambda: shown.layers)
