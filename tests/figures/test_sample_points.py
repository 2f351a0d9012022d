"""Points on the plane."""

import numpy as np
import pandas as pd
import pytest

from pruning_explorer.figures.sample_points import DecisionRegions, sample_points

POINTS = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


def answers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample": [2, 0, 1],
            "agrees": [False, True, True],
            "dense_top1": [1, 0, 1],
            "pruned_top1": [0, 0, 1],
            "dense_probability": 0.9,
            "pruned_probability": 0.6,
        }
    )


def test_points_by_class_and_rings_around_the_flipped() -> None:
    chart = sample_points(answers(), POINTS, ["left", "<right>"], np.array([0, 1, 1]))
    left, right, flipped = chart.figure.data
    assert left.x.tolist() == [0.0]
    assert sorted(right.x.tolist()) == [2.0, 4.0]
    assert left.marker.symbol != right.marker.symbol
    assert (flipped.name, flipped.x.tolist(), flipped.y.tolist()) == ("flipped (1)", [4.0], [5.0])
    hover = flipped.hovertext[0].replace("<br>", " ")
    assert "sample 2, flipped" in hover
    assert (
        "truly &lt;right&gt;: the dense network answers &lt;right&gt; (90.0 %), the pruned one left (60.0 %)." in hover
    )
    assert "<right>" not in right.name
    assert "for 1 of them" in chart.alt


def test_without_labels_the_dense_answer_is_the_class() -> None:
    figure = sample_points(answers(), POINTS, []).figure
    assert [trace.name for trace in figure.data] == ["class 0", "class 1", "flipped (1)"]


def test_regions_are_one_colour_per_class() -> None:
    regions = DecisionRegions(np.array([0.0, 1.0]), np.array([0.0, 1.0, 2.0]), np.array([[0, 1], [1, 1], [2, 0]]))
    heatmap = sample_points(answers(), POINTS, ["a", "b", "c"], regions=regions).figure.data[0]
    assert heatmap.type == "heatmap"
    assert heatmap.z.dtype == np.uint8
    assert heatmap.z.tolist() == regions.answers.tolist()
    assert heatmap.text.tolist() == [["a", "b"], ["b", "b"], ["c", "a"]]
    assert heatmap.opacity < 0.5


def test_wrong_shapes_are_refused_and_nothing_is_said_in_words() -> None:
    with pytest.raises(ValueError, match=r"points must be \[N, 2\], not \[3, 3\]"):
        sample_points(answers(), np.zeros((3, 3)), [])
    with pytest.raises(ValueError, match="one row per y"):
        DecisionRegions(np.zeros(2), np.zeros(3), np.zeros((2, 3), dtype=np.int64))
    assert sample_points(answers().iloc[:0], POINTS, []).alt == "There are no samples to show."
