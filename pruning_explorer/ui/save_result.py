"""Save what the page shows: made when asked for, opened again and compared, then offered."""

import shlex
import shutil
from pathlib import Path
from typing import cast

import streamlit as st

from pruning_explorer.errors import ExportError, PruningExplorerError
from pruning_explorer.exports.contents import What
from pruning_explorer.exports.saving import Export
from pruning_explorer.figures.numbers import memory
from pruning_explorer.measure.report import Report
from pruning_explorer.ui.file_names import file_name
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.own_models import own_models
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.saved_files import SavedFile
from pruning_explorer.ui.subjects import words_in_terminal
from pruning_explorer.ui.upload_folders import FOLDERS

LABELS: dict[What, str] = {"weights": "Weights", "masks": "Masks", "prune": "Pairs of torch"}
MEANINGS: dict[What, str] = {
    "weights": "Every tensor of the network’s `state_dict` by its own name; what is removed is zero. The file is as "
    "large as the dense network’s: zeros take as many bytes.",
    "masks": "One bool for each weight of the chosen layers, True = kept, by the layer’s name.",
    "prune": "As `torch.nn.utils.prune` keeps it, to go on training under the masks: `weight_orig`, dense, and "
    "`weight_mask` for each chosen layer; all else as it is.",
}
ENDINGS = (".safetensors", ".pt")
STEP = 0.02
"""Least progress, as a fraction of the whole, between two updates of the progress bar."""


def draw_save(report: Report, key: str) -> None:
    """What to save, how large it will be, and a button that makes it; then one that fetches it.

    Args:
        key: of the page's widgets.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = st.segmented_control(
            "What to save",
            list(LABELS),
            default="weights",
            key=f"{key}_what",
            format_func=lambda each: LABELS[cast(What, each)],
            required=True,
            help=help_with_glossary_link(
                "Weights with zeros, the masks alone, or the pairs of torch.nn.utils.prune.", "mask"
            ),
        )
        ending = st.segmented_control(
            "As a file",
            ENDINGS,
            default=ENDINGS[0],
            key=f"{key}_ending",
            required=True,
            help=help_with_glossary_link(
                "safetensors holds tensors alone, and this recipe beside them; .pt is a `state_dict` of torch.",
                "checkpoint",
            ),
        )
    st.caption(f"{MEANINGS[what]}{_about_statistics(report, what)}")
    name = file_name(report.subject.name, report.recipe.id, what, ending=ending)
    try:
        wanted = Export(report.subject, report.masks, what, ending)
    except PruningExplorerError as error:
        st.warning(f"This cannot be saved: {plain(str(error))}", icon=":material/warning:")
        return
    saved_as = (report.subject.id, report.recipe.id, what, ending)
    made = own_models().saved.get(saved_as)
    if made is None:
        if st.button(f"Make the file ({memory(wanted.nbytes)})", key=f"{key}_make", type="primary"):
            _make(wanted, name, saved_as)
    else:
        _offer(made)
    _tell_terminal(report, what, name)


def _about_statistics(report: Report, what: What) -> str:
    if not report.masks.recalibrate:
        return ""
    if what == "masks":
        return " BatchNorm’s recalibrated statistics are not in it: save weights or pairs for them."
    return " BatchNorm’s statistics are the recalibrated ones, as the page shows them."


def _make(wanted: Export, name: str, saved_as: tuple[str, ...]) -> None:
    models = own_models()
    try:
        folder = FOLDERS.new()
    except PruningExplorerError as error:
        st.error(f"Not saved, and nothing has changed: {plain(str(error))}", icon=":material/error:")
        return
    path = Path(folder.name) / name
    bar = st.progress(0.0, "Writing, then comparing bit by bit …")
    shown = 0.0

    def tell(share: float) -> None:
        nonlocal shown
        if share - shown >= STEP:
            shown = share
            bar.progress(share, "Writing, then comparing bit by bit …")

    try:
        if wanted.nbytes > shutil.disk_usage(folder.name).free // 2:
            raise ExportError(
                f"the server has no room for {memory(wanted.nbytes)}: a file may take half of what is free on its "
                "disk; make it in a terminal, on a machine that has"
            )
        models.saved.keep(saved_as, wanted.save(path, tell=tell), folder)
    except PruningExplorerError as error:
        folder.cleanup()
        bar.empty()
        said = plain(str(error).replace(str(path), name))
        st.error(f"Not saved, and nothing has changed: {said}", icon=":material/error:")
        return
    except BaseException:  # whoever does something else meanwhile stops it
        folder.cleanup()
        raise
    st.rerun()


def _offer(made: SavedFile) -> None:
    saved = made.saved
    tensors = "one tensor" if saved.tensors == 1 else f"{saved.tensors:,} tensors"
    st.link_button(
        f"Download {plain(saved.path.name)} ({memory(saved.nbytes)})",
        made.address,
        icon=":material/download:",
    )
    st.caption(
        f":material/check: {saved.nbytes:,} bytes. `{saved.library}` opened it again: {tensors}, every bit as shown "
        "here. In plain torch, with `model` a fresh copy of the dense network:"
    )
    st.code(saved.loading, language="python", wrap_lines=True)


def _tell_terminal(report: Report, what: What, name: str) -> None:
    st.caption("In a terminal, with the recipe’s file:")
    recipe = shlex.quote(file_name(report.subject.name, report.recipe.id, ending=".json"))
    st.code(
        f"python -m pruning_explorer export {words_in_terminal(report.subject.name)} --recipe {recipe} --as {what} "
        f"--out {shlex.quote(name)}",
        language="sh",
        wrap_lines=True,
    )
