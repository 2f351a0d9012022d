"""Bars of layers."""

import numpy as np
import pandas as pd
import pytest

from pruning_explorer.figures.layers import bar_shares, layer_bars


def layers(weights: list[int], removed: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target": [f"layers.{index}.weight" for index in range(len(weights))],
            "layer_type": "Linear",
            "shape": [f"{count // 10}x10" for count in weights],
            "weights": weights,
            "kept": [count - gone for count, gone in zip(weights, removed, strict=True)],
            "removed": removed,
            "requested": 0.5,
            "achieved": [gone / count for count, gone in zip(weights, removed, strict=True)],
            "channels": [count // 10 for count in weights],
            "dead_channels": [1] * len(weights),
        }
    )


def test_parts_add_up_and_either_carries_its_target() -> None:
    frame = layers([100, 300], [50, 75])
    kept, removed = layer_bars(frame).figure.data
    assert (kept.name, removed.name) == ("kept", "removed")
    assert list(kept.y) == [50, 75]
    assert list(removed.y) == [50, 25]
    assert list(kept.customdata) == list(removed.customdata) == list(frame["target"])
    assert removed.marker.pattern.shape == "/"


def test_width_follows_the_number_of_weights() -> None:
    kept = layer_bars(layers([100, 300], [0, 0])).figure.data[0]
    assert kept.width[1] / kept.width[0] == pytest.approx(3, abs=0.05)
    assert kept.x[0] + kept.width[0] / 2 < kept.x[1] - kept.width[1] / 2


def test_a_small_layer_stays_wide_enough_for_a_finger() -> None:
    shares, widened = bar_shares(np.array([10.0, 1e6]))
    assert widened
    assert shares[0] == pytest.approx(0.029, abs=0.001)
    assert shares.sum() == pytest.approx(1)
    assert "widened" in layer_bars(layers([10, 1_000_000], [0, 0])).figure.layout.title.text
    assert "widened" not in layer_bars(layers([100, 300], [0, 0])).figure.layout.title.text


def test_sixty_layers_are_all_drawn_and_their_labels_keep_apart() -> None:
    figure = layer_bars(layers([160] * 60, [80] * 60), "layers.31.weight").figure
    assert len(figure.data[0].x) == 60
    assert np.diff(figure.layout.xaxis.tickvals).min() >= 0.05
    assert "<b>layers.31</b>" in figure.layout.xaxis.ticktext


def test_the_open_layer_is_outlined() -> None:
    figure = layer_bars(layers([100, 300], [0, 0]), "layers.1.weight").figure
    kept, outline = figure.data[0], figure.layout.shapes[-1]
    assert outline.x0 == pytest.approx(kept.x[1] - kept.width[1] / 2)
    assert outline.x1 == pytest.approx(kept.x[1] + kept.width[1] / 2)
    assert not layer_bars(layers([100], [0])).figure.layout.shapes


def test_hover_and_alt_are_sentences() -> None:
    chart = layer_bars(layers([1000, 300], [500, 300]), "layers.0.weight")
    hover = chart.figure.data[0].hovertext[0].replace("<br>", " ")
    assert hover == (
        "<b>layers.0.weight</b> Linear 100x10: 500 of 1,000 weights removed, 50.0 % (50.0 % asked for); 500 kept. "
        "1 of its 100 channels is dead."
    )
    assert chart.alt == (
        "61.5 % of 1,300 weights removed from 2 layers: most from layers.1.weight (100.0 %), least from "
        "layers.0.weight (50.0 %). Emptied altogether: layers.1.weight. Open: layers.0.weight."
    )
    assert chart.figure.layout.yaxis.title.text == "weights (% of the layer)"


def test_what_was_not_asked_per_layer_is_not_claimed() -> None:
    frame = layers([100], [50]).assign(requested=np.nan)
    assert "asked" not in layer_bars(frame).figure.data[0].hovertext[0]


def test_no_layer_is_said_in_words_and_an_unknown_one_refused() -> None:
    assert layer_bars(layers([], [])).alt.startswith("No layer is chosen.")
    with pytest.raises(ValueError, match="'conv9' is not among the 1 layers"):
        layer_bars(layers([10], [5]), "conv9")
