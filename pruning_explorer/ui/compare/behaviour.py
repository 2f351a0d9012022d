"""How the network behaves under each recipe: class by class, and on the samples where recipes disagree."""

import streamlit as st

from pruning_explorer.comparison_charts import exemplar_cards, exemplars_note
from pruning_explorer.figures.class_changes import class_changes
from pruning_explorer.figures.numbers import count
from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.measure.quality import quality_label
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.not_runnable import explain_not_runnable
from pruning_explorer.ui.session import Key
from pruning_explorer.ui.show_chart import show_chart

CARDS = 12
_SHOWN = Key[int]("exemplar_cards", CARDS)
WHICH = {"disagree": "Some recipes keep the answer", "flips": "All that flip"}


def draw_behaviour(shown: Comparison) -> None:
    """Change of quality by class, then the samples whose answer depends on the recipe, hardest first."""
    if shown.subject.samples is None:
        explain_not_runnable(shown.subject, "there is no behaviour to compare")
        return
    changes = shown.classes
    if len(changes) and changes["group"].nunique() > 1:
        chart = class_changes(changes, shown.names, quality_label(shown.subject))
        show_chart(chart, "class_changes")
        save_table("quality-by-class", lambda: changes)
    else:
        st.info("This network's samples have no classes to split the quality by.")
    st.subheader("Samples on which the choice matters", anchor=False)
    st.caption(exemplars_note(shown))
    if shown.exemplars.empty:
        return
    which = st.segmented_control(
        "Samples",
        list(WHICH),
        key="exemplars_shown",
        default="disagree",
        format_func=WHICH.__getitem__,
        required=True,
        help=help_with_glossary_link(
            "Those that flip under some recipes and not under others, or all that flip under any.", "flipped"
        ),
        persist_state="session",
    )
    found = shown.exemplars[shown.exemplars["disagree"]] if which == "disagree" else shown.exemplars
    cards = _SHOWN.get()
    st.html(exemplar_cards(shown, found.head(cards)))
    if cards < len(found):
        st.button(
            f"Show {CARDS} more of {count(len(found))}",
            key="more_exemplars",
            on_click=lambda: _SHOWN.set(cards + CARDS),
        )
    save_table("samples", lambda: shown.exemplars)
