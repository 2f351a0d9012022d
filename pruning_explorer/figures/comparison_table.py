"""The table of a comparison: a row per measure, a column per recipe; the best and its ties in words."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final

import pandas as pd

from pruning_explorer.figures.chart import need_columns
from pruning_explorer.figures.colours import recipe_look
from pruning_explorer.figures.numbers import count, decibels, decimal, nats, percent
from pruning_explorer.figures.recipe_names import recipe_label

COLUMNS: Final = (
    "measure",
    "title",
    "unit",
    "better",
    "recipe",
    "name",
    "value",
    "low",
    "high",
    "verdict",
    "dense",
)
NOTHING: Final = "<p>No recipe has been measured yet.</p>"
TIE, ALL_TIE = "≈ tie with best", "≈ all tie"
BEST: Final = {"best": "★ best", "best at unequal sparsity": "★ best, at unequal sparsity"}
DIRECTIONS: Final = {"higher": "higher is better ↑", "lower": "lower is better ↓", "": ""}
WRITE: Final[dict[str, Callable[[float], str]]] = {
    "fraction": percent,
    "count": count,
    "nats": nats,
    "dB": decibels,
}

# Canvas is the page's own ground, which the first column needs to hide what scrolls under it; a page that paints its
# ground otherwise says so by --px-ground
_STYLE = """<style>
.px-compare{overflow-x:auto;color:inherit;border:1px solid rgba(128,128,128,.4);border-radius:8px}
.px-compare:focus-visible{outline:2px solid currentColor;outline-offset:2px}
.px-compare table{border-collapse:separate;border-spacing:0;width:100%;font-size:0.9rem;line-height:1.35;
color:inherit;margin:0}
.px-compare th,.px-compare td{border:0;border-bottom:1px solid rgba(128,128,128,.3);padding:6px 12px;text-align:left;
vertical-align:top;font-weight:400;color:inherit;background:transparent}
.px-compare tbody tr:last-child>*{border-bottom:0}
.px-compare tr>:first-child{position:sticky;left:0;min-width:8.2rem;max-width:13rem;background:Canvas;
background:var(--px-ground,var(--st-background-color,Canvas));border-right:1px solid rgba(128,128,128,.3)}
.px-compare thead th{font-weight:600;overflow-wrap:anywhere;min-width:8rem;vertical-align:bottom}
.px-compare thead th+th{border-bottom-width:3px;width:19%}
.px-compare tbody th{font-weight:600}
.px-compare small{display:block;font-size:0.8rem;font-weight:400;opacity:.85}
.px-compare td{white-space:nowrap;font-variant-numeric:tabular-nums}
.px-compare .px-verdict{white-space:normal}
.px-compare .px-best{font-weight:700}
.px-letter{display:inline-block;min-width:1.5em;padding:0 .3em;margin-right:.4em;border:3px solid;border-radius:6px;
text-align:center;font-weight:700}
.px-letter>span{color:CanvasText;color:var(--px-ink,var(--st-text-color,CanvasText))}
</style>"""


def comparison_table(frame: pd.DataFrame, names: Sequence[str] | None = None) -> str:
    """Every measure of every recipe, with intervals, and which is best or ties with the best.

    Args:
        frame: one row per measure and recipe with the columns ``COLUMNS``, as ``lab.comparison_table`` makes it:
            ``unit`` is ``"fraction"``, ``"count"``, ``"nats"`` or ``"dB"``; ``verdict`` is ``"best"``,
            ``"best at unequal sparsity"``, ``"tie"``, ``"no better than guessing"`` or empty. A measure that a recipe
            lacks gets a dash.
        names: of all recipes by position, where some may have no rows: their columns keep their places.

    Returns:
        HTML with its style, every name escaped. Where it is wider than the page it scrolls in a box of its own, by
        keyboard too, and the names of the measures stay.

    Raises:
        ValueError: a column is missing.
    """
    need_columns(frame, COLUMNS, "The table of a comparison")
    if frame.empty:
        return NOTHING
    shown = _names(frame) if names is None else dict(enumerate(names))
    heads = "".join(_head(position, name) for position, name in shown.items())
    with_dense = bool(frame["dense"].notna().any())
    if with_dense:
        heads += '<th scope="col">dense</th>'
    body = []
    for measure, rows in frame.groupby("measure", sort=False):
        by_recipe = {int(row["recipe"]): row for row in rows.to_dict("records")}
        first = rows.iloc[0].to_dict()
        ties = TIE if set(BEST) & set(rows["verdict"]) else ALL_TIE
        cells = "".join(_cell(by_recipe.get(position), ties) for position in shown)
        if with_dense:
            cells += f"<td>{escape(_write(first['dense'], first['unit']))}</td>"
        body.append(f'<tr data-measure="{escape(str(measure))}">{_measure(first)}{cells}</tr>')
    # the style comes last: at the head of a fragment it is dropped when the page sanitises it
    return (
        '<div class="px-compare" role="region" tabindex="0" aria-label="Recipes side by side, measure by measure">'
        f'<table><thead><tr><th scope="col">measure</th>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table>'
        f"</div>{_STYLE}"
    )


def table_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The same as plain numbers: a row per measure, and per recipe its value, interval and verdict.

    Args:
        frame: as for :func:`comparison_table`.

    Returns:
        ``measure``, ``title``, ``unit``, ``better``, ``dense``, then for each recipe, under its letter and name:
        the value, and ``... low``, ``... high``, ``... verdict``. NaN where there is no number.

    Raises:
        ValueError: a column is missing.
    """
    need_columns(frame, COLUMNS, "The table of a comparison")
    table = frame.groupby("measure", sort=False)[["title", "unit", "better", "dense"]].first()
    for position, name in _names(frame).items():
        own = frame[frame["recipe"] == position].set_index("measure")
        label = recipe_label(position, name)
        table[label] = own["value"]
        for part in ("low", "high", "verdict"):
            table[f"{label} {part}"] = own[part]
    return table.reset_index()


def _names(frame: pd.DataFrame) -> dict[int, str]:
    pairs = zip(frame["recipe"], frame["name"], strict=True)
    return dict(sorted({int(position): str(name) for position, name in pairs}.items()))


def letter_chip(position: int) -> str:
    """A recipe's letter in a frame of its colour, as HTML; in need of the style that comes with the table."""
    look = recipe_look(position)
    return f'<span class="px-letter" style="border-color:{look.colour}"><span>{look.letter}</span></span>'


def _head(position: int, name: str) -> str:
    colour = recipe_look(position).colour
    return f'<th scope="col" style="border-bottom-color:{colour}">{letter_chip(position)}{escape(name)}</th>'


def _measure(row: dict[Any, Any]) -> str:
    direction = DIRECTIONS[row["better"]]
    return f'<th scope="row">{escape(str(row["title"]))}{f"<small>{direction}</small>" if direction else ""}</th>'


def _cell(row: dict[Any, Any] | None, ties: str) -> str:
    if row is None:
        return "<td>–</td>"
    interval = ""
    if pd.notna(row["low"]) and pd.notna(row["high"]):
        low, high = (_bare(row[end], row["unit"]) for end in ("low", "high"))
        interval = f"<small>{escape(low)} to {escape(high)}</small>"
    verdict = {**BEST, "tie": ties}.get(row["verdict"], row["verdict"])
    told = f'<small class="px-verdict">{escape(verdict)}</small>' if verdict else ""
    best = ' class="px-best"' if row["verdict"] in BEST else ""
    return f"<td{best}>{escape(_write(row['value'], row['unit']))}{interval}{told}</td>"


def _write(value: float, unit: str) -> str:
    return WRITE.get(unit, decimal)(value)


def _bare(value: float, unit: str) -> str:
    """An end of an interval; its unit stands at the number above it."""
    written = _write(value, unit)
    return written if unit == "fraction" else written.removesuffix(f" {unit}")
