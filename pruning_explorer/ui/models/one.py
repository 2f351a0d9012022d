"""One network: what it is, what is in it, where to go with it, and what it is judged on."""

import streamlit as st

from pruning_explorer.exports.csv_table import inert
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.words import names_a_library
from pruning_explorer.ui import session
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.hand_over import choose_subject, hand_over
from pruning_explorer.ui.models.judged_on import draw_judged_on
from pruning_explorer.ui.models.loaded import inventory_of
from pruning_explorer.ui.models.looked_at import look_at
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.subjects import LONGEST_NAME, first_subject, forget_own, is_own, rename_own


def draw_model(subject: Subject) -> None:
    """About it, ways on, its layers, its samples."""
    st.markdown(plain(subject.description, longest=900))
    with st.container(horizontal=True):
        explore = st.button("Prune it on Explore", key="to_explore", type="primary")
        compare = st.button("Compare methods on it", key="to_compare")
        if is_own(subject.name):
            st.button("Forget it", key="forget", on_click=_forget, args=(subject.name,), icon=":material/delete:")
            # By its words a link finds a library's network again, whoever opens it
            if not names_a_library(subject.name):
                _draw_name(subject.name)
    if explore or compare:
        hand_over("explore" if explore else "compare", subject.name)
    _layers(subject)
    draw_judged_on(subject)


def _forget(name: str) -> None:
    forget_own(name)
    if session.SUBJECT.get("") == name:
        choose_subject(first_subject())


def _draw_name(name: str) -> None:
    key = session.Key[str](f"own_name_{name}")
    st.text_input(
        "Its name",
        name,
        key=key,
        max_chars=LONGEST_NAME,
        width=220,
        label_visibility="collapsed",
        help=help_with_glossary_link("What it is called on every page. Write another name to change it.", "subject"),
        on_change=lambda: _rename(name, key.get()),
    )


def _rename(name: str, wanted: str) -> None:
    if not is_own(name):  # forgotten meanwhile
        return
    new = rename_own(name, wanted)
    look_at(new)
    for place in (session.SUBJECT, session.COLUMNS_SUBJECT):
        if place.get("") == name:
            place.set(new)


def _layers(subject: Subject) -> None:
    inventory = inventory_of(subject)
    refused = len(subject.refused)
    st.subheader("Layers", anchor=False)
    st.caption(
        f"{int(inventory.table['offered'].sum()):,} parameters can be pruned"
        + (f"; {refused:,} cannot, and the last column says why." if refused else ".")
        + " Biases and norm layers are left alone until you choose them."
    )
    st.dataframe(
        inert(inventory.table.drop(columns=["offered"] if refused else ["offered", "why_not"])),
        key="layer_table",
        hide_index=True,
        height="content" if len(inventory.table) <= 12 else 460,
        column_config={
            "parameter": st.column_config.TextColumn("Parameter", pinned=True),
            "layer_type": "Layer type",
            "role": "Role",
            "shape": "Shape",
            "weights": st.column_config.NumberColumn("Weights", format="localized"),
            "dtype": "Dtype",
            "why_not": st.column_config.TextColumn("Why it is not offered", width="large"),
        },
    )
