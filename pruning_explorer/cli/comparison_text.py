"""A comparison as text, in at most 100 columns."""

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pruning_explorer.cli.comparison_curves import write_curves
from pruning_explorer.cli.text import WIDTH, entry, in_columns
from pruning_explorer.figures.numbers import (
    MISSING,
    capitalised,
    count,
    decibels,
    decimal,
    percent,
    points,
    short_count,
)
from pruning_explorer.figures.recipe_names import recipe_label, short_label
from pruning_explorer.figures.short_names import short_names
from pruning_explorer.prune.titles import title_of

if TYPE_CHECKING:
    from pruning_explorer.lab.comparison import Comparison
    from pruning_explorer.measure.report import Report

TITLE_WIDTH, NARROW = 26, 15
"""Widths of the column with the measures' names, in characters; NARROW is for a table whose numbers are wide."""

LONGEST_NAME = 11
LONGEST_TARGET = 36
LONGEST_CLASS = 16
LONGEST_CELL = 17
HARDEST = 10


def write_comparison(comparison: "Comparison", unread: Mapping[str, str]) -> str:
    """A comparison as text: the table, sparsity by layer, curves, agreement, quality by class, samples that flip.

    Lines are at most 100 columns wide.

    Args:
        unread: what was no recipe, by name, with the reason.
    """
    from pruning_explorer.measure.quality import quality_label

    label = capitalised(quality_label(comparison.subject))
    sections = [
        _recipes(comparison, unread),
        _section("Side by side, with 95 % intervals; a tie is within error of the best:", _table(comparison)),
        _section("Sparsity by layer:", _layers(comparison)),
        write_curves(comparison),
        _section("Agreement of the masks, over all layers that both prune:", _agreement(comparison)),
        _section(f"{label} by class, and its change in points:", _classes(comparison)),
        _section("Samples whose answer is not the dense network's:", _flips(comparison)),
    ]
    return "\n\n".join(filter(None, sections))


def _section(title: str, lines: str) -> str:
    return f"{title}\n{lines}" if lines else ""


def _recipes(comparison: "Comparison", unread: Mapping[str, str]) -> str:
    subject = comparison.subject
    on = f"on the same {count(subject.sample_count)} samples" if subject.samples is not None else "without samples"
    lines = [f"{subject.name}: recipes side by side {on}", textwrap.fill(subject.description, WIDTH), ""]
    names = [each.name for each in comparison.entries]
    indent = 2 + min(28, max(len(recipe_label(i, each.name)) for i, each in enumerate(comparison.entries)))
    for position, (each, problem) in enumerate(zip(comparison.entries, comparison.problems, strict=True)):
        told = f"{title_of(each.recipe)}; amount {percent(each.recipe.amount)}; recipe {each.recipe.id}"
        if problem is not None:
            told += f"; {_what_is_missing(comparison.reports[position], problem)}: {problem}"
        lines.append(entry(short_label(position, names, 24), told, indent))
    lines += [entry(f"{MISSING} · {name}"[:28], f"not measured: {problem}", indent) for name, problem in unread.items()]
    return "\n".join(lines)


def _what_is_missing(report: "Report | None", problem: str) -> str:
    if report is None:
        return "not measured"
    return "its quality is not known" if problem == report.quality_problem else "its curve stops"


def _table(comparison: "Comparison") -> str:
    written = _rows(comparison, TITLE_WIDTH)
    return written if max(map(len, written.splitlines())) <= WIDTH else _rows(comparison, NARROW)


def _rows(comparison: "Comparison", title_width: int) -> str:
    frame, shown = comparison.table, _measured(comparison)
    rows = [["", "dense", *(_short_label(comparison, position) for position in shown)]]
    for _, group in frame.groupby("measure", sort=False):
        by_recipe = {int(row["recipe"]): row for row in group.to_dict("records")}
        first = group.iloc[0].to_dict()
        title = first["title"] + (f", {first['unit']}" if first["unit"] in ("nats", "dB") else "")
        columns = [textwrap.wrap(title, title_width), [_write(first["dense"], first["unit"])]]
        columns += [_cell(by_recipe.get(position)) for position in shown]
        height = max(map(len, columns))
        rows += [[column[line] if line < len(column) else "" for column in columns] for line in range(height)]
    return in_columns(rows, [False] * len(rows[0]))


def _cell(row: Mapping[Any, Any] | None) -> list[str]:
    if row is None:
        return [MISSING]
    unit = row["unit"]
    lines = textwrap.wrap(f"{_write(row['value'], unit)} {row['verdict']}", LONGEST_CELL)
    if not math.isnan(row["low"]) and not math.isnan(row["high"]):
        low, high = (_end(row[end], unit) for end in ("low", "high"))
        # With a dash between them two negative numbers could not be read
        lines.append(f"{low} to {high}" if unit == "dB" else f"{low}–{high}")
    return lines


def _write(value: float, unit: str) -> str:
    if unit == "dB":
        return decibels(value).removesuffix(" dB")
    write: Callable[[float], str] = {"fraction": percent, "count": short_count}.get(unit, decimal)
    return write(value)


def _end(value: float, unit: str) -> str:
    """An end of an interval, whose unit stands above it."""
    return ("inf" if value > 0 else "-inf") if math.isinf(value) else _write(value, unit).removesuffix(" %")


def _layers(comparison: "Comparison") -> str:
    frame, shown = comparison.layers, _measured(comparison)
    by_layer = {(row["recipe"], row["target"]): row for row in frame.to_dict("records")}
    rows = [["target", "shape", "weights", *(_letter(position) for position in shown)]]
    labels = short_names([target.name for target in comparison.subject.targets], LONGEST_TARGET)
    for target, label in zip(comparison.subject.targets, labels, strict=True):
        own = [by_layer.get((position, target.name)) for position in shown]
        if any(own):
            shape = "x".join(map(str, target.shape))
            achieved = [MISSING if row is None else percent(row["achieved"]) for row in own]
            rows.append([label, shape, count(target.numel), *achieved])
    return in_columns(rows, [False, False, *[True] * (len(rows[0]) - 2)])


def _agreement(comparison: "Comparison") -> str:
    frame = comparison.agreement
    overall = frame[frame["target"] == "all"].to_dict("records")
    if not overall:
        return ""
    rows = [["", "Jaccard of the kept", "by chance", "weights"]]
    for row in overall:
        pair = f"{_letter(row['a'])} and {_letter(row['b'])}"
        rows.append([pair, decimal(row["jaccard"]), decimal(row["chance"]), count(row["weights"])])
    return in_columns(rows, [False, True, True, True])


def _classes(comparison: "Comparison") -> str:
    frame, shown = comparison.classes, _measured(comparison)
    if not len(frame) or frame["group"].nunique() < 2:
        return ""
    rows = [["class", "samples", "dense", *(_letter(position) for position in shown)]]
    names = [str(name) for name in frame["group"].unique()]
    labels = dict(zip(names, short_names(names, LONGEST_CLASS), strict=True))
    for name, group in frame.groupby("group", sort=False):
        by_recipe = {int(row["recipe"]): row for row in group.to_dict("records")}
        first = group.iloc[0]
        rows.append([labels[str(name)], count(first["samples"]), percent(first["dense"])])
        for position in shown:
            row = by_recipe.get(position)
            written = f"{percent(row['pruned'])} {points(row['change']).removesuffix(' points'):>6}" if row else MISSING
            rows[-1].append(written)
    return in_columns(rows, [False, *[True] * (len(rows[0]) - 1)])


def _flips(comparison: "Comparison") -> str:
    drifts = {
        i: each.output_drift
        for i, each in enumerate(comparison.reports)
        if each is not None and each.output_drift is not None
    }
    if not drifts or next(iter(drifts.values())).single:
        return ""
    total, found = comparison.subject.sample_count, comparison.exemplars
    flipped = {position: drift.totals()["flipped"] for position, drift in drifts.items()}
    each = ", ".join(f"{count(number)} under {_letter(position)}" for position, number in flipped.items())
    everywhere = int((found["flips"] == len(drifts)).sum()) if len(found) else 0
    told = f"Of {count(total)}: {each}; {count(len(found))} under at least one, {count(everywhere)} under each."
    if len(found):
        told += f" Hardest first: {', '.join(str(sample) for sample in found['sample'].head(HARDEST))}"
        told += ", …" if len(found) > HARDEST else ""
    return textwrap.fill(told, WIDTH)


def _measured(comparison: "Comparison") -> Sequence[int]:
    return [position for position, report in enumerate(comparison.reports) if report is not None]


def _short_label(comparison: "Comparison", position: int) -> str:
    return short_label(position, [each.name for each in comparison.entries], LONGEST_NAME)


def _letter(position: int) -> str:
    return recipe_label(position, "").split()[0]
