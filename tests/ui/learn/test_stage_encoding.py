"""What the browser is sent: every kind of panel as plain JSON, its pixels as PNG, and nothing that is not a number."""

import base64
import io
import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pruning_explorer.lessons.panels import (
    Bars,
    Code,
    Curves,
    Edges,
    Figure,
    Figures,
    Matrix,
    Network,
    Panel,
    Pictures,
    Regions,
    Series,
    Table,
)
from pruning_explorer.lessons.scene import Slider, Stage
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.ui.learn.stage import encode_panel, encode_stage
from pruning_explorer.ui.learn.stage.component import _latest, _release, _Seen

MATRIX = Matrix("w", np.array([[0.123, -0.004, np.nan]], dtype=np.float32), np.array([[0, 2, 3]]), "mask", 2, 2)
ANSWERS = (np.arange(3 * 2 * 5).reshape(3, 2, 5) % 3).astype(np.uint8)
REGIONS = Regions("r", ANSWERS, (-1.0, 1.0, 0.0, 2.0), np.array([[0.25, 1.0]]), np.array([2]), ("a", "b", "c"))
TONES = np.linspace(-1, 1, 2 * 3 * 4 * 2).reshape(2, 3, 4, 2)
EVERY: tuple[Panel, ...] = (
    MATRIX,
    Network("n", (("x",), ("y", "z")), (Edges("fc", np.array([[1.0], [-2.5]]), np.array([[1], [2]])),)),
    REGIONS,
    Curves("c", (Series("s", (1.0, None, float("inf")), (0.5, None, 1.0)),), "y", lines={"level": 0.5}, better="lower"),
    Bars("b", ("fc1", "fc2"), np.array([[1.0, 1.0], [0.5, 0.0]]), (20, 12), 0.9),
    Figures((Figure("Removed", ("0", "4"), "Of 20."),)),
    Code("t", ("prune(0)", "prune(1)")),
    Table("t", ("a", "b"), ((("1", "2"),),)),
    Pictures("p", TONES, (("u", "v", "w"),), -1.0, 1.0, ((False, True, False),)),
)


def pixels(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,")))))


@pytest.mark.parametrize("panel", EVERY, ids=lambda panel: type(panel).__name__)
def test_every_kind_is_json_and_has_all_its_fields(panel: Panel) -> None:
    encoded = encode_panel(panel)
    assert json.loads(json.dumps(encoded, allow_nan=False)) == encoded
    assert encoded["kind"] == type(panel).__name__.lower()
    pictured = {"answers", "values"} if "sprite" in encoded else set()
    assert {field.name for field in fields(panel)} - pictured <= set(encoded)


def test_a_matrix_is_rounded_to_what_is_drawn() -> None:
    encoded = encode_panel(MATRIX)
    assert encoded["values"] == [[0.12, 0.0, None]]
    assert str(encoded["values"][0][1]) == "0.0", "no minus before a zero"
    assert encoded["leaves"] == [[0, 2, 3]]


def test_answers_come_back_from_the_picture() -> None:
    encoded = encode_panel(REGIONS)
    assert encoded["size"] == [3, 2, 5]
    assert (pixels(encoded["sprite"]).reshape(3, 2, 5) == ANSWERS).all()
    assert encoded["shares"] == [[(frame == label).mean() * 100 for label in range(3)] for frame in ANSWERS]


def test_a_hundred_and_one_maps_stay_small() -> None:
    """They travel once: of 96 x 96 points that change a little at every stop, some kB each at most."""
    plane = np.add.outer(np.arange(96), np.arange(96))
    frames = np.stack([((plane + stop) // 40 % 3) for stop in range(101)]).astype(np.uint8)
    encoded = encode_panel(Regions("r", frames, REGIONS.extent, REGIONS.points, REGIONS.labels, REGIONS.class_names))
    assert len(json.dumps(encoded)) < 200_000


def test_pictures_are_grey_between_low_and_high() -> None:
    sprite = pixels(encode_panel(EVERY[-1])["sprite"]).reshape(2, 4, 3, 2).transpose(0, 2, 1, 3)
    assert np.abs(sprite / 255 * 2 - 1 - TONES).max() <= 1 / 255


def test_lines_and_gaps_of_a_chart() -> None:
    encoded = encode_panel(EVERY[3])
    line = encoded["series"][0]
    assert line["values"] == [1.0, None, None]
    assert line["low"] == [0.5, None, 1.0]
    assert encoded["lines"] == [["level", 0.5]]


def stage(slider: Slider | None) -> Stage:
    return Stage(slider, (MATRIX,), {}, lambda stop: Recipe())


def test_a_stage_without_a_slider_has_no_stops() -> None:
    assert encode_stage(stage(None)) | {"panels": []} == {"stops": [], "shown": [], "playable": False, "panels": []}
    dragged = encode_stage(stage(Slider((0.0, 0.5), ("none", "half"))))
    assert (dragged["stops"], dragged["shown"], dragged["playable"]) == ([0.0, 0.5], ["none", "half"], True)
    assert not encode_stage(stage(Slider((0.0,), ("none",))))["playable"], "one stop cannot be played"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"release": {"stop": 7, "revision": 5}}, (7, 5)),
        ({"release": {"stop": 7.0, "revision": 5.0}}, (7, 5)),
        ({"release": {"stop": -1, "revision": 5}}, (None, 0)),
        ({"release": {"stop": float("nan"), "revision": 5}}, (None, 0)),
        ({"release": {"stop": "7", "revision": 5}}, (None, 0)),
        ({"release": None}, (None, 0)),
        ({}, (None, 0)),
        (None, (None, 0)),
    ],
)
def test_what_a_browser_sends_is_checked(value: Any, expected: tuple[int | None, int]) -> None:
    assert _release(value) == expected


def test_whoever_moved_last_decides() -> None:
    seen = _Seen(stage(None), {}, start=20, turn=1, stop=30, revision=5)
    assert _latest(None, 20, 1, None, 0) == 20
    assert _latest(seen, 20, 1, 40, 6) == 40, "a hand after the last run"
    assert _latest(seen, 20, 1, 30, 5) == 30, "the same release, seen again"
    assert _latest(seen, 60, 1, 30, 5) == 60, "another start from Python"
    assert _latest(seen, 20, 2, 30, 5) == 20, "the same start from Python, anew"
    moved = _Seen(stage(None), {}, start=60, turn=1, stop=60, revision=5)
    assert _latest(moved, 60, 1, 30, 5) == 60, "a release from before that start"
    assert _latest(seen, 20, 1, None, 0) == 20, "the component was away"
