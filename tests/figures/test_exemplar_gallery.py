"""Cards of the samples on which recipes disagree."""

import numpy as np
import pandas as pd
import pytest

from pruning_explorer.figures.exemplar_gallery import exemplar_gallery

FOUND = pd.DataFrame(
    {"sample": [3, 1], "flips": [2, 1], "kl": [1.5, 0.25], "dense": [0, 1], "answers": [(1, None, 2), (1, None, -1)]}
)
NAMES = ["Magnitude", "broken", "Wanda, per row"]


def test_every_recipe_answers_and_is_judged() -> None:
    html = exemplar_gallery(FOUND, NAMES, ["cat", "dog", "<cow>"], labels=np.array([0, 1, 0, 0]))
    first, second = html.split("sample 1<")
    assert "sample 3" in first
    assert "2 of 2 recipes flip it; mean drift 1.50 nats" in first
    assert "A · Magnitude" in first
    assert "C · Wanda, per row" in first
    assert "&lt;cow&gt;" in first
    assert "<cow>" not in html
    assert first.count('aria-label="wrong"') == 2
    assert first.count('aria-label="right"') == 1
    assert first.count("⇄ flipped") == 2
    assert "no answer" in second


def test_pictures_texts_and_numbers_are_shown() -> None:
    pictures = np.linspace(0, 1, 4 * 2 * 2).reshape(4, 2, 2)
    html = exemplar_gallery(FOUND, NAMES, ["cat", "dog"], view=("image", pictures))
    assert html.count("data:image/png;base64,") == 2
    assert 'alt="picture of sample 3"' in html
    assert "aria-label" not in html  # nothing is right or wrong without labels
    texts = exemplar_gallery(FOUND, NAMES, ["cat", "dog"], view=("text", ["a", "<b>", "c", "d"]))
    assert "&lt;b&gt;" in texts
    points = exemplar_gallery(
        FOUND, NAMES, ["cat", "dog"], view=("point", np.array([[0, 0], [-1, 2.5], [0, 0], [1, 1]]))
    )
    assert "(−1.00, 2.50)" in points


def test_answers_in_several_parts_are_spelled() -> None:
    found = pd.DataFrame({"sample": [0], "flips": [1], "kl": [0.5], "dense": [(0, 1)], "answers": [((0, 0), (0, 1))]})
    html = exemplar_gallery(found, ["one", "two"], "xy", labels=np.array([[0, 1]]))
    assert ">xx <" in html
    assert html.count(">xy") == 3  # true, dense and the second recipe
    assert html.count('aria-label="wrong"') == 1


def test_none_are_said() -> None:
    assert "no samples" in exemplar_gallery(FOUND.head(0), NAMES, [])


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="flips"):
        exemplar_gallery(FOUND.drop(columns="flips"), NAMES, [])
