"""How much to remove, of all layers and of single ones."""

from typing import Any

import pandas as pd
import streamlit as st

from pruning_explorer.exports.csv_table import inert
from pruning_explorer.figures.short_names import short_layers
from pruning_explorer.prune.recipe import SETTINGS
from pruning_explorer.ui import session, state
from pruning_explorer.ui.amount_control import amount_control, released_by_control
from pruning_explorer.ui.glossary_link import with_word

KEY = "amount_control"
LABEL = "Amount, %"

_NAMES = session.Key[list[str]]("amounts_names", [])
"""The layers in the table."""


def draw_amounts() -> None:
    """The amount for all, and the table of those that differ."""
    _amount()
    _layer_amounts()


def _amount() -> None:
    setting = SETTINGS["amount"]
    _take_amount()  # where what took it was stopped, nobody calls it again
    with st.container(key="amount", gap=None):
        st.markdown(
            f":small[{LABEL}]",
            help=with_word(
                f"{setting.help} Drag, or type it. The open layer's picture follows while you drag.",
                setting.name,
            ),
        )
        amount_control(
            key=KEY,
            label=LABEL,
            exact="Amount, exact, %",
            amount=session.AMOUNT.get(),
            revision=session.LAST_RELEASE.get(),
            group=state.SHARED_AMOUNT,
            on_release=_take_amount,
        )


def _take_amount() -> None:
    state.take_release(released_by_control(KEY), state.set_amount)


def _layer_amounts() -> None:
    names = state.chosen_names()
    if _NAMES.get() != names:
        # Other rows: the table starts anew, from the amounts as they are now
        _NAMES.set(names)
        state.set_layer_amounts(session.LAYER_AMOUNTS.get())
    count = sum(name in session.LAYER_AMOUNTS.get() for name in names)
    # Its label is part of its identity: one that counts would fold it with each new amount
    table = st.expander(
        "Amounts per layer",
        key="amounts_open",
        # The table is not kept while it is closed: it starts anew, from the amounts as they are then
        on_change=lambda: state.set_layer_amounts(session.LAYER_AMOUNTS.get()),
    )
    if table.open:
        with table:
            _amounts_table(names, session.AMOUNTS_BASE.get())
            if count:
                st.button(
                    "Back to one amount for all", key="amounts_reset", on_click=state.set_layer_amounts, args=({},)
                )
    if count:
        have = "layer has an amount of its own" if count == 1 else "layers have amounts of their own"
        st.caption(f"{count} {have}.")


def _amounts_table(names: list[str], base: dict[str, float]) -> None:
    st.caption("A layer with an amount of its own is cut by itself; the others keep the shared one.")
    own = pd.Series([_percent(base.get(name)) for name in names], dtype="Float64")
    frame = pd.DataFrame({"layer": names, "label": short_layers(names), "amount": own})
    key = _table_key()
    st.data_editor(
        inert(frame),
        key=key,
        hide_index=True,
        disabled=["layer", "label"],
        column_order=["label", "amount"],  # all of a long name would be cut off at its end, where names differ
        column_config={
            "label": st.column_config.TextColumn("Layer", width=132),
            "amount": st.column_config.NumberColumn(
                "Own, %",
                width=64,
                min_value=0.0,
                max_value=100.0,
                step=0.1,
                format="%.1f",
                help=with_word("Amount of this layer alone. Empty: the shared amount.", "amount-per-layer"),
            ),
        },
        on_change=_take_edits,
        args=(key, names),
    )


def _take_edits(key: session.Key[dict[str, dict[str, Any]]], names: list[str]) -> None:
    if key != _table_key():
        return  # a table that has a successor
    amounts = dict(session.LAYER_AMOUNTS.get())
    for row, edit in key.get()["edited_rows"].items():
        if "amount" in edit:
            percent = edit["amount"]
            if percent is None:
                amounts.pop(names[int(row)], None)
            else:
                amounts[names[int(row)]] = round(min(max(float(percent), 0.0), 100.0) / 100, 4)
    session.LAYER_AMOUNTS.set(amounts)


def _table_key() -> session.Key[dict[str, dict[str, Any]]]:
    """Of the table that stands there now; under it Streamlit keeps what was edited since it started."""
    return session.Key(f"amounts_{session.AMOUNTS_EDITION.get()}")


def _percent(amount: float | None) -> float | None:
    return None if amount is None else round(amount * 100, 1)
