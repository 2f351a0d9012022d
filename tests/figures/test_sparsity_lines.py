"""Sparsity by layer, every recipe in one chart."""

import numpy as np
import pandas as pd
import pytest

from pruning_explorer.figures.colours import recipe_look
from pruning_explorer.figures.numbers import MISSING
from pruning_explorer.figures.sparsity_lines import sparsity_lines

NAMES = ["uniform", "<global>", "erk", "wanda"]


def layers(recipe: int, removed: dict[str, int], weights: int = 200) -> pd.DataFrame:
    gone = np.array(list(removed.values()))
    return pd.DataFrame(
        {
            "recipe": recipe,
            "target": list(removed),
            "layer_type": "Linear",
            "shape": "10x20",
            "weights": weights,
            "kept": weights - gone,
            "removed": gone,
            "requested": 0.5,
            "achieved": gone / weights,
        }
    )


def test_lines_carry_percentages_in_network_order() -> None:
    first, second = {"a.weight": 100, "b.weight": 100}, {"a.weight": 20, "b.weight": 180}
    chart = sparsity_lines(pd.concat([layers(0, first), layers(1, second)]), NAMES)
    uniform, ranked = chart.figure.data
    assert list(uniform.y) == [50, 50]
    assert list(ranked.y) == [10, 90]
    assert (ranked.name, ranked.line.dash, ranked.marker.symbol) == (
        "B · &lt;global&gt;",
        recipe_look(1).dash,
        recipe_look(1).symbol,
    )
    assert list(ranked.customdata) == ["a.weight", "b.weight"]
    assert list(chart.figure.layout.xaxis.ticktext) == ["a", "b"]
    assert chart.figure.layout.yaxis.title.text == "removed (% of the layer)"


def test_hover_and_alt_are_sentences() -> None:
    frame = pd.concat([layers(0, {"a": 100, "b": 100}), layers(1, {"a": 20, "b": 180})])
    chart = sparsity_lines(frame, NAMES)
    assert chart.figure.data[1].hovertext[0].replace("<br>", " ") == (
        "<b>a: 10.0 %</b> B · &lt;global&gt; removes 20 of 200 weights of this Linear 10x20 (50.0 % asked for); "
        "180 kept. All here: A 50.0 %, B 10.0 %."
    )
    assert chart.alt == (
        "A · uniform removes 50.0 % in all, of every layer nearly the same. "
        "B · <global> removes 50.0 % in all: most from b (90.0 %), least from a (10.0 %)."
    )


def test_a_layer_that_a_recipe_leaves_alone_breaks_its_line_and_keeps_its_place() -> None:
    frame = pd.concat([layers(0, {"a": 10, "c": 20}), layers(2, {"a": 2, "b": 4, "c": 6, "d": 8})])
    figure = sparsity_lines(frame, NAMES).figure
    assert list(figure.layout.xaxis.ticktext) == ["a", "b", "c", "d"]
    assert np.isnan(figure.data[0].y).tolist() == [False, True, False, True]
    assert list(figure.data[1].y) == [1, 2, 3, 4]


def test_a_network_of_many_layers_names_both_ends_and_few_between() -> None:
    frame = layers(0, {f"encoder.layers.{layer}.linear1.weight": 100 for layer in range(74)})
    figure = sparsity_lines(frame, NAMES).figure
    assert len(figure.data[0].x) == 74
    shown = list(figure.layout.xaxis.tickvals)
    assert (shown[0], shown[-1]) == (0, 73)
    assert len(shown) <= 15
    assert np.diff(shown).min() >= 5
    assert figure.layout.xaxis.ticktext[0] == "0.linear1"


def test_nothing_asked_is_not_claimed_and_nothing_to_draw_is_said() -> None:
    assert (
        "asked" not in sparsity_lines(layers(0, {"a": 1}).assign(requested=np.nan), NAMES).figure.data[0].hovertext[0]
    )
    assert MISSING not in sparsity_lines(layers(0, {"a": 1}), NAMES).alt
    assert sparsity_lines(pd.DataFrame({"recipe": []}), NAMES).alt == "No recipe prunes any layer."
    with pytest.raises(ValueError, match="needs the columns kept"):
        sparsity_lines(layers(0, {"a": 1}).drop(columns="kept"), NAMES)
