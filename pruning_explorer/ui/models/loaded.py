"""All networks that can be chosen, a row each."""

import pandas as pd
import streamlit as st

from pruning_explorer.exports.csv_table import inert
from pruning_explorer.figures.numbers import memory
from pruning_explorer.measure.inventory import Inventory, take_inventory
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.ui import address_bar, session
from pruning_explorer.ui.address_problems import tell_problems
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.models.looked_at import LOOKED_AT, look_at, take_next
from pruning_explorer.ui.not_runnable import what_is_missing
from pruning_explorer.ui.query import MODELS, Asked
from pruning_explorer.ui.subjects import find_subject, is_sample, subject_names

_INVENTORIES: SubjectCache[Inventory] = SubjectCache(
    16 << 20, lambda inventory: 300 * len(inventory.table), "inventories"
)


def inventory_of(subject: Subject) -> Inventory:
    """A subject's inventory, taken once."""
    return _INVENTORIES.get(subject, lambda: take_inventory(subject))


def draw_loaded() -> Subject:
    """The table of all networks, and which of them is looked at below."""
    st.subheader("Loaded", anchor=False)
    names = subject_names()
    st.dataframe(
        inert(pd.DataFrame([_row(find_subject(name)) for name in names])),
        key="models_table",
        hide_index=True,
        height="content" if len(names) <= 12 else 460,
        column_config={
            "name": st.column_config.TextColumn("Model", pinned=True),
            "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
            "dtypes": "Dtype",
            "size": st.column_config.TextColumn(
                "Size",
                help=help_with_glossary_link("Of all parameters; mapped files are read where needed.", "parameter"),
            ),
            "layers": st.column_config.NumberColumn(
                "Layers",
                help=help_with_glossary_link(
                    "Weights that can be pruned, without embeddings, biases and norm layers.", "target"
                ),
            ),
            "runs": st.column_config.TextColumn(
                "Outputs", help=help_with_glossary_link("What it can be run and judged on.", "sample")
            ),
            "origin": st.column_config.TextColumn("From", width="large"),
        },
    )
    _take_address(names)
    tell_problems(session.MODELS_PROBLEMS)
    take_next()
    if LOOKED_AT.get() not in names:
        chosen = session.SUBJECT.get(names[0])
        LOOKED_AT.set(chosen if chosen in names else names[0])
    name = st.selectbox(
        "Look into",
        names,
        key=LOOKED_AT,
        persist_state="session",
        filter_mode=None,
        help=help_with_glossary_link(
            "Which of these networks is shown below, with its layers and its samples.", "subject"
        ),
    )
    address_bar.tell({"model": [name]})
    return find_subject(name)


def _take_address(names: list[str]) -> None:
    """Look at the network that the address names."""
    query = address_bar.brought()
    if query is None:
        return
    asked = Asked(query, MODELS)
    name = asked.last("model")
    if name in names:
        look_at(name)
    elif name is not None:
        asked.problems.append(f"there is no network called {name!r} here")
    asked.ignore_others()
    session.MODELS_PROBLEMS.set(tuple(asked.problems))
    address_bar.taken()


def _row(subject: Subject) -> dict[str, object]:
    inventory = inventory_of(subject)
    return {
        "name": subject.name,
        "parameters": inventory.parameters,
        "dtypes": ", ".join(inventory.dtypes),
        "size": memory(inventory.nbytes),
        "layers": inventory.layers,
        "runs": what_it_runs_on(subject),
        "origin": subject.origin or ("sample" if is_sample(subject.name) else "your code"),
    }


def what_it_runs_on(subject: Subject) -> str:
    """Its samples in a few words, or why nothing is run."""
    if not subject.runnable or subject.samples is None:
        return what_is_missing(subject)
    return f"{subject.sample_count:,} samples{'' if subject.labels is None else ', labelled'}"
