"""Why a network is not run, told the same everywhere."""

import streamlit as st

from pruning_explorer.prune.subject import Subject


def what_is_missing(subject: Subject) -> str:
    """In two words, for where a figure would stand."""
    return "no samples" if subject.runnable else "weights only"


def why_nothing_runs(subject: Subject) -> str:
    """In a sentence, with what to do about it."""
    if subject.runnable:
        return "This network has no sample inputs to run on: bring some on Models."
    return "Only the weights of this network are known, so it cannot be run: bring the network itself on Models."


def tell_why_nothing_runs(subject: Subject, lost: str) -> None:
    """In the place of what is ``lost``: ``"its drift cannot be measured"``."""
    st.info(f"{why_nothing_runs(subject)} Until then {lost}.", icon=":material/info:")
