"""What others wrote reaches the page as letters, never as markdown."""

import pytest

from pruning_explorer.ui.plain_text import LONGEST, plain
from tests.ui.page import unescaped

GLUE = "\N{WORD JOINER}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("amount 2 is outside [0, 1]", r"amount 2 is outside \[0, 1\]"),
        ("![x](p.png)", r"\!\[x\]\(p.png\)"),
        ("<b>&lt;", r"\<b\>\&lt;"),
        ("$x$ `y` ~z~ :red", r"\$x\$ \`y\` \~z\~ \:red"),
        ("a\\", "a\\\\"),
        ("one\n# two", r"one \# two"),
        ("conv1.weight, 'x'; “y”", "conv1.weight, 'x'; “y”"),
    ],
)
def test_marks_are_escaped_and_lines_joined(text: str, written: str) -> None:
    assert plain(text) == written


@pytest.mark.parametrize("text", ["https://evil.example", "WWW.evil.example", "me@evil.example", ":material/home:"])
def test_addresses_and_icons_stay_letters(text: str) -> None:
    assert GLUE in plain(text)
    assert unescaped(plain(text)) == text


def test_a_long_text_keeps_both_ends() -> None:
    shown = plain("start " + "x" * 10_000 + " end")
    assert shown.startswith("start ")
    assert shown.endswith(" end")
    assert len(shown) == LONGEST + len(" … ")
