"""What the Learn page shows, and what a person set and answered there: all of it in the browser session alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.lesson import Lesson, begins_at, check_value
from pruning_explorer.prune.settings import Value
from pruning_explorer.ui import session

VIEWS = {"lessons": "Lessons", "glossary": "Glossary", "mistakes": "Common errors", "add": "Add a lesson"}

NETWORK = "network"
"""Key of the network's name among a lesson's values."""


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


OPEN_VIEW = session.Key[str]("learn_view", "lessons")
"""Which of ``VIEWS`` is shown."""
_LESSON = session.Key[str]("learn_lesson", "")
_VALUES = session.Key[dict[str, dict[str, Value]]]("learn_values", {})
"""For each lesson, by its name, the values that differ from those it begins with."""
ANSWERS = session.Key[dict[str, int]]("learn_answers", {})
"""Which answer was given to each lesson's question, by the lesson's name."""
_STARTS = session.Key[dict[str, Start]]("learn_starts", {})
_TURNS = session.Key[int]("learn_turns", 0)
_LAST_RELEASE = session.Key[int]("learn_last_release", 0)
EDITION = session.Key[int]("learn_edition", 0)
"""Counts how often everything was started over; part of the widgets' keys, so that they begin anew."""


def open_at(name: str) -> None:
    """Open a lesson by its name, as it was left."""
    _LESSON.set(name)
    OPEN_VIEW.set("lessons")
    _STARTS.setdefault().pop(name, None)


def turn(names: Sequence[str], by: int) -> None:
    """Open the lesson so many leaves further on, or back (negative); at an end, stay there."""
    now = _LESSON.get()
    at = names.index(now) if now in names else 0
    open_at(names[min(max(at + by, 0), len(names) - 1)])


def lesson_open(lessons: Mapping[str, Lesson]) -> Lesson:
    """The lesson that is open; the first, where that one is gone."""
    name = _LESSON.get()
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
        _STARTS.setdefault().pop(lesson.name, None)  # its slider may have other stops
    else:
        checked = check_value(lesson.scene, name, value)
    _set_in(lesson).pop(name, None)
    if checked != value_of(lesson, name):
        _set_in(lesson)[name] = checked


def start_of(lesson: Lesson, stop: int) -> Start:
    """The stop at which the slider was when the lesson was opened: it stays as long as the lesson does, since the
    browser moves its slider whenever this changes. A lesson whose file says another beginning by now is opened anew.
    """
    begins = dict(lesson.values)
    starts = _STARTS.setdefault()
    if lesson.name not in starts or starts[lesson.name].begins != begins:
        _TURNS.set(_TURNS.get() + 1)
        starts[lesson.name] = Start(stop, _TURNS.get(), begins)
    return starts[lesson.name]


def take_release(revision: int, take: Callable[[], None]) -> None:
    """Take a release of a lesson's slider that comes after all that were taken, and then note that it was: what a hand
    does next may stop this anywhere, and the run that follows takes it once more.
    """
    if revision > _LAST_RELEASE.get():
        take()
        _LAST_RELEASE.set(revision)


def begin_anew(lesson: Lesson) -> None:
    """Set the slider, the knobs and the network of one lesson to what it begins with."""
    _VALUES.setdefault().pop(lesson.name, None)


def restore_position() -> None:
    """Have the slider begin where it was left; the browser forgets that while another page is shown."""
    _STARTS.forget()


def start_over() -> None:
    """Forget answers and all that was set; lessons that were brought stay."""
    for key in (ANSWERS, _VALUES, _STARTS, _LESSON):
        key.forget()
    EDITION.set(EDITION.get() + 1)


def _set_in(lesson: Lesson) -> dict[str, Value]:
    return _VALUES.setdefault().setdefault(lesson.name, {})
