"""Where lessons stand, and what becomes of a file that is none."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.catalog import FILES, built_in_catalog, open_lesson, put_together, read_folder
from pruning_explorer.lessons.lesson import DEEPEST, LARGEST, _check_bounds

FIRST = (FILES / "01-a-mask.toml").read_bytes()


def test_lessons_come_in_the_order_of_their_numbers() -> None:
    numbers = {int(number): name for number, name in (each.stem.split("-", 1) for each in FILES.glob("*.toml"))}
    assert sorted(numbers) == list(range(1, len(list(FILES.glob("*.toml"))) + 1)), "each has a number of its own"
    assert list(built_in_catalog().lessons) == [numbers[number] for number in sorted(numbers)]


def test_the_addresses_that_people_have_still_lead_to_lessons() -> None:
    assert built_in_catalog().lessons.keys() >= {
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
    }


def test_a_folder_is_read_anew_and_what_is_wrong_in_it_is_told(tmp_path: Path) -> None:
    assert read_folder(tmp_path).lessons == {}
    (tmp_path / "02-mine.toml").write_bytes(FIRST)
    (tmp_path / "03-broken.toml").write_bytes(b"title = ")
    (tmp_path / "notes.txt").write_bytes(b"no lesson")
    catalog = read_folder(tmp_path)
    assert list(catalog.lessons) == ["mine"]
    assert len(catalog.problems) == 1
    assert catalog.problems[0].startswith("broken is not TOML")
    (tmp_path / "01-earlier.toml").write_bytes(FIRST)
    assert list(read_folder(tmp_path).lessons) == ["earlier", "mine"]


def test_a_folder_may_be_one_file_or_be_gone(tmp_path: Path) -> None:
    file = tmp_path / "alone.toml"
    assert "is not there" in read_folder(file).problems[0]
    file.write_bytes(FIRST)
    assert list(read_folder(file).lessons) == ["alone"]


def test_of_two_lessons_of_one_name_the_first_stays(tmp_path: Path) -> None:
    (tmp_path / "a-mask.toml").write_bytes(FIRST.replace(b"A mask", b"Another"))
    catalog = put_together([built_in_catalog(), read_folder(tmp_path)])
    assert catalog.lessons["a-mask"].title == "A mask"
    assert "there is a lesson a-mask already" in catalog.problems[0]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("big.toml", b"#" * (LARGEST + 1), "more than 65,536 bytes"),
        ("latin.toml", "title = 'é'".encode("latin-1"), "not text in UTF-8"),
        ("....toml", FIRST, "gives a lesson no name"),
        ("deep.toml", b"a = " + b"[" * 9, "more than 8 deep"),
        ("deep.toml", b"a = " + b"{b = " * 9, "more than 8 deep"),
        ("deep.toml", b"a = '[[[[[[[[[' # [[[[[[[[[ {{{{{{{{{", "has no 'scene'"),
        ("long.toml", b"a.b.c.d.e.f.g.h.i = 1", "a key of more than 8 names"),
        ("long.toml", b"[a . b\t. c.'d'.\"e.f\".f.g.h.i]", "a key of more than 8 names"),
        ("long.toml", b'[values]\nx = {y = """q"""", a.b.c.d.e.f.g.h.i = 1}', "a key of more than 8 names"),
        ("long.toml", b"a.b.c.d.e.f.g.h = 1", "has no 'scene'"),
        ("long.toml", b'"a.b.c.d.e.f.g.h.i" = "a.b.c.d.e.f.g.h.i"  # a.b.c.d.e.f.g.h.i', "has no 'scene'"),
        ("open.toml", b"a.b.c.d.e.f.g.h.i = '", "a key of more than 8 names"),
    ],
)
def test_a_file_that_is_no_lesson_is_refused(name: str, content: bytes, told: str) -> None:
    with pytest.raises(LessonError, match=told):
        open_lesson(name, content)


def test_a_long_file_in_a_folder_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "long.toml").open("wb") as file:
        file.truncate(1 << 40)  # of which the disk holds nothing
    assert read_folder(tmp_path).problems == (
        f"long.toml has more than {LARGEST:,} bytes, which is the most that a lesson has",
    )


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab.\"'[]{}=\n #\\", max_size=200))
def test_what_the_bounds_let_pass_is_as_shallow_as_they_say(text: str) -> None:
    try:
        _check_bounds(text, "a lesson")
        content = tomllib.loads(text)
    except (LessonError, tomllib.TOMLDecodeError):
        return
    assert depth_of(content) <= 3 * DEEPEST + 2  # a header, a key below it, and what lies in its value


def depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth_of, inner), default=0)
