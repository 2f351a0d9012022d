"""The strip of sample outputs: what is sent to the browser."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pruning_explorer import Subject, build_report, compute_masks
from pruning_explorer.figures.numbers import percent
from pruning_explorer.ui import subjects
from pruning_explorer.ui.browser.message import unpack_arrays
from pruning_explorer.ui.explore.outputs import spelled
from pruning_explorer.ui.output_strip import CARDS, build_inputs
from pruning_explorer.ui.output_strip.payload import PIXELS
from tests.ui.page import Page

OpenPage = Callable[..., Page]


def sent(page: Page, kind: str) -> Any:
    return next(each.proto for each in page.app.get("bidi_component") if each.key == f"explore-{kind}")


def inputs_on(page: Page) -> tuple[dict[str, Any], Any]:
    message = sent(page, "inputs").bytes
    header, arrays = unpack_arrays(message[8 + int.from_bytes(message[4:8], "little") :])
    return header, arrays["pixels"]


@pytest.mark.parametrize("name", ["digits-cnn", "adder-transformer", "spirals-mlp", "tutorial-mlp"])
def test_answers_are_those_of_the_networks_flipped_ones_first(open_page: OpenPage, name: str) -> None:
    page = open_page(subject=name, amount="0.6")
    report = build_report(page.subject, compute_masks(page.subject, page.recipe))
    assert report.drift is not None
    rows = report.drift.set_index("sample")
    told = json.loads(sent(page, "answers").json)
    assert told["amount"] == 0.6
    assert sorted(told["order"]) == list(rows.index)
    flips = [not rows.loc[sample, "agrees"] for sample in told["order"]]
    assert flips == sorted(flips, reverse=True)
    assert (told["flipped"], told["samples"]) == (sum(flips), len(rows))
    drift = rows.loc[told["order"][: told["flipped"]], "kl_nats"].fillna(np.inf)
    assert list(drift) == sorted(drift, reverse=True)
    names = page.subject.output_names
    header, _ = inputs_on(page)
    assert header["subject"] == told["subject"] == page.subject.id
    assert len(told["answers"]) == min(CARDS, len(rows))
    for sample, answer in zip(told["order"], told["answers"], strict=False):
        row = rows.loc[sample]
        assert answer["answer"] == spelled(row["pruned_top1"], names)
        assert answer["probability"] == percent(row["pruned_probability"])
        assert answer["flipped"] == (answer["answer"] != header["dense"][sample])
        assert header["dense"][sample] == spelled(row["dense_top1"], names)


def test_pictures_are_the_samples_pixel_by_pixel(open_page: OpenPage) -> None:
    page = open_page(subject="digits-cnn")
    header, pixels = inputs_on(page)
    view = page.subject.view
    assert view is not None
    assert (header["pictures"], header["rows"], header["cols"], header["inputs"]) == (360, 8, 8, None)
    shown = pixels.reshape(360, 8, 8)
    assert np.abs(shown / 255 - np.asarray(view.values)).max() <= 0.5 / 255
    assert page.subject.labels is not None
    assert header["true"] == [str(label) for label in page.subject.labels.tolist()]


def test_texts_and_numbers_are_words(open_page: OpenPage) -> None:
    page = open_page(subject="adder-transformer")
    header, pixels = inputs_on(page)
    view = page.subject.view
    assert view is not None
    assert header["inputs"] == list(view.values)[: len(header["inputs"])]
    assert pixels.size == header["pictures"] == 0
    page.pick("subject", "spirals-mlp")
    first = np.asarray(inputs_view(page))[0]
    assert inputs_on(page)[0]["inputs"][0] == f"{first[0]:.2f}, {first[1]:.2f}".replace("-", "−")


def inputs_view(page: Page) -> Any:
    assert page.subject.view is not None
    return page.subject.view.values


def test_a_large_picture_is_made_small_by_means() -> None:
    picture = np.zeros((1, 96, 96))
    picture[0, :2, :2] = [[1, 0], [0, 1]]  # the first of 48 x 48 blocks: half of it is white
    picture[0, 2:4, 0] = np.nan
    header, arrays = unpack_arrays(build_inputs("id", ["a"], None, picture))
    small = arrays["pixels"].reshape(header["rows"], header["cols"])
    assert small.shape == (48, 48)
    assert (small[0, 0], small.sum()) == (128, 128)


def test_pictures_that_are_no_multiple_of_a_block_end_in_a_smaller_one() -> None:
    picture = np.tile(np.arange(50) % 2, (1, 50, 1)).astype(np.float32)
    header, arrays = unpack_arrays(build_inputs("id", ["a"], None, np.repeat(picture[:, :49], 1, axis=0)))
    assert (header["rows"], header["cols"]) == (25, 25)
    assert set(arrays["pixels"].tolist()) == {128}


def test_of_very_many_pictures_the_first_are_sent() -> None:
    pictures = np.zeros((400, 64, 64), np.float32)
    header, arrays = unpack_arrays(build_inputs("id", ["a"] * 400, None, pictures))
    assert arrays["pixels"].size <= PIXELS
    assert header["pictures"] * header["rows"] * header["cols"] == arrays["pixels"].size
    assert 0 < header["pictures"] < 400
    assert len(header["dense"]) == 400


def test_without_samples_a_sentence_says_what_is_missing(open_page: OpenPage) -> None:
    assert missing_on(open_page(subject="tutorial-mlp")) == ""
    subjects._OPERATORS["bare"] = Subject.from_module(torch.nn.Linear(4, 3), name="bare")
    try:
        page = open_page(subject="bare")
        assert page.errors == []
        assert missing_on(page) == "No sample outputs, as this network has no samples."
        assert not any(each.key == "explore-answers" for each in page.app.get("bidi_component"))
    finally:
        subjects._OPERATORS.pop("bare", None)


def missing_on(page: Page) -> str:
    view = next(each for each in page.app.get("bidi_component") if each.key == "output_strip_view")
    return str(json.loads(view.proto.json)["missing"])
