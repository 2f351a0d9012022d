"""Which network, and which of its layers."""

import streamlit as st

from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui import session, state
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.layer_tree import chosen_in_tree, layer_tree
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.subjects import opened_by, subject_names

KEY = "layer_tree"


def draw_network() -> Subject:
    """Choose the network."""
    subject = state.subject()
    opened = opened_by(subject.name)
    started = f"Whoever started the app opened it as {plain(opened)}." if opened else ""
    about = (
        f"**{plain(subject.name)}**: {plain(subject.description, longest=600)}",
        started,
        "The samples come with what they are judged on; all but tutorial-mlp are trained. Bring your own network on "
        "Models.",
    )
    st.selectbox(
        "Network",
        subject_names(),
        key="subject",
        persist_state="session",
        help=help_with_glossary_link("\n\n".join(filter(None, about)), "subject"),
        on_change=state.on_subject_change,
        filter_mode=None,
    )
    return subject


def draw_layers(subject: Subject) -> None:
    """Choose among the layers on offer: single ones, whole blocks, all of a type, or what a search finds."""
    _take_choice()  # where what took it was stopped, nobody calls it again
    st.markdown(
        ":small[Layers]",
        help=help_with_glossary_link(
            "Only these lose weights; all others stay dense. Tick a block to take all that is in it.", "target"
        ),
    )
    offered = state.offered_targets()
    refused = {name: why for name, why in subject.refused.items() if name not in {each.name for each in offered}}
    layer_tree(
        offered,
        key=KEY,
        network=subject.name,
        chosen=set(state.chosen_names()),
        refused={**state.passed_over_targets(), **refused},
        revision=session.LAST_CHOICE.get(),
        on_choice=_take_choice,
    )


def _take_choice() -> None:
    choice = chosen_in_tree(KEY, session.SUBJECT.get())
    if choice is not None and choice.revision > session.LAST_CHOICE.get():
        state.choose(choice.names, choice.among)
        session.LAST_CHOICE.set(choice.revision)
