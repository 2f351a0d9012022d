"""Change of quality by class, for several recipes."""

import pandas as pd
import pytest

from pruning_explorer.figures.class_changes import class_changes

FRAME = pd.DataFrame(
    [
        (0, "all", 40, 0.95, 0.90, -0.05),
        (0, "cats", 20, 1.0, 0.8, -0.2),
        (0, "dogs", 20, 0.9, 1.0, 0.1),
        (2, "all", 40, 0.95, 0.95, 0.0),
        (2, "cats", 20, 1.0, 1.0, 0.0),
        (2, "dogs", 20, 0.9, 0.9, 0.0),
    ],
    columns=["recipe", "group", "samples", "dense", "pruned", "change"],
)
NAMES = ["Magnitude", "broken", "Wanda <b>"]


def test_a_mark_for_every_recipe_and_class_in_points() -> None:
    figure = class_changes(FRAME, NAMES).figure
    assert [trace.name for trace in figure.data] == ["A · Magnitude", "C · Wanda &lt;b&gt;"]
    assert list(figure.data[0].x) == pytest.approx([-5, -20, 10])
    assert list(figure.data[1].x) == pytest.approx([0, 0, 0])
    assert [round(y) for y in figure.data[0].y] == [0, 1, 2]
    assert "cats: −20.0 points" in figure.data[0].hovertext[1]
    assert "Wanda &lt;b&gt;" in figure.data[1].hovertext[0]
    assert figure.layout.xaxis.range[0] < -20 < 10 < figure.layout.xaxis.range[1]


def test_what_each_recipe_costs_is_said() -> None:
    alt = class_changes(FRAME, NAMES).alt
    assert "A · Magnitude costs class cats most: −20.0 points." in alt


def test_many_classes_are_cut_and_counted() -> None:
    many = pd.DataFrame(
        [(0, f"class {i}", 5, 1.0, 1.0, 0.0) for i in range(50)],
        columns=["recipe", "group", "samples", "dense", "pruned", "change"],
    )
    figure = class_changes(many, NAMES, limit=10).figure
    assert len(figure.data[0].x) == 10
    assert "40 more classes left out" in figure.layout.xaxis.title.text


def test_no_labels_are_said() -> None:
    assert "no labels" in class_changes(FRAME.head(0), NAMES).alt


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="change"):
        class_changes(FRAME.drop(columns="change"), NAMES)
