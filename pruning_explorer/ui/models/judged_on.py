"""What a network is judged on, and what criteria may look at: samples from a file, one part of them, or a share."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from pruning_explorer.errors import PruningExplorerError, SubjectError, not_written
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples.sample_files import ENDINGS, parts_in, samples_in
from pruning_explorer.sources.own_samples.sample_fit import fit_calibration, fit_samples
from pruning_explorer.sources.own_samples.sample_parts import Parts
from pruning_explorer.sources.own_samples.sample_share import keep_apart
from pruning_explorer.ui import session
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.models.files import largest
from pruning_explorer.ui.models.looked_at import look_at
from pruning_explorer.ui.own_models import own_models, unused_name
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.subjects import is_own, subject_names
from pruning_explorer.ui.upload_folders import FOLDERS

TYPES = [ending.removeprefix(".") for ending in ENDINGS]
HELP = (
    "- **.npz**: arrays of inputs, and `labels` if there are any; `calibration` and `calibration_labels` for what "
    "criteria may look at.\n"
    "- **.csv**: a row per sample, with a column `label` if there are labels.\n"
    "- **.zip**: a folder of images, with a folder for each class if there are classes.\n"
    "- **.txt**: a line per sample.\n\n"
    "Of folders, files or arrays called train, validation or test one is judged."
)
SHARE_HELP = (
    "So many of its samples are drawn and no longer judged: criteria that need inputs look at these alone. The same "
    "seed draws the same ones. Other samples put all of them back."
)

PROBLEM = session.Key[tuple[str, str]]("samples_problem", ("", ""))
"""The network for which samples were rejected, and the reason."""
EDITION = session.Key[int]("samples_edition", 0)
PART = session.Key[str | None]("samples_part", None)
SEEN_PART = session.Key[str | None]("calibration_part", None)
SHARE = session.Key[float]("calibration_share", 20.0)
SEED = session.Key[int]("calibration_seed", 0)


@dataclass(frozen=True)
class InParts:
    """A file that holds several parts, and waits until one has chosen.

    Attributes:
        subject: the name of the network for which it was dropped.
        file_name: as it was dropped.
        folder: in which it lies.
        parts: which it holds.
        calibrates: whether it was dropped for calibration.
    """

    subject: str
    file_name: str
    folder: "tempfile.TemporaryDirectory[str]"
    parts: Parts
    calibrates: bool

    @property
    def path(self) -> Path:
        return Path(self.folder.name) / "samples.file"


WAITING = session.Key[InParts | None]("samples_in_parts", None)


def draw_judged_on(subject: Subject) -> None:
    """Its samples and its calibration inputs, and how others come."""
    st.subheader("What it is judged on", anchor=False)
    if not subject.runnable:
        st.info(
            "Only the weights are known, so nothing can be run. Bring the network with them: as an exported program "
            "(.pt2), by name, or by a function of yours (see “Your code”).",
            icon=":material/info:",
        )
        return
    _draw_upload(subject, f"Samples of your own, up to {largest()}", "sample_file", ("sample", "labels"))
    waiting = WAITING.get()
    if waiting is not None and waiting.subject == subject.name:
        _draw_parts(subject, waiting)
    tried_on, problem = PROBLEM.get()
    if tried_on == subject.name:
        st.error(f"Not used, and nothing has changed: {plain(problem, longest=900)}", icon=":material/error:")
    st.caption(_now(subject))
    fold = st.expander("Calibration inputs", key="calibration_open", on_change="rerun")
    if fold.open:
        with fold:
            _draw_calibration(subject)


def _now(subject: Subject) -> str:
    """What the network is run on now, and what criteria look at."""
    if subject.samples is None:
        said = "It has none yet: without inputs, nothing is run."
    else:
        shapes = ", ".join(f"{str(t.dtype).removeprefix('torch.')} {list(t.shape)}" for t in subject.samples)
        labels = f"judged by {subject.quality_name}" if subject.labels is not None else "without labels: drift only"
        said = f"Now: {plain(shapes)}, {plain(labels)}."
    if subject.calibration is None:
        return f"{said} For calibration: none."
    labelled = "with labels" if subject.calibration_labels is not None else "without labels"
    return f"{said} For calibration: {len(subject.calibration[0]):,} inputs, {labelled}."


def _draw_calibration(subject: Subject) -> None:
    st.caption(
        "What Gradient × weight, Fisher, Wanda, activations and recalibration look at; none of it is judged. It comes "
        "as a file, as a share of the samples that is kept apart, or as `calibration` in an .npz of samples."
    )
    _draw_upload(
        subject,
        f"Calibration inputs of your own, up to {largest()}",
        "calibration_file",
        ("calibration-inputs",),
        calibrates=True,
    )
    if subject.whole.sample_count < 2:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Share of the samples, %",
            min_value=0.1,
            max_value=99.0,
            value=SHARE.get(),
            step=5.0,
            format="%g",
            key=SHARE,
            width=200,
            help=help_with_glossary_link(SHARE_HELP, "calibration-inputs"),
        )
        st.number_input(
            "Seed",
            min_value=0,
            max_value=2**31,
            value=SEED.get(),
            key=SEED,
            width=140,
            help=help_with_glossary_link("Which samples are drawn.", "calibration-inputs"),
        )
        st.button("Keep apart", key="keep_apart", on_click=_keep_apart, args=(subject,))


def _draw_upload(subject: Subject, label: str, key: str, words: tuple[str, ...], *, calibrates: bool = False) -> None:
    """A box for a file of samples, which is taken as soon as it is here."""
    edition = EDITION.get()
    file = st.file_uploader(
        label,
        type=TYPES,
        # A new key empties the box, and with it the copy that Streamlit holds in memory
        key=f"{key}_{edition}",
        help=help_with_glossary_link(HELP, *words),
        on_change=PROBLEM.forget,
    )
    if file is not None:
        _take(subject, file.name, file.getvalue(), calibrates=calibrates)
        EDITION.set(edition + 1)
        st.rerun()


def _draw_parts(subject: Subject, waiting: InParts) -> None:
    """Which part of a file is judged, and which one criteria may look at."""
    names = waiting.parts.names
    if PART.get() not in names:
        PART.set(waiting.parts.default)
    with st.container(border=True):
        purpose = "may criteria look at" if waiting.calibrates else "is judged"
        st.pills(
            f"{plain(waiting.file_name)} holds {len(names):,} parts. Which one {purpose}?",
            names,
            key=PART,
            format_func=lambda name: plain(name, longest=60),
            help=help_with_glossary_link("The one that is held out by its name, unless you choose another.", "sample"),
        )
        if not waiting.calibrates:
            others = [name for name in names if name != PART.get()]
            if SEEN_PART.get() not in others:
                SEEN_PART.set(None)
            st.pills(
                "And which one may criteria look at? Without any, the others are left aside.",
                others,
                key=SEEN_PART,
                format_func=lambda name: plain(name, longest=60),
                help=help_with_glossary_link("Best the one that it was trained on.", "calibration-inputs"),
            )
        with st.container(horizontal=True):
            st.button("Take it", key="take_part", type="primary", on_click=_take_part, args=(subject, waiting))
            st.button("Leave it", key="leave_parts", on_click=_leave)


def _leave() -> None:
    waiting = WAITING.get()
    if waiting is not None:
        waiting.folder.cleanup()
    for key in (WAITING, PART, SEEN_PART):
        key.forget()


def _take(subject: Subject, file_name: str, content: bytes, *, calibrates: bool) -> None:
    def take() -> None:
        _leave()
        if (parts := parts_in(file_name, content)) is not None:
            waiting = InParts(subject.name, file_name, FOLDERS.new(), parts, calibrates)
            try:
                waiting.path.write_bytes(content)
            except OSError as error:
                raise SubjectError(not_written(error)) from None
            WAITING.set(waiting)
            return
        fit = fit_calibration if calibrates else fit_samples
        _keep(fit(subject, samples_in(file_name, content)), f"on {Path(file_name).stem[:40]}")

    with st.spinner(f"Reading {plain(file_name)} …"):
        _try(subject, take)


def _take_part(subject: Subject, waiting: InParts) -> None:
    part, seen = PART.get() or waiting.parts.default, SEEN_PART.get()

    def take() -> None:
        content = waiting.path.read_bytes()
        fit = fit_calibration if waiting.calibrates else fit_samples
        judged = fit(subject, samples_in(waiting.file_name, content, part))
        if seen is not None and seen != part and not waiting.calibrates:
            judged = fit_calibration(judged, samples_in(waiting.file_name, content, seen))
        _keep(judged, f"on {Path(waiting.file_name).stem[:40]}")

    PROBLEM.forget()
    _try(subject, take)
    _leave()


def _keep_apart(subject: Subject) -> None:
    PROBLEM.forget()
    share, seed = SHARE.get(), SEED.get()
    _try(subject, lambda: _keep(keep_apart(subject, share / 100, seed), f"with {share:g} % apart"))


def _try(subject: Subject, take: Callable[[], None]) -> None:
    try:
        take()
    except PruningExplorerError as error:
        PROBLEM.set((subject.name, str(error)))


def _keep(judged: Subject, words: str) -> None:
    """An own network keeps its name; one that is everybody's gets a new one, since theirs stays as it is."""
    name = judged.name
    if not is_own(name):
        name = unused_name(f"{name} {words}", dict.fromkeys(subject_names()))
    own_models().keep(replace(judged, name=name))
    look_at(name)
