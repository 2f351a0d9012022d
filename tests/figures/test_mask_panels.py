"""Masks side by side: pictures read back, linked axes, blocks of a large layer."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pruning_explorer.figures.colours import KEPT, REMOVED
from pruning_explorer.figures.mask_panels import SOME, mask_panels
from pruning_explorer.figures.pictures import palette_png

NAMES = ["magnitude", "random", "<wanda>", "lamp"]


def colours(trace) -> list[list[str]]:  # type: ignore[no-untyped-def]
    with Image.open(io.BytesIO(base64.b64decode(trace.source.split(",")[1]))) as image:
        pixels = np.asarray(image.convert("RGB"))
    return [["#{:02x}{:02x}{:02x}".format(*pixel) for pixel in row] for row in pixels]


def drawn(chart):  # type: ignore[no-untyped-def]
    return [trace for trace in chart.figure.data if trace.type in ("image", "heatmap")]


def words(chart) -> list[str]:  # type: ignore[no-untyped-def]
    return [note.text for note in chart.figure.layout.annotations]


def test_a_palette_picture_comes_back_colour_for_colour() -> None:
    with Image.open(
        io.BytesIO(palette_png(np.array([[0, 1], [2, 0]], np.uint8), ["#010203", "#ff8000", "#00ff00"]))
    ) as png:
        assert np.asarray(png.convert("RGB")).tolist() == [[[1, 2, 3], [255, 128, 0]], [[0, 255, 0], [1, 2, 3]]]
    with pytest.raises(ValueError, match="code 2 has no colour among 2"):
        palette_png(np.array([[2]], np.uint8), ["#000000", "#ffffff"])


@pytest.mark.parametrize("colours_in_all", [2, 3, 5, 17])
@pytest.mark.parametrize("width", [1, 7, 8, 9])
def test_packed_pixels_stay_in_their_places(colours_in_all: int, width: int) -> None:
    codes = (np.arange(3 * width) % colours_in_all).astype(np.uint8).reshape(3, width)
    palette = [f"#{code:02x}0000" for code in range(colours_in_all)]
    with Image.open(io.BytesIO(palette_png(codes, palette))) as png:
        assert np.asarray(png.convert("RGB"))[:, :, 0].tolist() == codes.tolist()


def test_each_recipe_has_a_panel_and_the_last_says_how_many_keep() -> None:
    first = np.array([[True, True], [False, False]])
    second = np.array([[1, 0], [1, 0]], dtype=np.uint8)
    chart = mask_panels([first, second], NAMES[:2], "fc.weight")
    one, two, together = drawn(chart)
    assert colours(one) == [[KEPT, KEPT], [REMOVED, REMOVED]]
    assert colours(two) == [[KEPT, REMOVED], [KEPT, REMOVED]]
    assert colours(together) == [[KEPT, SOME[2]], [SOME[2], REMOVED]]
    assert list(one.text) == [["kept", "kept"], ["removed", "removed"]]
    assert list(together.text) == [["kept by 2 of 2", "kept by 1 of 2"], ["kept by 1 of 2", "kept by none of 2"]]
    assert one.hovertemplate == "row %{y}, column %{x}: <b>%{text}</b><extra></extra>"


def test_counts_stand_in_headings_and_alt() -> None:
    chart = mask_panels([np.eye(4), np.ones((4, 4)), np.ones((4, 4))], NAMES[:3], "fc.weight")
    assert words(chart)[:4] == [
        "<b>A · magnitude</b><br>25.0 % kept",
        "<b>B · random</b><br>100.0 % kept",
        "<b>C · &lt;wanda&gt;</b><br>100.0 % kept",
        "<b>All together</b><br>all keep 25.0 %, none 0.0 %",
    ]
    assert "double-click" in words(chart)[4]
    assert "A · magnitude: 4, 25.0 %" in chart.alt
    assert "All keep 25.0 %, some but not all 75.0 %, none 0.0 %." in chart.alt
    names = [trace.name for trace in chart.figure.data if trace.type == "scatter"]
    assert names == ["kept (by all 3)", "by 2 of 3", "by 1 of 3", "removed (by all)"]


def test_a_convolution_is_a_row_per_output_channel_and_a_vector_one_column() -> None:
    assert np.shape(drawn(mask_panels([np.ones((3, 2, 5, 5))], NAMES[:1], "conv"))[0].text) == (3, 50)
    assert np.shape(drawn(mask_panels([np.ones(7)], NAMES[:1], "bias"))[0].text) == (7, 1)


@pytest.mark.parametrize("recipes", [1, 2, 3, 4])
def test_zooming_into_one_panel_zooms_into_all(recipes: int) -> None:
    chart = mask_panels([np.ones((6, 8))] * recipes, NAMES[:recipes], "fc")
    layout = chart.figure.layout
    assert layout.dragmode == "zoom"
    assert len(drawn(chart)) == recipes + 1
    for place in range(recipes + 1):
        number = str(place + 1) if place else ""
        x, y = layout[f"xaxis{number}"], layout[f"yaxis{number}"]
        assert not x.fixedrange
        assert not y.fixedrange
        assert (list(x.range), list(y.range), y.scaleanchor) == ([-0.5, 7.5], [5.5, -0.5], False)
        assert (x.matches, y.matches) == (("x", "y") if place else (None, None))
        assert drawn(chart)[place].xaxis == f"x{number}"
    boxes = [(layout[f"xaxis{n}"].domain, layout[f"yaxis{n}"].domain) for n in ("", *map(str, range(2, recipes + 2)))]
    for index, (x, y) in enumerate(boxes):
        for other_x, other_y in boxes[:index]:
            assert x[0] >= other_x[1] or y[1] <= other_y[0]


def test_a_large_layer_is_drawn_in_blocks_and_says_so() -> None:
    mask = np.zeros((4, 1025), dtype=bool)
    mask[:, :10] = True
    mask[0, 10] = True
    chart = mask_panels([mask, np.ones_like(mask)], NAMES[:2], "fc.weight")
    one, two, together = drawn(chart)
    # 1,025 columns in blocks of 5 are 205, 4 rows stay as they are
    assert one.z.shape == (4, 205)
    assert one.z.dtype == np.uint8
    assert one.z[0, :4].tolist() == [100, 100, 20, 0]
    assert one.z[1, :4].tolist() == [100, 100, 0, 0]
    assert set(two.z.ravel().tolist()) == {100}
    assert together.z.tolist() == one.z.tolist()
    assert (one.dx, one.x0, one.dy, one.y0) == (5, 2, 1, 0)
    assert "blocks of 1 × 5" in chart.figure.layout.title.text
    assert "% kept by all 2" in together.hovertemplate


def test_a_block_that_lost_one_weight_is_not_full() -> None:
    mask = np.ones((1030, 1030), dtype=bool)
    mask[0, 0] = mask[-1, -1] = False
    z = drawn(mask_panels([mask], NAMES[:1], "fc"))[0].z
    assert z.shape == (206, 206)
    assert (z[0, 0], z[0, 1], z[-1, -1]) == (96, 100, 96)
    nearly = np.ones((2, 256 * 1000), dtype=bool)
    nearly[0, 0] = False
    assert drawn(mask_panels([nearly], NAMES[:1], "fc"))[0].z[0, 0] == 99


def test_words_of_many_weights_are_left_to_their_colour() -> None:
    picture = drawn(mask_panels([np.ones((200, 200))], NAMES[:1], "fc"))[0]
    assert picture.text is None
    assert picture.hovertemplate == "row %{y}, column %{x}<extra></extra>"


def test_a_recipe_without_a_mask_has_no_panel_and_the_others_keep_their_letters() -> None:
    chart = mask_panels([np.ones((2, 2)), None, np.zeros((2, 2))], NAMES[:3], "fc")
    assert len(drawn(chart)) == 3
    assert words(chart)[:2] == ["<b>A · magnitude</b><br>100.0 % kept", "<b>C · &lt;wanda&gt;</b><br>0.0 % kept"]
    assert drawn(chart)[2].text[0][0] == "kept by 1 of 2"
    assert mask_panels([None], NAMES[:1], "fc").alt == "There is no mask to show."


def test_what_does_not_fit_is_refused_and_nothing_is_said_in_words() -> None:
    with pytest.raises(ValueError, match="2 masks need as many names; there are 1"):
        mask_panels([np.ones((2, 2))] * 2, NAMES[:1], "fc")
    with pytest.raises(ValueError, match="masks of one layer have one shape"):
        mask_panels([np.ones((2, 2)), np.ones((2, 3))], NAMES[:2], "fc")
    assert mask_panels([], [], "fc").alt == "There is no mask to show."
