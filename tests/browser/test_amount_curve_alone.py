"""The JavaScript of the curve by itself: what it reads off its points, and where hands lead, with no page around it."""

import pytest

from tests.browser.conftest import Js

READ, HANDS = "amount_curve/js/read.js", "amount_curve/js/hands.js"

POINTS = [
    {"amount": 0.0, "quality": 0.9, "agreement": 1.0, "kl": 0.0, "flipped": 0},
    {"amount": 0.4, "quality": None, "agreement": 0.9, "kl": 0.2, "flipped": 1},
    {"amount": 0.6, "quality": 0.5, "agreement": 0.4, "kl": 1.5, "flipped": 6},
]
CURVE = """((points, letter = "") => ({letter, name: "accuracy", samples: 10, done: false, ...Object.fromEntries(
  ["quality", "agreement", "kl", "flipped"].map(name => [name, m.measureOf(points, name)]))}))"""


@pytest.mark.parametrize(
    ("measure", "position", "value"),
    # quality is not known at 40 %: there it is read off the line from 0 to 60 %, 0.9 - 0.4 * 400 / 600
    [
        ("agreement", 400, 0.9),
        ("agreement", 500, 0.65),
        ("quality", 400, 0.9 - 0.4 * 2 / 3),
        ("kl", 200, 0.1),
        ("kl", 601, None),
    ],
)
def test_a_curve_is_read_off_between_its_points_and_nowhere_else(
    js: Js, measure: str, position: int, value: float | None
) -> None:
    read = js(READ, f"(v => Number.isNaN(v) ? null : v)(m.valueAt(m.measureOf(x, '{measure}'), {position}))", POINTS)
    assert read == (None if value is None else pytest.approx(value))
    known = {round(1000 * point["amount"]) for point in POINTS if point[measure] is not None}
    assert js(READ, f"m.isMeasured(m.measureOf(x, '{measure}'), {position})", POINTS) == (position in known)


def test_an_amount_that_is_no_exact_fraction_is_found_at_its_position(js: Js) -> None:
    amounts = [0.1 + 0.2, 0.57, 0.985]  # 300.00000000000006, 569.9999999999999 and 985
    points = [{"amount": amount, "kl": amount} for amount in amounts]
    measured = js(READ, "[300, 570, 985, 571].map(at => m.isMeasured(m.measureOf(x, 'kl'), at))", points)
    assert measured == [True, True, True, False]


@pytest.mark.parametrize(
    ("position", "words", "drift"),
    [
        (0, "accuracy 90.0 %, 0 of 10 flip", "drift 0 nats"),
        (500, "accuracy ≈ 56.7 %, ≈ 4 of 10 flip", "drift ≈ 0.85 nats"),
        (600, "accuracy 50.0 %, 6 of 10 flip", "drift 1.5 nats"),
        (700, "not measured yet", ""),
    ],
)
def test_what_a_curve_says_in_words(js: Js, position: int, words: str, drift: str) -> None:
    said = js(READ, f"(c => [m.wordsAt([c], {position}), m.driftAt(c, {position})])({CURVE}(x))", POINTS)
    assert said == [words, drift]


def test_without_labels_a_curve_speaks_of_answers_that_stay(js: Js) -> None:
    points = [{**point, "quality": None} for point in POINTS]
    words = js(READ, f"m.wordsAt([{CURVE}(x)], 500)", points)
    assert words == "same answer as dense ≈ 65.0 %, ≈ 4 of 10 flip"


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (200, "accuracy A ≈ 76.7 %, B 70.0 %"),
        (600, "accuracy A 50.0 %"),
        (700, "not measured yet"),
    ],
)
def test_several_curves_speak_by_their_letters(js: Js, position: int, words: str) -> None:
    other = [{**POINTS[0], "quality": 0.8}, {**POINTS[1], "amount": 0.2, "quality": 0.7}]
    said = js(READ, f"(c => m.wordsAt([c(x[0], 'A'), c(x[1], 'B')], {position}))({CURVE})", [POINTS, other])
    assert said == words


def test_a_measure_that_is_complete_and_unknown_is_not_on_its_way(js: Js) -> None:
    assert js(READ, f"m.wordsAt([{{...{CURVE}(x), done: true}}], 700)", POINTS) == "not measured"


@pytest.mark.parametrize(
    ("value", "position", "found"),
    [(0.95, 0, 0.9), (0.7, 300, 0.7), (0.5, 600, 0.5), (0.4, 600, 0.5)],
)
def test_where_a_line_first_falls_to_a_value(js: Js, value: float, position: float, found: float) -> None:
    crossing = js(READ, f"m.crossing(m.measureOf(x, 'quality'), {value})", POINTS)
    assert crossing == {"position": pytest.approx(position), "value": pytest.approx(found)}


def test_only_all_is_written_as_all_and_only_none_as_none(js: Js) -> None:
    assert js(READ, "x.map(m.percentOf)", [1, 0.99999, 0.906, 0.0004, 0]) == [
        "100.0 %",
        ">99.9 %",
        "90.6 %",
        "<0.1 %",
        "0.0 %",
    ]


def test_a_line_goes_through_its_points_and_leaves_out_what_is_unknown(js: Js) -> None:
    assert js(READ, "m.lineThrough(m.measureOf(x, 'quality'))", POINTS) == "M0.00 10.000L600.00 50.000"
    assert js(READ, "m.dotsAt(m.measureOf(x, 'quality'))", POINTS) == "M0.00 10.000h0M600.00 50.000h0"
    around = [{"amount": a, "low": low, "high": high} for a, low, high in ((0, 0.8, 1), (1, 0, 0.5))]
    band = js(READ, "m.bandBetween(m.measureOf(x, 'low'), m.measureOf(x, 'high'))", around)
    assert band == "M0.00 0.000L1000.00 50.000L1000.00 100.000L0.00 20.000Z"
    assert js(READ, "m.bandBetween(m.measureOf(x, 'low'), m.measureOf(x, 'high'))", POINTS) == ""


@pytest.mark.parametrize(
    ("x", "position"),
    # 500 px for 1000 positions: a mark at 302 is at 151 px, and holds what is within 6 px of it
    [(0, 0), (-30, 0), (250.2, 500), (500, 1000), (900, 1000), (145, 302), (157, 302), (144.9, 290), (157.2, 314)],
)
def test_a_pointer_goes_to_a_position_and_close_to_a_mark_to_the_mark(js: Js, x: float, position: int) -> None:
    assert js(HANDS, "m.positionAt(x, 500, [302])", x) == position


def test_of_two_marks_the_nearer_one_holds(js: Js) -> None:
    assert js(HANDS, "x.map(at => m.positionAt(at, 1000, [300, 306]))", [302, 304]) == [300, 306]


@pytest.mark.parametrize(
    ("key", "shift", "start", "position"),
    [
        ("ArrowRight", False, 400, 401),
        ("ArrowDown", True, 400, 390),
        ("ArrowUp", True, 995, 1000),
        ("PageUp", False, 400, 500),
        ("PageDown", True, 40, 0),
        ("Home", False, 400, 0),
        ("End", False, 400, 1000),
        ("a", False, 400, None),
    ],
)
def test_a_key_leads_so_far(js: Js, key: str, shift: bool, start: int, position: int | None) -> None:
    assert js(HANDS, "m.keyFrom(x[0], x[1], x[2])", [key, shift, start]) == position
