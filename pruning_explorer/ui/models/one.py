"""One network: what it is, what is in it, where to go with it, and what it is judged on."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.exports.csv_table import inert
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples.sample_files import ENDINGS, samples_in
from pruning_explorer.sources.own_samples.sample_fit import fit_samples
from pruning_explorer.sources.words import names_a_library
from pruning_explorer.ui import session
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.hand_over import choose_subject, hand_over
from pruning_explorer.ui.models.files import largest
from pruning_explorer.ui.models.loaded import inventory_of
from pruning_explorer.ui.models.looked_at import look_at
from pruning_explorer.ui.own_models import own_models, unused_name
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.subjects import LONGEST_NAME, first_subject, forget_own, is_own, rename_own, subject_names

PROBLEM = session.Key[tuple[str, str]]("samples_problem", ("", ""))
"""The network for which samples were rejected, and the reason."""
EDITION = session.Key[int]("samples_edition", 0)


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
    _samples(subject)


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


def _samples(subject: Subject) -> None:
    st.subheader("What it is judged on", anchor=False)
    if not subject.runnable:
        st.info(
            "Only the weights are known, so nothing can be run. Bring the network with them: as an exported program "
            "(.pt2), by name, or by a function of yours (see “Your code”).",
            icon=":material/info:",
        )
        return
    edition = EDITION.get()
    file = st.file_uploader(
        f"Samples of your own, up to {largest()}",
        type=[ending.removeprefix(".") for ending in ENDINGS],
        key=f"sample_file_{edition}",
        help=help_with_glossary_link(
            "- **.npz**: arrays of inputs, and `labels` if there are any.\n"
            "- **.csv**: a row per sample, with a column `label` if there are labels.\n"
            "- **.zip**: a folder of images, with a folder for each class if there are classes.\n"
            "- **.txt**: a line per sample.",
            "sample",
            "labels",
        ),
        on_change=PROBLEM.forget,
    )
    if file is not None:
        _take_samples(subject, file.name, file.getvalue())
        EDITION.set(edition + 1)
        st.rerun()
    tried_on, problem = PROBLEM.get()
    if tried_on == subject.name:
        st.error(f"Not used, and nothing has changed: {plain(problem, longest=900)}", icon=":material/error:")
    elif subject.samples is None:
        st.caption("It has none yet: without inputs, nothing is run.")
    else:
        shapes = ", ".join(f"{str(t.dtype).removeprefix('torch.')} {list(t.shape)}" for t in subject.samples)
        labels = f"judged by {subject.quality_name}" if subject.labels is not None else "without labels: drift only"
        st.caption(f"Now: {plain(shapes)}, {plain(labels)}.")


def _take_samples(subject: Subject, file_name: str, content: bytes) -> None:
    try:
        with st.spinner(f"Reading {plain(file_name)} …"):
            judged = fit_samples(subject, samples_in(file_name, content))
            own_models().keep(_named(judged, file_name))
    except PruningExplorerError as error:
        PROBLEM.set((subject.name, str(error)))


def _named(judged: Subject, file_name: str) -> Subject:
    """An own network keeps its name; one that is everybody's gets a new one, since theirs stays as it is."""
    name = judged.name
    if not is_own(name):
        name = unused_name(f"{name} on {Path(file_name).stem[:40]}", dict.fromkeys(subject_names()))
    look_at(name)
    return replace(judged, name=name)
