"""The key figures of a report, each with its change from dense."""

from dataclasses import replace

import streamlit as st

from pruning_explorer.figures.numbers import (
    MISSING,
    UNCOUNTED,
    capitalised,
    count,
    decimal,
    percent,
    points,
    short_count,
    some_of,
)
from pruning_explorer.measure.quality import quality_label
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui import session, state
from pruning_explorer.ui.key_figures import Basis, Figure, key_figures, send_amount, send_figures, send_no_figures
from pruning_explorer.ui.not_runnable import what_is_missing, why_not_runnable
from pruning_explorer.ui.plain_text import plain

DRIFT = "Drift, nats"
PAGE = "explore"
"""The store of what is about the whole page, in the browser."""


def place_key_figures() -> None:
    """The line, before anything is known; :func:`tell_amount` and :func:`draw_key_figures` fill it."""
    key_figures(key="key_figures_view", page=PAGE)


def tell_amount(subject: Subject, recipe: Recipe) -> None:
    """Say what will be measured now."""
    send_amount(
        PAGE,
        amount=recipe.amount,
        revision=session.LAST_RELEASE.get(),
        group=state.SHARED_AMOUNT,
        of=without_amount(subject, recipe),
        quality=capitalised(quality_label(subject)),
    )


def without_amount(subject: Subject, recipe: Recipe) -> str:
    """An id of all that a curve over amounts hangs on: the network, and its recipe but for the amount."""
    return f"{subject.id}-{replace(recipe, amount=0.0).id}"


def draw_key_figures(report: Report) -> None:
    """Sparsity, parameters, quality, drift and theoretical multiply-adds."""
    send_figures(
        PAGE,
        (_sparsity(report), _parameters(report), _quality(report), _drift(report), _multiply_adds(report)),
        _basis(report),
        amount=report.recipe.amount,
        of=without_amount(report.subject, report.recipe),
    )


def tell_no_figures() -> None:
    """Leave a dash in each place: what is set cannot be measured."""
    send_no_figures(PAGE)


def draw_notes(report: Report) -> None:
    """What must be known to read the figures right."""
    for note in report.notes:
        st.warning(plain(note, longest=600), icon=":material/warning:")
    if report.quality_problem is not None:
        st.warning(f"Quality is not known: {plain(report.quality_problem)}", icon=":material/warning:")


def _basis(report: Report) -> Basis:
    totals, recipe = report.sparsity, report.recipe
    moving = sum(target.numel for target in report.masks.targets if recipe.amount_of(target) is None)
    left, counted = _left(report)
    return Basis(
        requested=totals["requested"],
        moving=moving / totals["weights"] if totals["weights"] else 0.0,
        left=left,
        nonzero=counted,
        parameters=totals["parameters"],
        samples=report.subject.sample_count,
    )


def _left(report: Report) -> tuple[int, bool]:
    """Parameters that are not zero, and whether that is counted; else those that are left."""
    totals = report.sparsity
    left = totals["nonzero_parameters"]
    # to count zeros, all values would have to be read, where there are any
    return (totals["parameters"] - totals["removed"], False) if left is None else (left, True)


def _sparsity(report: Report) -> Figure:
    totals = report.sparsity
    return Figure(
        "sparsity",
        "Sparsity",
        percent(totals["achieved"]),
        f"requested {percent(totals['requested'])}",
        f"Share of the chosen layers' {count(totals['weights'])} weights that are removed. It differs from the "
        "requested where amounts are rounded to whole weights or channels, and where a cap holds. Of all weights "
        f"of the network {percent(totals['achieved_of_weights'])} are removed; of all parameters, biases and norms "
        f"included, {percent(totals['achieved_of_all'])}.",
        ("sparsity", "requested"),
    )


def _parameters(report: Report) -> Figure:
    all_of_them = report.sparsity["parameters"]
    left, counted = _left(report)
    not_zero = "are not zero" if counted else "are left (which of them are zero is not counted here)"
    return Figure(
        "parameters",
        "Parameters",
        short_count(left),
        percent(left / all_of_them - 1),
        f"{count(left)} of {count(all_of_them)} parameters {not_zero}, biases and norms included. The tensors "
        "keep their shapes: a mask by itself makes no file smaller.",
        ("parameter",),
    )


def _quality(report: Report) -> Figure:
    label = quality_label(report.subject)
    name = capitalised(label)
    if report.quality_problem is not None:
        return _absent("quality", name, "not known, see below", report.quality_problem)
    if report.subject.samples is None:
        return _absent("quality", name, what_is_missing(report.subject), why_not_runnable(report.subject))
    if report.quality is None:
        why = "This network has no labels, and no metric, to be judged by; see the drift."
        return _absent("quality", name, "no labels", why)
    row = report.quality.iloc[0]
    samples = f"{count(row['samples'])} sample{'' if row['samples'] == 1 else 's'}"
    interval = (
        f"(95 % interval {percent(row['pruned_low'])} to {percent(row['pruned_high'])}, {report.quality_interval})"
    )
    dense = f"{percent(row['dense'])} ({percent(row['dense_low'])} to {percent(row['dense_high'])})"
    if report.subject.metric is None:
        what = f"Of {samples} the pruned network gets {percent(row['pruned'])} right {interval}, the dense one {dense}."
    else:
        what = f"On {samples} the {label} is {percent(row['pruned'])} pruned {interval}, and {dense} dense."
    return Figure(
        "quality",
        name,
        percent(row["pruned"]),
        points(row["change"]),
        f"Higher is better. {what}{_recalibrated(report)}",
        ("quality", "interval"),
    )


def _drift(report: Report) -> Figure:
    if report.output_drift is None:
        return _absent("drift", DRIFT, what_is_missing(report.subject), why_not_runnable(report.subject))
    drift = report.output_drift.totals()
    return Figure(
        "drift",
        DRIFT,
        decimal(drift["kl_nats"]),
        f"{count(drift['flipped'])} of {count(drift['samples'])} flip",
        "Lower is better; 0 is no drift. KL(dense ‖ pruned) in nats, the mean over the samples: how far pruned "
        "outputs are from the dense ones, without labels. A flip is a sample whose top answer is another one; "
        f"{percent(drift['agreement'])} agree.{_recalibrated(report)}",
        ("drift", "kl"),
    )


def _multiply_adds(report: Report) -> Figure:
    label, cost = "Multiply-adds", report.cost
    if cost is None:
        why = f"They are counted on inputs. {why_not_runnable(report.subject)}"
        return _absent("macs", label, what_is_missing(report.subject), why)
    dense, left, uncounted = cost["macs_dense"], cost["macs_theoretical"], cost["uncounted"]
    if uncounted and not dense:
        return _absent("macs", label, UNCOUNTED, _uncounted(uncounted).lstrip())
    change = percent(left / dense - 1) if dense else "none"
    return Figure(
        "macs",
        label,
        short_count(left),
        f"{change} of the counted" if uncounted else f"{change}, theoretical",
        f"Dense: {short_count(dense)} for one sample, as torch counts them. Theoretical: so many would be left if "
        "every removed weight were skipped. Dense kernels skip nothing: a mask by itself saves no time."
        f"{_uncounted(uncounted)}",
        ("macs", "theoretical"),
    )


def _uncounted(names: list[str]) -> str:
    return f" Uncounted, and in neither number: those of {some_of(names)}." if names else ""


def _recalibrated(report: Report) -> str:
    if not report.masks.recalibrate:
        return ""
    return " This is after recalibration: BatchNorm's statistics were measured again on the calibration inputs."


def _absent(name: str, label: str, reason: str, why: str) -> Figure:
    return Figure(name, label, MISSING, reason, why, (name,), absent=True)
