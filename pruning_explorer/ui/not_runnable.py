"""Why a network cannot be run, in the same words on every page."""

import streamlit as st

from pruning_explorer.prune.subject import Subject


def what_is_missing(subject: Subject) -> str:
    """What a network lacks, in two words to be shown in place of a figure."""
    return "no samples" if subject.runnable else "weights only"


def why_not_runnable(subject: Subject) -> str:
    """Why a network cannot be run, in a sentence that says what to do about it."""
    if subject.runnable:
        return "This network has no sample inputs to run on: bring some on Models."
    return "Only the weights of this network are known, so it cannot be run: bring the network itself on Models."


def explain_not_runnable(subject: Subject, lost: str) -> None:
    """Show why, and what is ``lost`` by it: ``"its drift cannot be measured"``."""
    st.info(f"{why_not_runnable(subject)} Until then {lost}.", icon=":material/info:")
