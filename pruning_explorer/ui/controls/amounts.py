"""How much to remove of single layers."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from pruning_explorer.exports.csv_table import inert
from pruning_explorer.figures.short_names import short_layers
from pruning_explorer.ui import session, state
from pruning_explorer.ui.controls.defaults import marked
from pruning_explorer.ui.glossary_link import help_with_glossary_link


@dataclass(frozen=True)
class _Table:
    """The table of the layers' amounts, as it stands.

    Attributes:
        number: another one each time that a table starts anew.
        names: of the layers in its rows.
        base: the amounts, in [0, 1], that it started from.
    """

    number: int
    names: tuple[str, ...]
    base: dict[str, float]

    @property
    def key(self) -> session.Key[dict[str, dict[str, Any]]]:
        """Under which Streamlit keeps what was edited since the table started, as long as it is drawn."""
        return session.Key(f"amounts_{self.number}", {})

    def edited(self, amounts: dict[str, float]) -> dict[str, float]:
        """Amounts with all that was edited."""
        amounts = dict(amounts)
        for row, edit in self.key.get().get("edited_rows", {}).items():
            if "amount" in edit:
                percent, name = edit["amount"], self.names[int(row)]
                if percent is None:
                    amounts.pop(name, None)
                else:
                    amounts[name] = round(min(max(float(percent), 0.0), 100.0) / 100, 4)
        return amounts


_TABLE = session.Key[_Table]("amounts_table", _Table(0, (), {}))


def draw_layer_amounts() -> None:
    """The table of the layers that have an amount of their own."""
    amounts, table = session.LAYER_AMOUNTS.get(), _TABLE.get()
    names = tuple(state.chosen_names())
    if (table.names, table.edited(table.base)) != (names, amounts):
        # Other rows, or amounts that were set elsewhere: it starts anew
        table = _Table(table.number + 1, names, amounts)
        _TABLE.set(table)
    with marked(session.LAYER_AMOUNTS, place="button"):
        # Its label is part of its identity: one that counts would fold it with each new amount
        fold = st.expander("Amounts per layer", key="amounts_open", on_change="rerun")
    if fold.open:
        with fold:
            _draw_table(table)


def _draw_table(table: _Table) -> None:
    st.caption("A layer with an amount of its own is cut by itself; the others keep the shared one.")
    own = pd.Series([_percent(table.base.get(name)) for name in table.names], dtype="Float64")
    frame = pd.DataFrame({"layer": table.names, "label": short_layers(table.names), "amount": own})
    st.data_editor(
        inert(frame),
        key=table.key,
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
                help=help_with_glossary_link(
                    "Amount of this layer alone. Empty: the shared amount.", "amount-per-layer"
                ),
            ),
        },
        on_change=_take_edits,
        args=(table,),
    )


def _take_edits(table: _Table) -> None:
    if table == _TABLE.get():  # else it has a successor
        session.LAYER_AMOUNTS.set(table.edited(session.LAYER_AMOUNTS.get()))


def _percent(amount: float | None) -> float | None:
    return None if amount is None else round(amount * 100, 1)
