"""The curves of a comparison as one table of numbers."""

import textwrap
from typing import TYPE_CHECKING, Any

from pruning_explorer.cli.text import WIDTH, in_columns
from pruning_explorer.figures.numbers import MISSING, decimal, nats, percent
from pruning_explorer.figures.recipe_names import recipe_label, short_label

if TYPE_CHECKING:
    from pruning_explorer.lab.comparison import Comparison

LONGEST_NAME = 14
ON_FRONT = "*"


def write_curves(comparison: "Comparison") -> str:
    """A row for each amount, and for each recipe how far it compresses, its quality and its drift.

    Several seeds of a recipe that draws are written as their median. Empty where nothing was measured.
    """
    from pruning_explorer.lab.comparison import pareto_front
    from pruning_explorer.measure.quality import quality_label

    frame = comparison.curves
    if frame.empty:
        return ""
    labelled = bool(frame["quality"].notna().any())
    column, name = ("quality", quality_label(comparison.subject)) if labelled else ("agreement", "agreement")
    points = frame.groupby(["recipe", "amount"])[["compression", column, "kl_nats"]].median()
    best = pareto_front(frame)
    front = set(zip(best["recipe"], best["amount"], strict=True))
    recipes = sorted({int(recipe) for recipe in frame["recipe"]})
    blocks = [[["amount"], *([percent(amount).removesuffix(" %")] for amount in sorted(frame["amount"].unique()))]]
    for recipe in recipes:
        block = [["×", "%", "KL "]]
        for amount in sorted(frame["amount"].unique()):
            point = points.loc[(recipe, amount)] if (recipe, amount) in points.index else None
            block.append(_cells(point, column, (recipe, amount) in front))
        blocks.append(block)
    texts = [in_columns(block, [True] * len(block[0]), " ").splitlines() for block in blocks]
    widths = [max(map(len, text)) for text in texts]
    names = [each.name for each in comparison.entries]
    labels = ["", *(short_label(recipe, names, LONGEST_NAME) for recipe in recipes)]
    lines = [
        "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
        for parts in [labels, *zip(*texts, strict=True)]
    ]
    seeds = {recipe: frame.loc[frame["recipe"] == recipe, "seed"].nunique() for recipe in recipes}
    drawn = [f"{recipe_label(i, '').split()[0]}: medians of {n} seeds" for i, n in seeds.items() if n > 1]
    told = [f"× is how many times fewer weights are left, % the {name}, KL the drift in nats"]
    told += [f"{ON_FRONT} is on the Pareto front", *drawn]
    heading = textwrap.fill(f"Over amounts in %; {'; '.join(told)}:", WIDTH)
    return "\n".join([heading, *lines])


def _cells(point: Any, column: str, on_front: bool) -> list[str]:
    if point is None:
        return [MISSING, MISSING, f"{MISSING} "]
    times = decimal(point["compression"]).replace("infinite", "inf")
    kl = nats(point["kl_nats"]).removesuffix(" nats")
    return [times, percent(point[column]).removesuffix(" %"), kl + (ON_FRONT if on_front else " ")]
