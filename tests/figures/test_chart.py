"""What all figures share."""

import pandas as pd
import pytest

from pruning_explorer.figures.chart import apart, escaped, need_columns, spoken, word_chart
from pruning_explorer.figures.colours import (
    ACCENT_LINE,
    DENSE_LINE,
    KEPT,
    KEPT_LINE,
    RECIPE_LOOKS,
    REMOVED,
    recipe_look,
)
from pruning_explorer.figures.recipe_names import short_label


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [KEPT, KEPT_LINE, DENSE_LINE, ACCENT_LINE, *(look.colour for look in RECIPE_LOOKS)])
def test_lines_stand_off_both_backgrounds(colour: str) -> None:
    for background in ("#ffffff", "#0e1117"):
        light, dark = sorted((luminance(colour), luminance(background)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3


def test_kept_and_removed_differ_in_lightness_alone() -> None:
    assert (luminance(REMOVED) + 0.05) / (luminance(KEPT) + 0.05) > 2


def test_four_recipes_differ_in_each_way_and_a_fifth_has_no_look() -> None:
    for trait in ("letter", "colour", "dash", "symbol"):
        assert len({getattr(recipe_look(position), trait) for position in range(4)}) == 4
    for position in (-1, 4):
        with pytest.raises(ValueError, match=f"recipe {position} has no look"):
            recipe_look(position)


def test_a_long_name_is_cut_where_it_says_least() -> None:
    names = ["Magnitude", "Magnitude, global", "Magnitude, global, recalibrated", "Gradient × weight, global"]
    assert [short_label(position, names, 12) for position in range(4)] == [
        "A · Magnitude",
        "B · Magn… global",
        "C · Magn…ibrated",
        "D · Gradient × …",
    ]
    assert short_label(1, names, 17) == "B · Magnitude, global"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="The cliff needs the columns amount, kl_nats; the table has quality"):
        need_columns(pd.DataFrame({"quality": [1.0]}), ("amount", "quality", "kl_nats"), "The cliff")


def test_nothing_to_draw_is_said_in_words() -> None:
    chart = word_chart("Layers", "No layer is chosen.", 200)
    assert chart.alt == chart.figure.layout.annotations[0].text == "No layer is chosen."
    assert chart.figure.layout.height == 200


def test_names_cannot_become_markup() -> None:
    assert "<script>" not in spoken("<script>", "a <b> c") + escaped(["<script>"])[0]


def test_labels_keep_apart_and_the_first_wins() -> None:
    assert apart([0.0, 0.01, 0.5, 0.51], order=[1, 0, 2, 3], gap=0.1) == [1, 2]
