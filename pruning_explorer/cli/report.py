"""A report as text."""

import math
import textwrap
from typing import TYPE_CHECKING, Any

from pruning_explorer.cli.text import WIDTH, entry, in_columns
from pruning_explorer.figures.numbers import MISSING, UNCOUNTED, capitalised, count, percent, some_of

if TYPE_CHECKING:
    import pandas as pd

    from pruning_explorer.measure.report import Report
    from pruning_explorer.prune.recipe import Recipe
    from pruning_explorer.prune.subject import Subject


def write_report(subject: "Subject", recipe: "Recipe", report: "Report") -> str:
    """A report as text: the key figures, then tables of layers, drift by layer and quality by group.

    Layers that the method passes over are named, with the reasons.

    Lines are at most 96 columns wide, as long as names are not.
    """
    from pruning_explorer.prune.recipe import passed_over

    macs = MISSING if report.totals["cost"] is None else UNCOUNTED
    parts = [
        textwrap.fill(f"{subject.name}: {recipe_line(recipe)}", WIDTH),
        textwrap.fill(subject.description, WIDTH),
        "",
        *(entry(name, text) for name, text in _key_figures(report).items()),
        "",
        "By layer; MACs th.: theoretical multiply-adds per sample, if kernels skipped what is removed:",
        _table(report.layers, "target shape weights removed requested achieved dead_channels macs_theoretical", macs),
    ]
    if dense := passed_over(subject, recipe):
        parts += ["", "Left dense, because the method cannot be used on them:"]
        parts += [textwrap.fill(f"{name}: {why}", WIDTH, subsequent_indent="  ") for name, why in dense.items()]
    if report.layer_drift is not None:
        parts += ["", "Outputs of each module, pruned beside dense, in order of execution:"]
        parts += [_table(report.layer_drift, "module layer_type cosine l2_normalised sqnr_db")]
    if report.quality is not None:
        parts += ["", f"{capitalised(report.quality_name)} by group, with 95 % {report.quality_interval} intervals:"]
        columns = "group samples dense dense_low dense_high pruned pruned_low pruned_high change"
        parts += [_table(report.quality, columns)]
    return "\n".join(parts)


def recipe_line(recipe: "Recipe") -> str:
    """A recipe's point among all, what is unusual about it, and its id."""
    return ", ".join(
        [
            f"{recipe.criterion} x {recipe.granularity} x {recipe.scope}",
            *([f"allocation {recipe.allocation}"] if recipe.allocation != "each" else []),
            *([f"schedule {recipe.schedule}"] if recipe.schedule.settings else []),
            *(["BatchNorm recalibrated"] if recipe.recalibrate else []),
            f"recipe {recipe.id}",
        ]
    )


def _left(sparsity: dict[str, Any]) -> str:
    nonzero, parameters = sparsity["nonzero_parameters"], sparsity["parameters"]
    if nonzero is None:  # to count zeros, all values would have to be read, where there are any
        return f"{parameters - sparsity['removed']:,} of {parameters:,} left"
    return f"{nonzero:,} of {parameters:,} nonzero"


def _key_figures(report: "Report") -> dict[str, str]:
    s, cost, drift, quality = (report.totals[part] for part in ("sparsity", "cost", "drift", "quality"))
    figures = {
        "Sparsity": f"{percent(s['requested'])} requested, {percent(s['achieved'])} achieved: {s['removed']:,} of"
        f" {s['weights']:,} weights in {s['targets']} targets; {percent(s['achieved_of_weights'])} of all weights,"
        f" {percent(s['achieved_of_all'])} of all parameters",
        "Parameters": f"{_left(s)}; {s['dead_channels']:,} channels wholly dead",
    }
    if quality is not None:
        dense, pruned = (
            f"{percent(quality[x])} ({percent(quality[f'{x}_low'])} to {percent(quality[f'{x}_high'])}) {x}"
            for x in ("dense", "pruned")
        )
        interval = f"in brackets the 95 % {report.quality_interval} interval"
        figures["Quality"] = f"{report.quality_name} {dense}, {pruned}; {interval}"
    if drift is not None:
        broken = f", {drift['unanswered']:,} without a finite answer" if drift["unanswered"] else ""
        figures["Drift"] = (
            f"KL(dense || pruned) {drift['kl_nats']:.4g} nats; top-1 agreement {percent(drift['agreement'])},"
            f" {count(drift['flipped'])} of {count(drift['samples'])} samples flipped{broken};"
            f" cosine {drift['cosine']:.4f}; normalised L2 {drift['l2_normalised']:.4f}; SQNR {drift['sqnr_db']:.1f} dB"
        )
    if report.notes:
        figures["Mind"] = " ".join(report.notes)
    if cost is not None:
        figures["Multiply-adds"] = (
            f"{cost['macs_theoretical']:,.0f} theoretical of {cost['macs_dense']:,} dense, per sample;"
            " dense kernels do them all, whatever is masked"
        )
        if uncounted := cost["uncounted"]:
            figures["Multiply-adds"] += f"; uncounted, and in neither number: those of {some_of(uncounted)}"
    return figures


FRACTIONS = {
    *("requested", "achieved", "dense", "dense_low", "dense_high"),
    *("pruned", "pruned_low", "pruned_high"),
}
HEADINGS = {
    "layer_type": "type",
    "dead_channels": "dead",
    "macs_theoretical": "MACs th.",
    "change": "points",
    "l2_normalised": "normalised L2",
    "sqnr_db": "SQNR dB",
}
DECIMALS = {"macs_theoretical": 0, "sqnr_db": 1}


def _table(frame: "pd.DataFrame", columns: str, macs: str = MISSING) -> str:
    names = columns.split()
    cells = [[HEADINGS.get(name, name.replace("_", " ")) for name in names]]
    missing = {"macs_theoretical": macs}
    cells += [
        [_cell(name, row[name], missing.get(name, MISSING)) for name in names] for row in frame.to_dict("records")
    ]
    return in_columns(cells, [frame[name].dtype.kind in "iuf" for name in names])


def _cell(name: str, value: Any, missing: str) -> str:
    if isinstance(value, str):
        return value or "(whole network)"
    if value is None or math.isnan(value):
        return missing
    if name in FRACTIONS:
        return percent(value)
    if name == "change":
        return f"{100 * value:+.1f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{DECIMALS.get(name, 4)}f}"
