"""What a session holds is declared once, with its type; a key gives what was set, or what there is at first."""

import re
from collections import Counter
from pathlib import Path

import pytest
import streamlit

import pruning_explorer.ui
from pruning_explorer.ui.session import Key

SOURCES = {path.name: path.read_text() for path in Path(pruning_explorer.ui.__file__).parent.rglob("*.py")}


@pytest.fixture(autouse=True)
def _own_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamlit, "session_state", {})


def test_nobody_else_touches_what_a_session_holds() -> None:
    assert [name for name, source in SOURCES.items() if "session_state" in source] == ["session.py"]


def test_no_key_is_declared_twice() -> None:
    declared = [name for source in SOURCES.values() for name in re.findall(r'Key\[[^"]*\]\(\s*"([^"]+)"', source)]
    assert len(declared) > 60
    assert [name for name, times in Counter(declared).items() if times > 1] == []


def test_a_key_gives_what_was_set_and_else_the_first_value() -> None:
    key = Key("speed", 3)
    assert (key.get(), key.is_set()) == (3, False)
    key.set(4)
    assert (key.get(), streamlit.session_state) == (4, {"speed": 4})
    assert (key.pop(), key.get(), key.is_set()) == (4, 3, False)


def test_a_key_without_a_first_value_has_none_before_it_is_set() -> None:
    key = Key[str]("network")
    with pytest.raises(KeyError, match="network"):
        key.get()
    key.keep()
    key.forget()
    assert not key.is_set()


def test_what_is_changed_in_place_is_one_sessions_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Key[dict[str, int]]("answers", {})
    key.setdefault()["first"] = 1
    assert key.get() == {"first": 1}
    monkeypatch.setattr(streamlit, "session_state", {})
    assert key.get() == {}
