"""The chosen layers, each with its mask and how much of it stays."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pruning_explorer.measure.recalibration import why_no_recalibration
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.recipe_settings import SETTINGS
from pruning_explorer.trace import step
from pruning_explorer.ui import session, state
from pruning_explorer.ui.explore.key_figures import PAGE, without_amount
from pruning_explorer.ui.explore.positions import removed_at_positions
from pruning_explorer.ui.layer_list import build_counts, build_thumbnails, layer_list, opened_in_list
from pruning_explorer.ui.plain_text import plain

KEY = "layer_list"
NOTE_HEIGHT = 68
"""Height in pixels of the note below the list; fixed, so that nothing moves when a layer becomes empty."""

MUCH = 0.05
"""Loss of quality, as a fraction of the samples, above which the page explains what BatchNorm has to do with it."""

_LISTS: ByteBoundedCache[tuple[bytes, bytes]] = ByteBoundedCache(
    64 << 20, "lists of layers", weigh=lambda messages: sum(map(len, messages))
)


def draw_layers(report: Report) -> DeltaGenerator:
    """A row for each layer; a click opens one.

    Returns:
        The place below, for :func:`draw_note`: the list needs the masks alone, what it says the quality too.
    """
    counts, thumbnails = _messages(report)
    layer_list(
        key=KEY,
        page=PAGE,
        counts=counts,
        thumbnails=thumbnails,
        opened=state.open_layer(report.masks.targets).name,
        amount=report.recipe.amount,
        revision=session.LAST_RELEASE.get(),
        group=state.SHARED_AMOUNT,
        on_open=_open,
    )
    return st.container(height=NOTE_HEIGHT, border=False, key="layers_note")


def _messages(report: Report) -> tuple[bytes, bytes]:
    subject, recipe = report.subject, report.recipe
    of = without_amount(subject, recipe)

    def make() -> tuple[bytes, bytes]:
        with step("counts and small pictures of the layers"):
            ranked = rank_targets(subject, recipe)
            removed = removed_at_positions(subject, ranked)
            return build_counts(subject, ranked, removed, of), build_thumbnails(ranked, removed)

    # A schedule that scores anew ranks for its own amount
    return _LISTS.get((subject.id, of if recipe.nested else recipe.id), make)


def draw_note(report: Report, place: DeltaGenerator) -> None:
    """What the bars should not leave unsaid, in its place below them."""
    place.caption(_note(report))


def _note(report: Report) -> str:
    emptied = report.sparsity_by_layer.loc[report.sparsity_by_layer["kept"] == 0, "target"].tolist()
    if not emptied:
        return _recalibration_note(report) or "Click a layer to look into it."
    others = f" and {len(emptied) - 1} more" if len(emptied) > 1 else ""
    return (
        f":material/warning: **Layer collapse**: nothing is left of {plain(emptied[0])}{others}. "
        "A cap per layer (among the controls) keeps some of it."
    )


def _recalibration_note(report: Report) -> str:
    """Where BatchNorm may be what fails, and nobody has measured it again."""
    fell = report.quality is not None and float(report.quality.iloc[0]["change"]) < -MUCH
    if report.recipe.recalibrate or not fell or why_no_recalibration(report.subject):
        return ""
    return (
        ":material/lightbulb: BatchNorm still uses the dense network's statistics: switch on "
        f"**{SETTINGS['recalibrate'].label}** among the controls, and see how much of the fall is theirs."
    )


def _open() -> None:
    if name := opened_in_list(KEY):
        session.OPEN_LAYER.set(name)
