"""The components' JavaScript by itself: each module in a Chromium, with no page around it, against numbers by hand."""

import math
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from pruning_explorer.figures.colours import ON_DARK, ON_LIGHT
from pruning_explorer.ui.browser import colour_variables, join_modules
from pruning_explorer.ui.live_mask import build_payload
from tests.browser.conftest import UI, Js

COMPONENTS = sorted(
    str(path.relative_to(UI)) for path in UI.rglob("*.js") if "\nexport default " in f"\n{path.read_text()}"
)
NUMBERS, CUTS, CELLS = "browser/js/numbers.js", "live_mask/js/cuts.js", "live_mask/js/cells.js"
THEME, VIEWPORT, CURVES = "browser/js/theme.js", "live_mask/js/viewport.js", "learn/stage/js/curves.js"


def linear(groups: int, cap: float = 1.0) -> list[int]:
    """How many groups are gone at each position of the slider."""
    return [int(n) for n in np.rint(np.minimum(np.arange(1001) / 1000, cap) * groups)]


# ---- all components ----


@pytest.mark.parametrize("entry", COMPONENTS)
def test_a_joined_component_is_one_module_that_the_browser_takes(blank: Page, entry: str) -> None:
    kind = blank.evaluate(
        """async (text) => {
          const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
          return typeof (await import(url)).default;
        }""",
        join_modules(UI / entry),
    )
    assert kind == "function"


LIFE = """(() => {
  const told = [];
  const element = document.createElement("div");
  const draw = () => element.replaceChildren(document.createElement("p"));
  document.body.append(element);
  draw();
  const call = m.component({
    open: (parent) => ({ root: parent.firstChild, name: told.push("open") }),
    take: (app, data) => told.push(`take ${data}`),
    leave: () => told.push("leave"),
    fits: (app, data) => data !== "other",
  });
  const run = (data) => call({ data, parentElement: element, setStateValue: () => {} });
  (EVENTS)(run, draw);
  element.remove();
  return told;
})()"""


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ("(run) => { run(1); run(2)(); }", ["open", "take 1", "take 2", "leave"]),
        # the way back of an older call is no end
        ("(run) => { const first = run(1); run(2); first(); }", ["open", "take 1", "take 2"]),
        ("(run) => { const first = run(1); first(); first(); }", ["open", "take 1", "leave"]),
        # filled anew, or of another identity: another app, which the end of the first does not end
        (
            "(run, draw) => { const first = run(1); draw(); run(2); first(); }",
            ["open", "take 1", "leave", "open", "take 2"],
        ),
        ("(run) => { run(1); run('other'); }", ["open", "take 1", "leave", "open", "take other"]),
    ],
)
def test_an_element_has_one_app_until_it_goes(js: Js, events: str, told: list[str]) -> None:
    assert js("browser/js/component.js", LIFE.replace("EVENTS", events)) == told


def test_a_release_has_a_larger_number_than_the_one_before(js: Js) -> None:
    assert js("browser/js/slider.js", "m.nextRevision(undefined) >= 1.7e12")
    assert js("browser/js/slider.js", "m.nextRevision(9e15 - 1)") == 9e15


# ---- numbers ----


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("whole(0)", "0"),
        ("whole(1234567)", "1,234,567"),
        ("whole(-1234.4)", "−1,234"),
        ("whole(NaN)", "–"),
        ("fixed(-1, 1)", "−1.0"),
        ("fixed(0.005, 3)", "0.005"),
        ("fixed(null, 2)", "–"),
        ("significant(0.00012345, 3)", "0.000123"),
        ("short(97.34)", "97.3"),
        ("short(0.4831)", "0.483"),
        ("short(999.4)", "999"),
        ("short(1234.5)", "1,235"),
        ("short(-1234.5)", "−1,234"),
        ("short(0.00078)", "0.00078"),
        ("short(-2e-7)", "−2.0e−7"),
        ("short(0)", "0"),
        ("short(undefined)", "–"),
        ("short(NaN)", "–"),
        ("short(Infinity)", "∞"),
        ("tiny(0)", "0"),
        ("tiny(0.4831)", "0.48"),
        ("tiny(0.0512)", "0.051"),
        ("tiny(0.0051)", "0.0051"),
        ("tiny(0.00051)", "5e−4"),
        ("tiny(-12.34)", "−12.3"),
        ("tiny(123.4)", "123"),
        ("tiny(2345)", "2e+3"),
        ("tiny(-Infinity)", "−∞"),
        ("precise(0)", "0"),
        ("precise(-0.123456)", "−0.12346"),
        ("precise(123456)", "1.235e+5"),
        ("precise(0.00001234)", "1.234e−5"),
        ("precise(NaN)", "–"),
    ],
)
def test_numbers_as_a_person_reads_them(js: Js, expression: str, text: str) -> None:
    assert js(NUMBERS, f"m.{expression}") == text


@pytest.mark.parametrize(
    ("typed", "position"),
    [("0", 0), ("100", 1000), ("12,34 %", 123), (" 50.05", 501), ("1e2", 1000)],
)
def test_a_typed_amount_is_a_position(js: Js, typed: str, position: int) -> None:
    assert js("browser/js/amount_box.js", "m.readAmount(x)", typed) == {"position": position}


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "Nothing is between 0 and 100."),
        ("100.1", "100.1 is not between 0 and 100."),
        ("-1", "-1 is not between 0 and 100."),
        ("half", "“half” is no number and not between 0 and 100."),
        ("Infinity", "Infinity is not between 0 and 100."),
    ],
)
def test_what_is_no_amount_is_said(js: Js, typed: str, problem: str) -> None:
    assert js("browser/js/amount_box.js", "m.readAmount(x)", typed) == {"problem": problem}


# ---- ranks and cuts ----


def test_a_group_leaves_at_the_first_position_where_more_are_gone_than_its_rank(js: Js) -> None:
    # 0.006 i is 1 from 84 on, 2 at 250 (1.5 rounds to the even 2), 3 at 417, 4 at 584, 5 at 751 (4.5 rounds to 4)
    expected = [84, 250, 417, 584, 751, 917]
    assert js(CUTS, "x.map((_, rank) => m.exitIndex(rank, x)).slice(0, 6)", linear(6)) == expected
    assert js(CUTS, "Array.from(m.exitTable(6, x))", linear(6)) == expected


def test_what_a_cap_protects_never_leaves(js: Js) -> None:
    never = js(CUTS, "m.NEVER")
    assert js(CUTS, "Array.from(m.exitTable(4, x))", linear(4, cap=0.5)) == [126, 375, never, never]
    assert js(CUTS, "m.exitIndex(2, x)", linear(4, cap=0.5)) == never


def test_nothing_has_no_exits(js: Js) -> None:
    assert js(CUTS, "Array.from(m.exitTable(0, x))", linear(0)) == []
    order = js(CUTS, "(({ order, starts }) => [Array.from(order), Array.from(starts)])(m.exitOrder([], 0))")
    assert order == [[], [0]]


def test_cells_of_one_rank_leave_together_in_their_order(js: Js) -> None:
    order = js(CUTS, "(({ order, starts }) => [Array.from(order), Array.from(starts)])(m.exitOrder([1, 0, 1, 0], 2))")
    assert order == [[1, 3, 0, 2], [0, 2, 4]]


@pytest.mark.parametrize(
    ("position", "place", "number"),
    [
        (0, {"low": 0, "next": 1, "share": 0}, 10),
        (500, {"low": 1, "next": 2, "share": 0}, 20),
        (750, {"low": 1, "next": 2, "share": 0.5}, 30),
        (1000, {"low": 2, "next": 2, "share": 0}, 40),
    ],
)
def test_between_two_cuts_a_table_is_straight(js: Js, position: int, place: dict[str, float], number: float) -> None:
    layer = {"cuts": [0, 4, 8], "removedAt": linear(8)}
    assert js(CUTS, f"m.placeAmongCuts(x, {position})", layer) == place
    # two numbers for each cut; the second of each
    assert js(CUTS, "m.atPlace([0, 10, 0, 20, 0, 40], x, 2, 1)", place) == number


def test_a_table_with_one_cut_is_that_one(js: Js) -> None:
    assert js(CUTS, "m.placeAmongCuts({ cuts: [0], removedAt: x }, 1000)", linear(1)) == {
        "low": 0,
        "next": 0,
        "share": 0,
    }


COUNT = """(() => {
  const { order, starts } = m.exitOrder(x.ranks, x.groups);
  const channels = { run: x.run, across: x.across, of: x.of, count: x.count };
  const grid = { ranks: x.ranks, order, starts, count: x.ranks.length };
  const layer = { grid, channels, cols: x.cols, channelKept: new Uint32Array(x.count), channelCut: -1 };
  return x.cuts.map((cut) => { m.countChannels(layer, cut); return Array.from(layer.channelKept); });
})()"""


def test_kept_per_channel_from_none_gone_to_all_and_back(js: Js) -> None:
    # two rows of three: ranks by magnitude of 0.5 0.1 0.3 / 0.6 0.2 0.4
    layer = {"ranks": [4, 0, 2, 5, 1, 3], "groups": 6, "cols": 3, "run": 3, "across": 1, "of": None, "count": 2}
    kept = js(CUTS, COUNT, layer | {"cuts": [0, 1, 2, 3, 6, 5, 0]})
    assert kept == [[3, 3], [2, 3], [2, 2], [1, 2], [0, 0], [0, 1], [3, 3]]


def test_channels_along_columns_are_counted_too(js: Js) -> None:
    layer = {"ranks": [4, 0, 2, 5, 1, 3], "groups": 6, "cols": 3, "run": 6, "across": 3, "of": [0, 1, 2], "count": 3}
    assert js(CUTS, COUNT, layer | {"cuts": [0, 2, 6]}) == [[2, 2, 2], [2, 0, 2], [0, 0, 0]]


def test_equal_ranks_go_at_once(js: Js) -> None:
    layer = {"ranks": [0, 0, 1, 1], "groups": 2, "cols": 2, "run": 2, "across": 1, "of": None, "count": 2}
    assert js(CUTS, COUNT, layer | {"cuts": [0, 1, 2]}) == [[2, 2], [0, 2], [0, 0]]


def test_one_weight_is_there_or_not(js: Js) -> None:
    layer = {"ranks": [0], "groups": 1, "cols": 1, "run": 1, "across": 1, "of": None, "count": 1}
    assert js(CUTS, COUNT, layer | {"cuts": [0, 1, 0]}) == [[1], [0], [1]]


# ---- cells ----


@pytest.mark.parametrize(("length", "edges"), [(0, [0]), (1, [0, 1]), (3, [0, 1, 2, 3]), (256, list(range(257)))])
def test_up_to_256_rows_each_is_a_block(js: Js, length: int, edges: list[int]) -> None:
    assert js(CELLS, "Array.from(m.blockEdges(x))", length) == edges


def test_more_rows_are_shared_out_evenly(js: Js) -> None:
    edges = js(CELLS, "Array.from(m.blockEdges(300))")
    assert edges == [300 * i // 256 for i in range(257)]


@pytest.mark.parametrize(
    ("header", "row", "col", "index"),
    [
        ({"kind": "matrix", "shape": [4, 5]}, 2, 3, [2, 3]),
        # 2 x 3 x 2 as rows of 3 * 2
        ({"kind": "matrix", "shape": [2, 3, 2]}, 1, 5, [1, 2, 1]),
        ({"kind": "strip", "shape": [7]}, 1, 2, [5]),
        ({"kind": "strip", "shape": []}, 0, 0, []),
        # filters of 3 x 3, two inputs: row 4, col 5 is output 1, input 1, its place (1, 2)
        ({"kind": "mosaic", "shape": [8, 2, 3, 3], "tile": [3, 3]}, 4, 5, [1, 1, 1, 2]),
    ],
)
def test_a_cell_is_a_place_in_the_tensor(js: Js, header: dict[str, Any], row: int, col: int, index: list[int]) -> None:
    tile = header.get("tile", [1, 1])
    layer = {"header": header, "cols": 3 if header["kind"] == "strip" else 6, "across": 1}
    layer |= {"tileRows": tile[0], "tileCols": tile[1]}
    assert js(CELLS, f"m.tensorIndex(x, {row}, {col})", layer) == index


def test_cells_fall_into_channels_along_either_dim(js: Js) -> None:
    header = {"kind": "matrix", "shape": [2, 3], "tile": [1, 1], "cols": 3, "across": 1, "numel": 6, "channel_dim": 0}
    channels = "[0, 1, 2, 3, 4, 5].map((i) => m.channelOf({ channels: m.channelPlan(x), cols: 3 }, i))"
    assert js(CELLS, channels, header) == [0, 0, 0, 1, 1, 1]
    assert js(CELLS, channels, header | {"channel_dim": 1}) == [0, 1, 2, 0, 1, 2]
    assert js(CELLS, channels, header | {"kind": "strip"}) == [0, 1, 2, 3, 4, 5]


# ---- what Python sends ----

WEIGHTS = np.array([[0.5, -0.1, 0.3], [-0.6, 0.2, -0.4]], np.float32)
RANKS = np.array([[4, 0, 2], [5, 1, 3]], np.uint32)


def payload(weights: np.ndarray, ranks: np.ndarray, groups: int) -> list[int]:
    return list(
        build_payload(
            key="k",
            title="fc.weight",
            scores=np.abs(weights),
            weights=weights,
            ranks=ranks,
            removed_at=np.array(linear(groups), np.uint32),
            shape=weights.shape,
            granularity_note="",
        )
    )


def test_a_layer_arrives_as_python_sent_it(js: Js) -> None:
    layer = js(
        "live_mask/js/decode.js",
        """(() => {
          const { mode, rows, cols, grid, keptAt } = m.decodeLayer(Uint8Array.from(x));
          const { weights, ranks, exits, levels, steps } = grid;
          const scores = [0, 1, 2, 3, 4, 5].map(grid.scoreOf);
          const [plain] = [{ weights, ranks, exits, levels, steps }].map((arrays) =>
            Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, Array.from(array)])));
          return { mode, rows, cols, scores, kept: [keptAt[0], keptAt[500], keptAt[1000]], ...plain };
        })()""",
        payload(WEIGHTS, RANKS, 6),
    )
    assert (layer["mode"], layer["rows"], layer["cols"]) == ("cells", 2, 3)
    assert layer["weights"] == WEIGHTS.reshape(-1).tolist()
    assert layer["scores"] == np.abs(WEIGHTS).reshape(-1).tolist()
    assert layer["ranks"] == [4, 0, 2, 5, 1, 3]
    assert layer["exits"] == [751, 84, 417, 917, 250, 584]
    assert layer["kept"] == [6, 3, 0]
    # 0.6 is the largest: 127 * w / 0.6, rounded; 255 would be never, others a quarter of the position
    assert layer["levels"] == [106, -21, 64, -127, 42, -85]
    assert layer["steps"] == [187, 21, 104, 229, 62, 146]


def test_a_layer_of_one_weight_arrives(js: Js) -> None:
    exits = "Array.from(m.decodeLayer(Uint8Array.from(x)).grid.exits)"
    one = payload(np.ones((1, 1), np.float32), np.zeros((1, 1), np.uint32), 1)
    assert js("live_mask/js/decode.js", exits, one) == [501]  # half of one weight rounds to none


# ---- colours and pixels ----


def test_luminance_and_ink_by_hand(js: Js) -> None:
    assert js(THEME, "m.luminance(m.pixelOf('#ffffff'))") == pytest.approx(1)
    assert js(THEME, "m.luminance(m.pixelOf('#000000'))") == 0
    assert js(THEME, "m.luminance(m.pixelOf('#808080'))") == pytest.approx(((128 / 255 + 0.055) / 1.055) ** 2.4)
    assert js(THEME, "['#000', '#757575', '#777', '#fff'].map((c) => m.inkOn(m.pixelOf(c)))") == [
        "#ffffff",
        "#ffffff",
        "#000000",
        "#000000",
    ]


def test_what_shines_through_is_seen(js: Js) -> None:
    assert js(THEME, "m.partsOf(m.pixelOf('rgb(255 0 0 / 0)', 'rgb(0, 20, 40)', 'white'))") == [0, 20, 40]
    red, green, blue = js(THEME, "m.partsOf(m.pixelOf('rgb(255 0 0 / 50%)', 'white'))")
    assert red == 255
    assert green == blue == pytest.approx(127, abs=1)


@pytest.mark.parametrize(("background", "colours", "dark"), [("#ffffff", ON_LIGHT, False), ("#0e1117", ON_DARK, True)])
def test_pictures_are_in_the_colours_that_python_declares(js: Js, background: str, colours: Any, dark: bool) -> None:
    seen = js(
        THEME,
        """(async () => {
          const root = Object.assign(document.createElement("div"), { className: "themed" });
          root.style.setProperty("--st-background-color", x.background);
          root.append(Object.assign(document.createElement("style"), { textContent: x.css }));
          document.body.append(root);
          const dark = m.followTheme(root);
          const { makePalette } = await import("/live_mask/js/palette.js");
          const style = getComputedStyle(root);
          const p = makePalette(dark, (name) => style.getPropertyValue(`--${name}`).trim());
          const hex = (pixel) => `#${m.partsOf(pixel).map((v) => v.toString(16).padStart(2, "0")).join("")}`;
          root.remove();
          return {
            dark, mark: p.mark, ends: [p.mask[0], p.mask[255], p.gonePixel].map(hex),
            weights: [0, 127, 254].map((i) => hex(p.weights[i])), never: hex(p.exits[255]), last: hex(p.exits[250]),
          };
        })()""",
        {"background": background, "css": colour_variables()},
    )
    assert seen["dark"] is dark
    assert seen["mark"] == colours.mark
    assert seen["ends"] == [colours.removed, colours.kept, colours.gone]
    assert seen["weights"] == [colours.weights[0], colours.weights[3], colours.weights[-1]]
    assert (seen["never"], seen["last"]) == (colours.never, colours.exits[-1])


RASTER = """(async () => {
  const { makeRaster, paintLive } = m;
  const grid = {
    row: 0, col: 0, rows: 2, cols: 2, count: 4, inside: null,
    ranks: [0, 1, 2, 3], levels: Int8Array.of(10, -20, 30, -40), magnitudes: Uint8Array.of(10, 20, 30, 40),
  };
  const seen = { c0: 0, c1: 2, r0: 0, r1: 2, x0: 0, y0: 0, sx: x.side, sy: x.side };
  const raster = makeRaster(seen, grid, 1);
  const mask = new Uint32Array(raster.nx * raster.ny);
  const palette = {
    mask: Uint32Array.from({ length: 256 }, (_, i) => i), remains: new Uint32Array(255 * 33).fill(7),
    weights: Uint32Array.from({ length: 255 }, (_, i) => i), gonePixel: 999,
  };
  const remains = mask.slice();
  return x.cuts.map((cut) => {
    paintLive(raster, grid, cut, palette, mask, remains);
    return [Array.from(mask), Array.from(remains)];
  });
})()"""


def test_a_pixel_is_a_weight_where_there_is_room(js: Js) -> None:
    frames = js("live_mask/js/raster.js", RASTER, {"side": 1, "cuts": [0, 2, 4]})
    assert frames[0] == [[255] * 4, [137, 107, 157, 87]]
    assert frames[1] == [[0, 0, 255, 255], [999, 999, 157, 87]]
    assert frames[2] == [[0] * 4, [999] * 4]


def test_a_pixel_is_the_share_of_its_weights_where_there_is_none(js: Js) -> None:
    frames = js("live_mask/js/raster.js", RASTER, {"side": 0.5, "cuts": [0, 1, 3, 4]})
    assert [mask for mask, _ in frames] == [[255], [math.floor(255 * 3 / 4)], [math.floor(255 / 4)], [0]]


# ---- what is seen ----


def test_a_layer_fits_and_a_cell_is_found_again(js: Js) -> None:
    found = js(
        VIEWPORT,
        """(() => {
          const picture = { rows: 10, cols: 20 };
          const port = m.wholePicture(picture);
          const whole = m.frame(port, picture, 200, 200);
          m.zoomAt(port, picture, whole, 4, 155, 155);
          const near = m.frame(port, picture, 200, 200);
          return [whole.c0, whole.c1, whole.r0, whole.r1, m.cellAt(picture, whole, 155, 155),
            m.cellAt(picture, near, 155, 155), m.cellAt(picture, whole, 500, 5)];
        })()""",
    )
    assert found[:4] == [0, 20, 0, 10]
    assert found[4] == found[5]
    assert found[6] is None


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 100, 4, [0, 25, 50, 75, 100]),
        (-1, 1, 4, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round(js: Js, low: float, high: float, most: int, ticks: list[float]) -> None:
    assert js(CURVES, f"m.niceTicks({low}, {high}, {most})") == pytest.approx(ticks)


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten(js: Js) -> None:
    assert js(CURVES, "m.logTicks(0.01, 1000, 6)") == [0.01, 0.1, 1, 10, 100, 1000]
    assert js(CURVES, "m.logTicks(1, 10, 6)") == [1, 2, 5, 10]


def test_a_chart_has_room_for_what_there_is(js: Js) -> None:
    series = "[{ values: x, low: [], high: [] }]"
    heights = f"m.heightsOf({{ y_range: null, log: false, lines: [], series: {series} }})"
    assert js(CURVES, heights, [0.0, 1.0]) == [0, 1.05]
    assert js(CURVES, heights, [None, None]) == [0, 1]
    assert js(CURVES, heights, [2.0]) == pytest.approx([1.8, 2.2])
    assert js(CURVES, heights.replace("log: false", "log: true"), [0.0, None]) == [0.1, 1]


def test_only_what_leaves_or_comes_back_is_touched(js: Js) -> None:
    touched = """(() => {
      const seen = [];
      m.exits([0, 2, 2, 5]).step(x[0], x[1], (i, gone) => seen.push([i, gone]));
      return seen;
    })()"""
    write = "learn/stage/js/write.js"
    assert js(write, touched, [-1, 0]) == [[0, True]]
    assert js(write, touched, [0, 3]) == [[1, True], [2, True]]
    assert js(write, touched, [5, 1]) == [[1, False], [2, False], [3, False]]
    assert js(write, touched, [3, 3]) == []
