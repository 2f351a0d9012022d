"""The samples on which recipes disagree, as cards: what goes in, what is true, and what every recipe answers."""

from collections.abc import Sequence
from html import escape
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from pruning_explorer.figures.chart import need_columns
from pruning_explorer.figures.gallery import FLIPPED, Answer, card_list, class_name, sample_card, sample_picture
from pruning_explorer.figures.numbers import MINUS, nats
from pruning_explorer.figures.recipe_names import short_label

COLUMNS = ("sample", "flips", "kl", "dense", "answers")
LONGEST_NAME = 18

Kind = Literal["image", "point", "text", "numbers"]
Values = npt.NDArray[np.floating] | Sequence[str]


def exemplar_gallery(
    found: pd.DataFrame,
    names: Sequence[str],
    output_names: Sequence[str],
    *,
    labels: npt.NDArray[np.integer] | None = None,
    view: tuple[Kind, Values] | None = None,
) -> str:
    """Cards with the input, the true answer, the dense answer and each recipe's, in the order given.

    Args:
        found: one row per card with the columns ``COLUMNS``, as ``exemplars`` makes it: an answer is the index of a
            class, or a tuple of them; -1 is no answer, None a recipe that has none.
        names: of the recipes, by position.
        output_names: of the classes, as plain text.
        labels: the true answers by sample number, [N], or [N, T] where an answer has T parts.
        view: how a sample is shown: its kind, and images [N, H, W] in [0, 1], points [N, 2], numbers [N, F] or texts.

    Returns:
        HTML with its style; all text is escaped.

    Raises:
        ValueError: a column is missing.
    """
    need_columns(found, COLUMNS, "The gallery of exemplars")
    drawn = []
    for row in found.to_dict("records"):
        number = int(row["sample"])
        true = None if labels is None else _spell(labels[number].tolist(), output_names)
        answers: list[Answer] = [] if true is None else [("true", escape(true), "", None)]
        answers.append(_said("dense", row["dense"], row["dense"], true, output_names))
        answers += [
            _said(escape(short_label(position, names, LONGEST_NAME)), answer, row["dense"], true, output_names)
            for position, answer in enumerate(row["answers"])
        ]
        recipes = sum(answer is not None for answer in row["answers"])
        about = f"{int(row['flips'])} of {recipes} recipes flip it; mean drift {nats(row['kl'])}"
        shown = f"{_input(number, true, view)}<div>{about}</div>"
        drawn.append(sample_card(number, True, shown, [], answers))
    spelled = view is not None and view[0] == "text"
    return card_list(drawn, f"px-cards{' px-wide' if spelled else ''} px-recipes")


def _said(who: str, answer: Any, dense: Any, true: str | None, output_names: Sequence[str]) -> Answer:
    if answer is None:
        return (who, "–", "", None)
    text = _spell(answer, output_names)
    flipped = FLIPPED if answer != dense else ""
    return (who, escape(text), flipped, None if true is None else text == true)


def _spell(answer: Any, names: Sequence[str]) -> str:
    if isinstance(answer, list | tuple):
        return "".join(names[i] if 0 <= i < len(names) else "·" for i in answer)
    return "no answer" if int(answer) < 0 else class_name(names, int(answer))


def _input(number: int, true: str | None, view: tuple[Kind, Values] | None) -> str:
    if view is None:
        return ""
    kind, values = view
    if kind == "text":
        return f'<div class="px-prompt">{escape(str(values[number]))}</div>'
    value = np.asarray(values[number], dtype=np.float64)
    if kind == "image":
        return sample_picture(number, value, true)
    numbers = ", ".join(f"{each:.2f}" for each in value.ravel()[:8]).replace("-", MINUS)
    return f'<div class="px-prompt">({numbers}{", …" * (value.size > 8)})</div>'
