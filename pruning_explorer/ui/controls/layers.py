"""Which network, and which of its layers."""

import streamlit as st

from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui import state
from pruning_explorer.ui.controlled_widget import controlled_widget
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.subjects import opened_by, subject_names


def draw_network() -> Subject:
    """Choose the network."""
    st.selectbox(
        "Network",
        subject_names(),
        key="subject",
        persist_state="session",
        help=help_with_glossary_link(
            "The samples come with what they are judged on; all but tutorial-mlp are trained. Bring your own network "
            "on Models.",
            "subject",
        ),
        on_change=state.on_subject_change,
        filter_mode=None,
    )
    subject = state.subject()
    opened = opened_by(subject.name)
    st.caption(
        plain(subject.description, longest=600),
        help=help_with_glossary_link(f"Whoever started the app opened it as {plain(opened)}.", "subject")
        if opened
        else None,
    )
    return subject


def draw_layers(subject: Subject) -> None:
    """Choose among the layers on offer, by name or by type."""
    on_offer = state.offered_targets()
    names = [target.name for target in on_offer]
    chosen = controlled_widget("layers", state.chosen_names(), same=lambda said, names: set(said) == set(names))
    st.multiselect(
        "Layers",
        names,
        default=chosen.value,
        key=chosen.key,
        placeholder="Search a layer, or choose all",
        help=help_with_glossary_link("Only these lose weights; all others stay dense. Type to search.", "target"),
        on_change=chosen.on_change(state.choose),
    )
    types = sorted({target.layer_type for target in on_offer})
    with st.container(horizontal=True, gap="small"):
        st.button("All", key="layers_all", on_click=state.choose, args=(names,), help="Choose every layer on offer.")
        st.button("None", key="layers_none", on_click=state.choose, args=((),), help="Start from an empty choice.")
        by_type = st.popover(
            "By type", key="types_open", on_change="rerun", help="Choose all layers of one type, and no others."
        )
    if by_type.open:
        with by_type:
            for kind in types:
                of_kind = [target.name for target in on_offer if target.layer_type == kind]
                st.button(
                    f"{plain(kind)} ({len(of_kind)})", key=f"layers_{kind}", on_click=state.choose, args=(of_kind,)
                )
    if reasons := {**state.passed_over_targets(), **subject.refused}:
        with st.popover(f"{len(reasons)} not offered", help="Parameters that cannot be pruned like this, and why."):
            for name, reason in reasons.items():
                st.markdown(f"**{plain(name)}**: {plain(reason)}")
