"""Where a person stands on the Learn page, and what they set and answered: all of it in the browser session alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.lesson import Lesson, begins_at, check_value
from pruning_explorer.prune.settings import Value

VIEWS = {"lessons": "Lessons", "glossary": "Glossary", "mistakes": "Common errors", "add": "Add a lesson"}

NETWORK = "network"
"""The name under which a lesson's network stands among its values."""


def open_view(view: str) -> None:
    """Show the lessons, the glossary, the errors, or how to add a lesson."""
    st.session_state["learn_view"] = view


def view() -> str:
    """Which of ``VIEWS`` is shown."""
    return str(st.session_state.setdefault("learn_view", "lessons"))


def open_at(name: str) -> None:
    """Open a lesson by its name, as it was left."""
    st.session_state.update(learn_lesson=name, learn_view="lessons")
    _starts().pop(name, None)


def turn(names: Sequence[str], by: int) -> None:
    """Open the lesson so many leaves further on, or back (negative); at an end, stay there."""
    now = str(st.session_state.get("learn_lesson"))
    at = names.index(now) if now in names else 0
    open_at(names[min(max(at + by, 0), len(names) - 1)])


def lesson_open(lessons: Mapping[str, Lesson]) -> Lesson:
    """The lesson that is open; the first, where that one is gone."""
    name = str(st.session_state.get("learn_lesson"))
    return lessons[name] if name in lessons else next(iter(lessons.values()))


def value_of(lesson: Lesson, name: str) -> Value:
    """What the slider, a knob or the network stands at."""
    return _set_in(lesson).get(name, lesson.network if name == NETWORK else begins_at(lesson, name))


def values_of(lesson: Lesson) -> dict[str, Value]:
    """All that stands otherwise than the lesson begins, for the address."""
    return dict(_set_in(lesson))


def set_value(lesson: Lesson, name: str, value: object) -> None:
    """Set the slider, a knob or the network.

    Raises:
        LessonError: there is no such thing in this lesson, or it cannot take the value.
    """
    if name == NETWORK:
        if not lesson.any_network and value != lesson.network:
            raise LessonError(f"this lesson is about {lesson.network}; another network cannot be chosen")
        checked: Value = str(value)
        _starts().pop(lesson.name, None)  # its slider may have other stops
    else:
        checked = check_value(lesson.scene, name, value)
    _set_in(lesson).pop(name, None)
    if checked != value_of(lesson, name):
        _set_in(lesson)[name] = checked


@dataclass(frozen=True)
class Start:
    """Where a lesson's slider was when the lesson was opened.

    Attributes:
        turn: another number each time that a lesson is opened.
        begins: what the lesson's file said then.
    """

    stop: int
    turn: int
    begins: dict[str, Value]


def start_of(lesson: Lesson, stop: int) -> Start:
    """The stop at which the slider was when the lesson was opened: it stays as long as the lesson does, since the
    browser moves its slider whenever this changes. A lesson whose file says another beginning by now is opened anew.
    """
    begins = dict(lesson.values)
    if lesson.name not in _starts() or _starts()[lesson.name].begins != begins:
        turn = st.session_state["learn_turns"] = int(st.session_state.get("learn_turns", 0)) + 1
        _starts()[lesson.name] = Start(stop, turn, begins)
    return _starts()[lesson.name]


def take_release(revision: int, take: Callable[[], None]) -> None:
    """Take a release of a lesson's slider that comes after all that were taken, and then note that it was: what a hand
    does next may stop this anywhere, and the run that follows takes it once more.
    """
    if revision > int(st.session_state.get("learn_last_release", 0)):
        take()
        st.session_state["learn_last_release"] = revision


def begin_anew(lesson: Lesson) -> None:
    """Set the slider, the knobs and the network of one lesson to what it begins with."""
    st.session_state.setdefault("learn_values", {}).pop(lesson.name, None)


def stand_where_one_is() -> None:
    """Have the slider begin where it was left: the browser has forgotten it while another page was shown."""
    _starts().clear()


def edition() -> int:
    """Changes when all is started over, so that widgets begin anew."""
    return int(st.session_state.setdefault("learn_edition", 0))


def answers() -> dict[str, int]:
    """Which answer was given to each lesson's question, by the lesson's name."""
    found: dict[str, int] = st.session_state.setdefault("learn_answers", {})
    return found


def start_over() -> None:
    """Forget answers and all that was set; lessons that were brought stay."""
    st.session_state.update(learn_answers={}, learn_values={}, learn_starts={}, learn_edition=edition() + 1)
    st.session_state.pop("learn_lesson", None)


def _set_in(lesson: Lesson) -> dict[str, Value]:
    found: dict[str, Value] = st.session_state.setdefault("learn_values", {}).setdefault(lesson.name, {})
    return found


def _starts() -> dict[str, Start]:
    found: dict[str, Start] = st.session_state.setdefault("learn_starts", {})
    return found
