"""The curves of a comparison: lines, seeds, rings and both axes."""

import math

import numpy as np
import pandas as pd
import pytest

from pruning_explorer.figures.colours import recipe_look
from pruning_explorer.figures.comparison_curves import comparison_curves
from pruning_explorer.figures.seed_medians import seed_medians

NAMES = ["magnitude", "random <of course>", "wanda, 2:4", "lamp, global"]


def rows(recipe: int, sparsities: list[float], *, seed: int = 0, quality: float = 1.0) -> pd.DataFrame:
    sparsity = np.array(sparsities)
    right = quality * (1 - sparsity**2)
    return pd.DataFrame(
        {
            "recipe": recipe,
            "seed": seed,
            "amount": sparsity,
            "achieved": sparsity,
            "sparsity": sparsity * 0.5,
            "compression": 1 / (1 - sparsity * 0.5),
            "quality": right,
            "quality_low": right - 0.05,
            "quality_high": right + 0.05,
            "kl_nats": sparsity * 4,
            "agreement": 1 - sparsity / 2,
            "sqnr_db": 10.0,
        }
    )


def traces(chart, name: str):  # type: ignore[no-untyped-def]
    return [trace for trace in chart.figure.data if trace.name == name]


def test_a_recipe_has_its_look_in_both_panels_and_its_points_in_order() -> None:
    chart = comparison_curves(pd.concat([rows(0, [1.0, 0.0, 0.5]), rows(2, [0.5])]), NAMES)
    upper, lower = traces(chart, "A · magnitude")
    assert list(upper.x) == list(lower.x) == [0, 25, 50]
    assert list(upper.y) == [100, 75, 0]
    assert (upper.yaxis, lower.yaxis, lower.showlegend) == ("y", "y2", False)
    other = traces(chart, "C · wanda, 2:4")[0]
    for trace, look in ((upper, recipe_look(0)), (lower, recipe_look(0)), (other, recipe_look(2))):
        assert (trace.line.color, trace.line.dash, trace.marker.symbol) == (look.colour, look.dash, look.symbol)


def test_every_point_says_which_recipe_seed_and_amount_it_is() -> None:
    upper, lower = traces(comparison_curves(rows(3, [0.5, 0.96875], seed=7), NAMES), "D · lamp, global")
    assert list(upper.customdata) == list(lower.customdata) == ["3|7|0.5", "3|7|0.96875"]
    assert upper.mode == lower.mode == "lines+markers"


def test_seeds_become_a_median_in_a_band() -> None:
    seeds = pd.concat([rows(1, [0.5], seed=seed, quality=q) for seed, q in ((0, 1.0), (1, 0.4), (2, 0.8))])
    chart = comparison_curves(seeds, NAMES)
    upper = traces(chart, "B · random &lt;of …")[0]
    assert list(upper.y) == [pytest.approx(60)]
    assert list(upper.customdata) == ["1|2|0.5"]
    band = traces(chart, "B, all seeds")[0]
    assert sorted(band.y) == [pytest.approx(30), pytest.approx(75)]
    assert band.hoverinfo == "skip"
    hover = upper.hovertext[0].replace("<br>", " ")
    assert "<b>B · random &lt;of course&gt;</b>" in hover
    assert "accuracy 60.0 %, 95 % interval 55.0 % to 65.0 %; drift 2.00 nats." in hover
    assert "3 seeds, median; accuracy from 30.0 % to 75.0 %" in hover
    assert not traces(comparison_curves(rows(1, [0.5]), NAMES), "B, all seeds")


def test_amounts_of_the_same_sparsity_are_one_point_that_keeps_its_ring() -> None:
    frame = rows(0, [0.25, 0.5, 0.5, 0.5]).assign(amount=[0.25, 0.9, 0.5, 0.75])
    points = seed_medians(frame, "quality", pd.DataFrame({"recipe": [0], "amount": [0.9]}))
    assert points["amount"].tolist() == [0.25, 0.5]
    assert points["pareto"].tolist() == [False, True]


def test_compression_is_logarithmic_with_ticks_of_two() -> None:
    frame = rows(0, [0.0, 0.5, 0.75])
    frame["compression"] = [1.0, 4.0, math.inf]
    chart = comparison_curves(frame, NAMES, axis="compression", dense_quality=0.9)
    axis = chart.figure.layout.xaxis
    assert (axis.type, list(axis.tickvals), axis.ticktext[5]) == ("log", [1, 2, 4, 8, 16, 32, 64, 128], "32×")
    assert list(traces(chart, "A · magnitude")[0].x) == [1, 4]
    assert axis.title.text == "compression (×); 1 point beyond 128× left out"
    assert list(traces(chart, "dense 90.0 %")[0].x) == [1, 128]


def test_the_pareto_front_is_ringed_where_it_is_known() -> None:
    frame = pd.concat([rows(0, [0.0, 0.5]), rows(1, [0.5], quality=0.5)])
    chart = comparison_curves(frame, NAMES, front=pd.DataFrame({"recipe": [0, 0], "amount": [0.0, 0.5]}))
    ring = traces(chart, "Pareto front")[0]
    assert list(ring.x) == [0, 25]
    assert list(ring.y) == [100, 75]
    assert ring.marker.symbol == "circle-open"
    assert not traces(comparison_curves(frame, NAMES), "Pareto front")


def test_where_recipes_stand_is_ringed_and_named_once() -> None:
    standing = rows(2, [0.8], seed=3).drop(columns=["quality_low", "quality_high"])
    upper, lower, named = traces(comparison_curves(rows(0, [0.5]), NAMES, current_points=standing), "stands here now")
    assert list(upper.x) == [40]
    assert list(upper.marker.symbol) == ["triangle-up-open-dot"]
    assert list(upper.customdata) == ["2|3|0.8"]
    assert lower.yaxis == "y2"
    assert (upper.showlegend, lower.showlegend, named.showlegend) == (False, False, None)
    assert "C · wanda, 2:4" in upper.hovertext[0]


def test_the_drift_axis_reaches_the_recipe_that_stands_farthest() -> None:
    near = comparison_curves(rows(0, [0.1]), NAMES)
    far = comparison_curves(rows(0, [0.1]), NAMES, current_points=rows(0, [0.5]).assign(kl_nats=50.0))
    assert far.figure.layout.yaxis2.range[1] > near.figure.layout.yaxis2.range[1]


def test_without_labels_the_upper_panel_is_agreement() -> None:
    frame = rows(0, [0.0, 0.5]).assign(quality=math.nan, quality_low=math.nan, quality_high=math.nan)
    chart = comparison_curves(frame, NAMES)
    assert list(traces(chart, "A · magnitude")[0].y) == [100, 75]
    assert chart.figure.layout.yaxis.title.text == "top-1 agreement (%)"
    assert "interval" not in traces(chart, "A · magnitude")[0].hovertext[0]


def test_title_says_how_far_it_is_and_height_never_changes() -> None:
    empty = comparison_curves(rows(0, []), NAMES, planned=80)
    part = comparison_curves(rows(0, [0.5]), NAMES, planned=80)
    whole = comparison_curves(rows(0, [0.5]), NAMES, planned=1)
    assert empty.alt == "No amount has been measured yet."
    assert "(1 of 80 measured)" in part.figure.layout.title.text
    assert part.alt.endswith("1 of 80 measured so far.")
    assert whole.figure.layout.title.text == "Accuracy and drift over sparsity"
    assert empty.figure.layout.height == part.figure.layout.height
    assert not part.figure.layout.margin.autoexpand


def test_alt_says_how_far_each_recipe_holds() -> None:
    frame = pd.concat([rows(0, [0.0, 0.2, 0.6]), rows(1, [0.2], quality=0.5)])
    assert comparison_curves(frame, NAMES, dense_quality=1.0).alt == (
        "The sparsity up to which accuracy stays at or above 90.0 %: A · magnitude: 10.0 %; "
        "B · random <of course>: none."
    )


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="needs the columns seed"):
        comparison_curves(rows(0, [0.5]).drop(columns="seed"), NAMES)
