"""Where lessons stand, and what becomes of a file that is none."""

from pathlib import Path

import pytest

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.lesson import LARGEST
from pruning_explorer.lessons.shelf import FILES, open_lesson, own_shelf, put_together, read_folder

FIRST = (FILES / "01-a-mask.toml").read_bytes()


def test_the_ten_lessons_come_in_their_order() -> None:
    assert list(own_shelf().lessons) == [
        "a-mask",
        "what-it-still-knows",
        "which-to-remove",
        "weights-or-neurons",
        "each-layer-or-all",
        "again-and-again",
        "smaller-faster",
        "getting-it-back",
        "hardware-patterns",
        "reading-a-drift-chart",
    ]


def test_a_folder_is_read_anew_and_what_is_wrong_in_it_is_told(tmp_path: Path) -> None:
    assert read_folder(tmp_path).lessons == {}
    (tmp_path / "02-mine.toml").write_bytes(FIRST)
    (tmp_path / "03-broken.toml").write_bytes(b"title = ")
    (tmp_path / "notes.txt").write_bytes(b"no lesson")
    shelf = read_folder(tmp_path)
    assert list(shelf.lessons) == ["mine"]
    assert len(shelf.problems) == 1
    assert shelf.problems[0].startswith("broken is not TOML")
    (tmp_path / "01-earlier.toml").write_bytes(FIRST)
    assert list(read_folder(tmp_path).lessons) == ["earlier", "mine"]


def test_a_folder_may_be_one_file_or_be_gone(tmp_path: Path) -> None:
    file = tmp_path / "alone.toml"
    assert "is not there" in read_folder(file).problems[0]
    file.write_bytes(FIRST)
    assert list(read_folder(file).lessons) == ["alone"]


def test_of_two_lessons_of_one_name_the_first_stays(tmp_path: Path) -> None:
    (tmp_path / "a-mask.toml").write_bytes(FIRST.replace(b"A mask", b"Another"))
    shelf = put_together([own_shelf(), read_folder(tmp_path)])
    assert shelf.lessons["a-mask"].title == "A mask"
    assert "there is a lesson a-mask already" in shelf.problems[0]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("big.toml", b"#" * (LARGEST + 1), "at most 65,536"),
        ("latin.toml", "title = 'é'".encode("latin-1"), "not text in UTF-8"),
        ("....toml", FIRST, "gives a lesson no name"),
        ("deep.toml", b"a = " + b"[" * 20_000, "is not TOML"),
    ],
)
def test_a_file_that_is_no_lesson_is_refused(name: str, content: bytes, told: str) -> None:
    with pytest.raises(LessonError, match=told):
        open_lesson(name, content)
