"""Cards of samples: what they say, and that nothing in them is markup."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pruning_explorer.figures.gallery import FLIPPED, image_gallery, marked, number_table, text_gallery
from pruning_explorer.figures.pictures import png

PICTURES = np.linspace(0, 1, 3 * 5 * 4).reshape(3, 5, 4)


def answers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample": [2, 0],
            "agrees": [False, True],
            "dense_top1": [1, 0],
            "pruned_top1": [0, 0],
            "dense_probability": [0.991, 0.8],
            "pruned_probability": [0.54, 0.7],
        }
    )


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)).strip()


class Tags(HTMLParser):
    """Finds every tag of a fragment, and whether each is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_picture_comes_back_pixel_for_pixel() -> None:
    picture = np.arange(64).reshape(8, 8) / 255
    with Image.open(io.BytesIO(png(picture))) as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), np.arange(64).reshape(8, 8))


@pytest.mark.parametrize("picture", [np.zeros((2, 2, 3)), np.zeros((0, 4)), np.full((2, 2), np.nan)])
def test_what_is_no_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="picture"):
        png(picture)


def test_cards_in_the_order_given_with_both_answers() -> None:
    html = image_gallery(answers(), PICTURES, ["cat", "dog"], np.array([0, 0, 1]))
    assert words(html) == (
        f"sample 2 {FLIPPED} true dog dense dog ✓ 99.1 % pruned cat ✗ 54.0 % "
        "sample 0 true cat dense cat ✓ 80.0 % pruned cat ✓ 70.0 %"
    )
    assert re.findall('alt="([^"]*)"', html) == ["picture of sample 2, truly dog", "picture of sample 0, truly cat"]
    assert html.count("px-card px-flipped") == 1
    assert Tags(html).open == []


def test_each_card_shows_its_own_sample() -> None:
    encoded = re.findall(r"data:image/png;base64,([^\"]+)", image_gallery(answers(), PICTURES, []))
    shown = [np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in encoded]
    assert np.array_equal(shown[0], np.rint(PICTURES[2] * 255))
    assert np.array_equal(shown[1], np.rint(PICTURES[0] * 255))


def test_without_labels_nothing_is_right_or_wrong() -> None:
    html = image_gallery(answers(), PICTURES, [])
    assert words(html).startswith(f"sample 2 {FLIPPED} dense class 1 99.1 % pruned class 0 54.0 %")
    assert "✓" not in html
    assert "✗" not in html


def test_names_and_texts_are_escaped() -> None:
    evil = '<script>alert("1")</script>" onerror="x'
    texts = answers().assign(prompt=evil, dense=evil, pruned="<b>", true=evil)
    for html in (image_gallery(answers(), PICTURES, [evil, evil], np.array([0, 0, 1])), text_gallery(texts)):
        assert "script" not in Tags(html).found
        assert "onerror=" not in re.sub(r'alt="[^"]*"', "", html).replace("onerror=&quot;", "")
        assert Tags(html).open == []


def test_texts_mark_the_characters_that_are_wrong() -> None:
    texts = answers().assign(prompt="347+285=", true=["632", "632"], dense=["632", "632"], pruned=["622", "632"])
    html = text_gallery(texts)
    assert html.count('<mark class="px-off">2</mark>') == 1
    assert words(html).startswith(f"sample 2 {FLIPPED} 347+285= true 632 dense 632 ✓ 99.1 % pruned 6 2 2 ✗ 54.0 %")
    untold = text_gallery(texts.drop(columns="true"))
    assert "✓" not in untold
    assert untold.count('<mark class="px-off">2</mark>') == 1


@pytest.mark.parametrize(
    ("said", "should", "text"),
    [("12", "12", "12"), ("1", "12", "1[␣]"), ("123", "1", "1[23]"), ("", "", ""), ("ab", "xy", "[ab]")],
)
def test_marked(said: str, should: str, text: str) -> None:
    assert marked(said, should).replace('<mark class="px-off">', "[").replace("</mark>", "]") == text


def test_numbers_as_a_table() -> None:
    table = number_table(answers(), np.array([[0.5, 1.25]] * 3), ["a", "b"], np.array([0, 0, 1]))
    assert table.to_dict("records")[0] == {
        "sample": 2,
        "flipped": FLIPPED,
        "input": "0.50, 1.25",
        "true": "b",
        "dense": "b",
        "dense probability": 0.991,
        "pruned": "a",
        "pruned probability": 0.54,
    }
    assert "true" not in number_table(answers(), np.zeros((3, 2)), [])


def test_a_table_of_samples_that_nothing_shows_has_their_answers_in_words() -> None:
    spelled = answers().assign(dense_top1=["12", "34"], pruned_top1=[0, -1])
    table = number_table(spelled, None, ["a", "b"])
    assert "input" not in table
    assert table["dense"].tolist() == ["12", "34"]
    assert table["pruned"].tolist() == ["a", "–"]


def test_nothing_to_show_is_said_and_wrong_shapes_are_refused() -> None:
    assert image_gallery(answers().iloc[:0], PICTURES, []) == "<p>There are no samples to show.</p>"
    with pytest.raises(ValueError, match=r"pictures must be \[N, H, W\], not \[3, 5\]"):
        image_gallery(answers(), PICTURES[:, :, 0], [])
    with pytest.raises(ValueError, match="needs the columns prompt, dense, pruned"):
        text_gallery(answers())
