"""Uploads: checked, written to a private place under names of our own, and opened; nothing in them is executed."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pruning_explorer.errors import PruningExplorerError, SubjectError, not_written
from pruning_explorer.figures.numbers import memory
from pruning_explorer.sources.checkpoints.kinds import is_checkpoint, is_exported
from pruning_explorer.sources.checkpoints.shards import CHECKPOINTS
from pruning_explorer.sources.own_samples.sample_files import ENDINGS
from pruning_explorer.sources.words import EXPORTED, networks_in_file, open_file
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.models.looked_at import look_at
from pruning_explorer.ui.models.parts import (
    INDEX,
    UNUSUAL,
    copy_upload,
    first_of_several,
    missing_parts,
    write_parts,
)
from pruning_explorer.ui.own_models import own_models, unused_name
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.session import Key
from pruning_explorer.ui.subjects import subject_names
from pruning_explorer.ui.upload_folders import FOLDERS

MOST_AT_ONCE = 6
"""Most networks of one file that are offered at once."""

EDITION = Key[int]("upload_edition", 0)
PROBLEMS = Key[tuple[str, ...]]("upload_problem", ())
CHOSEN = Key[list[str]]("networks_chosen", [])


@dataclass(frozen=True)
class Several:
    """A file that holds several networks, and waits until one has chosen.

    Attributes:
        file_name: as it was dropped.
        folder: in which it lies.
        path: what to open there.
        names: of the networks.
    """

    file_name: str
    folder: "tempfile.TemporaryDirectory[str]"
    path: Path
    names: tuple[str, ...]


SEVERAL = Key[Several | None]("several_networks", None)

HELP = (
    "A file is judged by its content, whatever it ends in.\n\n"
    "- **.safetensors**: the weights, as Hugging Face and most others write them; of a checkpoint in parts drop its "
    "index (.index.json) together with all its parts.\n"
    "- **.pt, .pth, .bin, .ckpt**: a `state_dict` saved by `torch.save`, alone or in a training checkpoint, of which "
    "all else is left aside. A whole model saved so is a program, and is refused.\n"
    "- **.onnx**: its initializers; drop the file of its weights (.onnx.data) with it.\n"
    "- **.gguf**: tensors of F32, F16 and BF16; quantised ones are listed.\n"
    "- **TorchScript**: its parameters; its code is left aside.\n"
    "- **torch.distributed.checkpoint**: drop all files of the folder, .metadata among them.\n"
    "- **.pt2**: an exported program (`torch.export.save`), network and weights, which can be run."
)


def largest() -> str:
    """How large an uploaded file may be, as the operator has set it (``server.maxUploadSize``, in MiB)."""
    return memory(int(st.get_option("server.maxUploadSize")) << 20)


def draw_upload() -> None:
    """Drop a checkpoint or an exported program; it is opened as soon as it is here."""
    edition = EDITION.get()
    files = st.file_uploader(
        f"A checkpoint or an exported program, up to {largest()}",
        accept_multiple_files=True,
        # A new key empties the box, and with it the copy that Streamlit holds in memory
        key=f"model_files_{edition}",
        help=help_with_glossary_link(HELP, "checkpoint", "exported-program"),
        on_change=PROBLEMS.forget,
    )
    if files:
        missing = missing_parts(files)
        if missing:
            st.info(
                f"This is a checkpoint in parts. Drop these as well: {plain(', '.join(missing))}.",
                icon=":material/hourglass_empty:",
            )
            return
        _open(files)
        EDITION.set(edition + 1)
        st.rerun()
    for problem in PROBLEMS.get():
        _tell(problem)
    if several := SEVERAL.get():
        _draw_choice(several)
    elif not PROBLEMS.get():
        st.caption(
            ".safetensors (in parts, too: with its index), .pt, .onnx, .gguf, or an exported program as .pt2. "
            "Weights alone are enough for scores, masks and sparsity; outputs need the network."
        )


def _draw_choice(several: Several) -> None:
    """Which of the networks in a file to open."""
    if not CHOSEN.is_set():
        CHOSEN.set([several.names[0]])
    with st.container(border=True):
        st.pills(
            f"{plain(several.file_name)} holds {len(several.names):,} networks. Which ones?",
            several.names,
            key=CHOSEN,
            format_func=lambda name: plain(name, longest=60),
            selection_mode="multi",
            help=help_with_glossary_link(
                "Each is opened as a network of its own; a training checkpoint may hold the averages of the weights "
                "beside the weights, or a generator beside its critic.",
                "checkpoint",
            ),
        )
        with st.container(horizontal=True):
            st.button("Open", key="open_chosen", type="primary", on_click=_open_chosen, args=(several,))
            st.button("Leave it", key="open_none", on_click=_leave, args=(several,))


def _leave(several: Several) -> None:
    several.folder.cleanup()
    SEVERAL.forget()
    CHOSEN.forget()


def _open_chosen(several: Several) -> None:
    """Open each network that was chosen, with files of its own, so that each may be forgotten alone."""
    chosen = [name for name in CHOSEN.get() if name in several.names]
    problems = []
    for key in chosen[:MOST_AT_ONCE]:
        folder = FOLDERS.new()
        try:
            path = _linked(several, Path(folder.name))
            name = display_name(several.file_name)
            subject = open_file(path, name=name, key=key)
            called = unused_name(subject.name, dict.fromkeys(subject_names()))
            own_models().keep(replace(subject, name=called, origin=f"{several.file_name}: {subject.origin}"), folder)
            look_at(called)
        except PruningExplorerError as error:
            folder.cleanup()
            problems.append(_about_file(str(error), display_name(several.file_name), several.file_name))
    if chosen:
        _leave(several)
    PROBLEMS.set(tuple(problems))


def _linked(several: Several, folder: Path) -> Path:
    """The same files in another folder, without a copy of what they hold."""
    home = Path(several.folder.name)
    try:
        for file in home.rglob("*"):
            if file.is_file():
                place = folder / file.relative_to(home)
                place.parent.mkdir(parents=True, exist_ok=True)
                os.link(file, place)
    except OSError as error:
        raise SubjectError(not_written(error)) from None
    return folder / several.path.relative_to(home)


def _tell(problem: str) -> None:
    """A problem in its first line; what follows are lines of code that help."""
    said, _, code = problem.partition("\n")
    st.error(f"Not loaded, and nothing has changed: {plain(said, longest=600)}", icon=":material/error:")
    if code:
        st.code(code, language="python", wrap_lines=True)


def _open(files: Sequence[UploadedFile]) -> None:
    """Open what was dropped: one network in parts, or each file by itself."""
    parts_of_one = first_of_several(files)
    groups = [files] if parts_of_one is not None else [[file] for file in files]
    problems = []
    for group in groups:
        named = parts_of_one or group[0]
        with st.spinner(f"Reading {plain(named.name)} …", show_time=True):
            try:
                _take_in(named.name, group)
            except PruningExplorerError as error:
                problems.append(str(error))
    PROBLEMS.set(tuple(problems))


def _take_in(file_name: str, group: Sequence[UploadedFile]) -> None:
    models = own_models()
    folder = FOLDERS.new()
    name = unused_name(display_name(file_name), dict.fromkeys(subject_names()))
    try:
        path = _write(Path(folder.name), file_name, group)
        if len(names := networks_in_file(path, name)) > 1:
            if (earlier := SEVERAL.get()) is not None:
                _leave(earlier)
            SEVERAL.set(Several(file_name, folder, path, names))
            return
        subject = open_file(path, name=name)
        models.keep(replace(subject, origin=f"{file_name}: {subject.origin}"), folder)
    except SubjectError as error:
        folder.cleanup()
        raise SubjectError(_about_file(str(error), name, file_name)) from None
    except BaseException:
        folder.cleanup()
        raise
    look_at(subject.name)


def _about_file(problem: str, name: str, file_name: str) -> str:
    """A problem of a network that was never made, told of the file that the person knows."""
    problem = problem.replace(repr(name), repr(file_name))
    return file_name + problem.removeprefix(name) if problem.startswith(f"{name} ") else f"{file_name}: {problem}"


def display_name(file_name: str) -> str:
    """What a network is called after its file: the part that a person recognises, and no character that misleads.

    >>> display_name("my net (v2).safetensors"), display_name("model.safetensors.index.json"), display_name("../.pt")
    ('my-net-v2', 'model', 'model')
    """
    stem = Path(file_name).name.removesuffix(INDEX)
    for ending in (".tar", ".zip", ".onnx", ".gguf", ".jit", EXPORTED, *CHECKPOINTS):
        stem = stem.removesuffix(ending)
    kept = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in stem)
    words = "-".join(part for part in kept.split("-") if part).strip("._-")
    return words[:60] or "model"


def _write(folder: Path, file_name: str, group: Sequence[UploadedFile]) -> Path:
    """Write files under names of our own, and say which to open.

    Raises:
        SubjectError: it is a file of samples, or the disk is full.
    """
    try:
        return _write_all(folder, file_name, group)
    except OSError as error:
        raise SubjectError(not_written(error)) from None


def _write_all(folder: Path, file_name: str, group: Sequence[UploadedFile]) -> Path:
    first = next(file for file in group if file.name == file_name)
    if file_name.endswith(INDEX) or len(group) > 1:
        return write_parts(folder, first, group)
    ending = next((e for e in (EXPORTED, *CHECKPOINTS) if file_name.lower().endswith(e)), UNUSUAL)
    path = folder / f"model{ending}"
    copy_upload(first, path)
    if file_name.lower().endswith(ENDINGS) and not (is_checkpoint(path) or is_exported(path)):
        raise SubjectError("this is a file of samples; drop it further down, under “What it is judged on”")
    return path
