"""Scores or a mask of one's own, from a file."""

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pruning_explorer.errors import PruningExplorerError, ScoreError
from pruning_explorer.lessons.glossary import glossary
from pruning_explorer.prune import own_scores
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.recipe import Recipe, offered
from pruning_explorer.sources.score_files import LARGEST, read_scores
from pruning_explorer.ui import session, state
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.plain_text import plain

FILE = session.Key[UploadedFile | None]("score_file")
HOLDS = session.Key[str]("score_file_holds")
NAMES = session.Key[dict[str, str]]("score_file_names", {})
"""Name of the file for each criterion that was read from one."""

PROBLEM = session.Key[str | None]("score_file_problem", None)
"""Why the last file was not used; forgotten when the person goes to another page."""


def is_own(name: str) -> bool:
    """Whether a criterion takes a file of one's own."""
    return any(setting.name == "file" for setting in CRITERIA[name].settings)


def own_title(text: str) -> str:
    """How a criterion from a file is called, with the file's name; empty for any other."""
    names = NAMES.get()
    return f"{CRITERIA.read(text).title}, {names[text]}" if text in names else ""


def own_note(text: str) -> str:
    """Which file it came from, and what the amount means for a mask."""
    file = NAMES.get().get(text)
    note = f"From {plain(file)}." if file else ""
    if CRITERIA.read(text).name != "mask":
        return note
    now = "The amount is at 100 %:" if session.AMOUNT.get() == 1 else "At 100 %"
    return f"{note} {now} all goes that the mask removes, and never more.".strip()


def draw_own_file(close: Callable[[], None]) -> None:
    """Upload a file, and take it as scores or as a mask; or take one again that was uploaded before."""
    st.markdown("**From a file**")
    own = [name for name in CRITERIA if is_own(name)]
    if not HOLDS.is_set():
        HOLDS.set(own[0])
    for text in NAMES.get():
        st.button(
            plain(own_title(text)),
            key=f"criterion_{text}",
            on_click=_take,
            args=(text, close),
            icon=":material/check:" if text == session.CRITERION.get() else None,
            width="stretch",
        )
    st.segmented_control(
        "The file holds",
        own,
        key=HOLDS,
        format_func=lambda name: CRITERIA[name].title,
        help=help_with_glossary_link(
            "\n".join(f"- **{CRITERIA[name].title}**: {CRITERIA[name].help}" for name in own),
            *(glossary().word_for("criterion", name) for name in own),
        ),
        required=True,
        width="stretch",
        persist_state="session",
    )
    st.file_uploader(
        "Tensors by parameter name",
        type=["safetensors", "npz"],
        key=FILE,
        max_upload_size=LARGEST >> 20,
        help=help_with_glossary_link(
            "A .safetensors or .npz file whose entries are named as the network's parameters, conv1.weight, each of "
            "its parameter's shape. Layers that the file lacks are not pruned.",
            "state-dict",
        ),
        on_change=_read,
        args=(close,),
    )
    if problem := PROBLEM.get():
        st.error(f"This file was not used, and nothing has changed: {plain(problem)}", icon=":material/error:")


def _read(close: Callable[[], None]) -> None:
    uploaded = FILE.get()
    PROBLEM.set(None)
    if uploaded is None:
        return
    try:
        tensors = read_scores(uploaded.name, uploaded.getvalue())
        text = f"{HOLDS.get()}:file={own_scores.add(tensors)}"
        _check(text)
    except PruningExplorerError as error:
        PROBLEM.set(str(error))
        return
    NAMES.set({**NAMES.get(), text: uploaded.name})
    _take(text, close)


def _check(text: str) -> None:
    """See that the network can be pruned by it.

    Raises:
        PruningExplorerError: it cannot.
    """
    subject = state.subject()
    if missing := CRITERIA.read(text).missing(subject):
        raise ScoreError(missing)
    recipe = Recipe(criterion=text, embeddings=True, biases=True, norms=True)
    if not offered(subject, recipe):
        known = ", ".join(target.name for target in subject.targets[:3])
        raise ScoreError(f"none of its entries belongs to a layer of {subject.name}; name them {known}, …")
    rank_targets(subject, recipe)


def _take(text: str, close: Callable[[], None]) -> None:
    session.CRITERION.set(text)
    if CRITERIA.read(text).name == "mask":
        state.set_amount(1.0)
    close()
