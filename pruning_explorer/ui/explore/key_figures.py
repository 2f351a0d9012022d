"""The key figures of a report, each with its change from dense."""

import streamlit as st

from pruning_explorer.figures.numbers import (
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
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.not_runnable import what_is_missing, why_not_runnable
from pruning_explorer.ui.plain_text import plain


def draw_key_figures(report: Report) -> None:
    """Sparsity, parameters, quality, drift and theoretical multiply-adds, in one row that wraps."""
    with st.grid(5, min_column_width=140, gap="small", row_height=124):
        _sparsity(report)
        _parameters(report)
        _quality(report)
        _drift(report)
        _multiply_adds(report)
    for note in report.notes:
        st.warning(plain(note, longest=600), icon=":material/warning:")
    if report.quality_problem is not None:
        st.warning(f"Quality is not known: {plain(report.quality_problem)}", icon=":material/warning:")


def _sparsity(report: Report) -> None:
    totals = report.sparsity
    st.metric(
        "Sparsity",
        percent(totals["achieved"]),
        f"requested {percent(totals['requested'])}",
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=help_with_glossary_link(
            f"Share of the chosen layers' {count(totals['weights'])} weights that are removed. It differs from the "
            "requested where amounts are rounded to whole weights or channels, and where a cap holds. Of all weights "
            f"of the network {percent(totals['achieved_of_weights'])} are removed; of all parameters, biases and norms "
            f"included, {percent(totals['achieved_of_all'])}.",
            "sparsity",
            "requested",
        ),
    )


def _parameters(report: Report) -> None:
    totals = report.sparsity
    left, all_of_them = totals["nonzero_parameters"], totals["parameters"]
    not_zero = "are not zero"
    if left is None:  # to count zeros, all values would have to be read, where there are any
        left, not_zero = all_of_them - totals["removed"], "are left (which of them are zero is not counted here)"
    st.metric(
        "Parameters",
        short_count(left),
        _change(percent(left / all_of_them - 1)),
        delta_color="off",
        border=True,
        help=help_with_glossary_link(
            f"{count(left)} of {count(all_of_them)} parameters {not_zero}, biases and norms included. The tensors "
            "keep their shapes: a mask by itself makes no file smaller.",
            "parameter",
        ),
    )


def _quality(report: Report) -> None:
    label = quality_label(report.subject)
    name = plain(capitalised(label))
    if report.quality_problem is not None:
        _absent(name, "not known, see below", plain(report.quality_problem), "quality")
        return
    if report.subject.samples is None:
        _absent(name, what_is_missing(report.subject), why_not_runnable(report.subject), "quality")
        return
    if report.quality is None:
        _absent(
            name, "no labels", "This network has no labels, and no metric, to be judged by; see the drift.", "quality"
        )
        return
    row = report.quality.iloc[0]
    samples = f"{count(row['samples'])} sample{'' if row['samples'] == 1 else 's'}"
    interval = (
        f"(95 % interval {percent(row['pruned_low'])} to {percent(row['pruned_high'])}, {report.quality_interval})"
    )
    dense = f"{percent(row['dense'])} ({percent(row['dense_low'])} to {percent(row['dense_high'])})"
    if report.subject.metric is None:
        what = f"Of {samples} the pruned network gets {percent(row['pruned'])} right {interval}, the dense one {dense}."
    else:
        what = f"On {samples} the {plain(label)} is {percent(row['pruned'])} pruned {interval}, and {dense} dense."
    st.metric(
        name,
        percent(row["pruned"]),
        _change(points(row["change"])),
        delta_color="normal" if row["change"] else "off",
        delta_arrow="auto" if row["change"] else "off",
        border=True,
        help=help_with_glossary_link(f"Higher is better. {what}{_recalibrated(report)}", "quality", "interval"),
    )


def _drift(report: Report) -> None:
    if report.output_drift is None:
        _absent("Drift, nats", what_is_missing(report.subject), why_not_runnable(report.subject), "drift")
        return
    drift = report.output_drift.totals()
    st.metric(
        "Drift, nats",
        decimal(drift["kl_nats"]),
        f"{count(drift['flipped'])} of {count(drift['samples'])} flip",
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=help_with_glossary_link(
            "Lower is better; 0 is no drift. KL(dense ‖ pruned) in nats, the mean over the samples: how far pruned "
            "outputs are from the dense ones, without labels. A flip is a sample whose top answer is another one; "
            f"{percent(drift['agreement'])} agree.{_recalibrated(report)}",
            "drift",
            "kl",
        ),
    )


def _multiply_adds(report: Report) -> None:
    label, cost = "Multiply-adds", report.cost
    if cost is None:
        _absent(
            label,
            what_is_missing(report.subject),
            f"They are counted on inputs. {why_not_runnable(report.subject)}",
            "macs",
        )
        return
    dense, left, uncounted = cost["macs_dense"], cost["macs_theoretical"], cost["uncounted"]
    if uncounted and not dense:
        _absent(label, UNCOUNTED, _uncounted(uncounted), "macs")
        return
    change = percent(left / dense - 1) if dense else "none"
    st.metric(
        label,
        short_count(left),
        _change(f"{change} of the counted" if uncounted else f"{change}, theoretical"),
        delta_color="off",
        border=True,
        help=help_with_glossary_link(
            f"Dense: {short_count(dense)} for one sample, as torch counts them. Theoretical: so many would be left if "
            "every removed weight were skipped. Dense kernels skip nothing: a mask by itself saves no time."
            f"{_uncounted(uncounted)}",
            "macs",
            "theoretical",
        ),
    )


def _uncounted(names: list[str]) -> str:
    return f" Uncounted, and in neither number: those of {plain(some_of(names))}." if names else ""


def _recalibrated(report: Report) -> str:
    if not report.masks.recalibrate:
        return ""
    return " This is after recalibration: BatchNorm's statistics were measured again on the calibration inputs."


def _absent(label: str, reason: str, why: str, word: str) -> None:
    help = help_with_glossary_link(why, word)
    st.metric(label, "–", reason, delta_color="off", delta_arrow="off", border=True, help=help)


def _change(text: str) -> str:
    # st.metric knows a fall by an ASCII minus only
    return text.replace("−", "-")
