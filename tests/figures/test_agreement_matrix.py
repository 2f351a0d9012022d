"""Agreement of masks, as a matrix and layer by layer."""

import math

import numpy as np
import pandas as pd
import pytest
from plotly.colors import sample_colorscale

from pruning_explorer.figures.agreement_matrix import BLACK_ABOVE, agreement_by_layer, agreement_matrix
from pruning_explorer.figures.colours import SEQUENTIAL

NAMES = ["magnitude", "random", "<wanda>"]


def agreement() -> pd.DataFrame:
    rows = [
        ("all", 0, 1, 0.4, 0.3, 1200),
        ("all", 0, 2, 0.62, 0.33, 1200),
        ("all", 1, 2, 0.25, 0.25, 1200),
        ("conv1.weight", 0, 1, 0.5, 0.25, 200),
        ("fc.weight", 0, 1, math.nan, math.nan, 1000),
        ("fc.weight", 0, 2, 0.75, 0.5, 1000),
    ]
    return pd.DataFrame(rows, columns=["target", "a", "b", "jaccard", "chance", "weights"])


def cells(chart) -> dict[tuple[int, int], str]:  # type: ignore[no-untyped-def]
    return {(a.y, a.x): a.text for a in chart.figure.layout.annotations if a.xref != "paper"}


def test_each_pair_stands_on_both_sides_with_its_chance() -> None:
    chart = agreement_matrix(agreement(), NAMES)
    z = np.asarray(chart.figure.data[0].z)
    assert np.allclose(z, [[1, 0.4, 0.62], [0.4, 1, 0.25], [0.62, 0.25, 1]])
    assert cells(chart)[0, 2] == cells(chart)[2, 0] == "<b>0.62</b><br>chance 0.33"
    assert cells(chart)[1, 1] == "itself"
    assert (chart.figure.data[0].zmin, chart.figure.data[0].zmax) == (0, 1)
    keys = [a.text for a in chart.figure.layout.annotations if a.xref == "paper"]
    assert keys == ["A · magnitude", "B · random", "C · &lt;wanda&gt;"]


def test_hover_and_alt_are_sentences() -> None:
    chart = agreement_matrix(agreement(), NAMES)
    hover = chart.figure.data[0].hovertext[0][2].replace("<br>", " ")
    assert hover == (
        "<b>A and C, all layers</b> Of the weights that A · magnitude or C · &lt;wanda&gt; keeps, 62 % are kept by "
        "both; chance would give 33 %. 1,200 weights compared."
    )
    assert "A · magnitude and B · random agree by 0.40, chance 0.30." in chart.alt


def test_a_layer_that_only_some_prune_shows_those() -> None:
    chart = agreement_matrix(agreement(), NAMES, "fc.weight")
    assert list(chart.figure.layout.xaxis.ticktext) == ["<b>A</b>", "<b>B</b>", "<b>C</b>"]
    assert np.isnan(chart.figure.data[0].z[1][2])
    assert cells(chart)[1, 2] == ""
    assert cells(chart)[0, 1] == "<b>–</b><br>chance –"
    assert "both keep none of 1,000 weights" in chart.figure.data[0].hovertext[0][1].replace("<br>", " ")
    assert agreement_matrix(agreement(), NAMES, "fc").alt.startswith("No two recipes prune fc,")


def test_numbers_in_cells_can_be_read() -> None:
    def against(value: float) -> tuple[float, float]:
        channels = [float(part) / 255 for part in sample_colorscale(SEQUENTIAL, [value])[0][4:-1].split(",")]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
        own = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return (own + 0.05) / 0.05, 1.05 / (own + 0.05)

    for value in np.linspace(0, 1, 101):
        black, white = against(float(value))
        assert (black if value > BLACK_ABOVE else white) >= 4.5


def test_layers_have_a_dot_and_its_chance_for_each_pair() -> None:
    chart = agreement_by_layer(agreement(), NAMES)
    named = {trace.name: trace for trace in chart.figure.data}
    assert list(named["A–B"].x)[:1] == [0.5]
    assert list(named["A–B by chance"].x)[:1] == [0.25]
    assert list(named["A–C"].x) == [0.75]
    assert list(named["A–C"].y) == list(named["A–C by chance"].y)
    assert round(named["A–C"].y[0]) == 1
    assert named["A–B"].y[0] != named["A–C"].y[0] - 1
    assert list(chart.figure.layout.yaxis.ticktext) == ["conv1", "fc"]
    assert "B–C" not in named
    assert "least in conv1.weight" in chart.alt
    assert "most in fc.weight" in chart.alt


def test_six_pairs_of_many_layers_are_cut_and_counted() -> None:
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    frame = pd.DataFrame(
        [(f"layers.{layer}", a, b, 0.5, 0.4, 10) for layer in range(70) for a, b in pairs],
        columns=["target", "a", "b", "jaccard", "chance", "weights"],
    )
    figure = agreement_by_layer(frame, [*NAMES, "lamp"]).figure
    assert [trace.name for trace in figure.data if trace.showlegend] == ["A–B", "A–C", "A–D", "B–C", "B–D", "C–D"]
    assert len({trace.marker.symbol for trace in figure.data if trace.showlegend}) == 6
    assert "10 more layers left out" in figure.layout.xaxis.title.text


def test_nothing_to_compare_is_said_and_a_missing_column_named() -> None:
    assert agreement_by_layer(agreement().iloc[:3], NAMES).alt.startswith("No layer is pruned by two recipes")
    with pytest.raises(ValueError, match="needs the columns chance"):
        agreement_matrix(agreement().drop(columns="chance"), NAMES)
