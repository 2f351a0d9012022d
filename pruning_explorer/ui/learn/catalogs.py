"""Which lessons there are for one session: ours, those of the operator's folders, and those that it brought."""

from pathlib import Path

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.catalog import Catalog, built_in_catalog, open_lesson, put_together, read_folder
from pruning_explorer.lessons.lesson import Lesson
from pruning_explorer.sources.words import names_a_library
from pruning_explorer.ui.session import Key
from pruning_explorer.ui.subjects import is_there, subject_names

_FOLDERS: list[Path] = []
"""Folders of lessons that the operator of the app has added."""
_READ_BEFORE: dict[Path, dict[str, Lesson]] = {}
"""Lessons of each folder as they were last read without error, so that a half-saved file does not remove its lesson."""
_BROUGHT = Key[dict[str, Lesson]]("learn_brought", {})


def add_folder(folder: Path) -> None:
    """Show the lessons of a folder, or of one file, to every visitor."""
    if folder not in _FOLDERS:
        _FOLDERS.append(folder)


def catalog() -> Catalog:
    """All lessons there are: ours, the operator's, and those that this session brought."""
    return put_together([built_in_catalog(), *map(_read, _FOLDERS), Catalog(dict(_brought()))])


def _read(folder: Path) -> Catalog:
    found = read_folder(folder)
    lessons = {name: lesson for name, lesson in found.lessons.items() if _why_no_network(lesson) is None}
    problems = (*found.problems, *(why for each in found.lessons.values() if (why := _why_no_network(each))))
    known = _READ_BEFORE.get(folder, {}) if problems else {}
    _READ_BEFORE[folder] = {**known, **lessons}
    return Catalog({**known, **lessons}, problems)


def _why_no_network(lesson: Lesson) -> str | None:
    if is_there(lesson.network) or names_a_library(lesson.network):
        return None
    known = ", ".join(subject_names())
    return f"{lesson.name}: no network is called {lesson.network!r} here; there are {known}"


def bring(file_name: str, content: bytes) -> Lesson:
    """Keep a lesson for this session; one of the same name that was brought before goes.

    Raises:
        LessonError: it cannot be read, or its name is taken by a lesson that is everybody's.
    """
    lesson = open_lesson(file_name, content)
    if problem := _why_no_network(lesson):
        raise LessonError(problem)
    if lesson.name in put_together([built_in_catalog(), *map(_read, _FOLDERS)]).lessons:
        raise LessonError(f"there is a lesson {lesson.name} already; call the file another name")
    _brought()[lesson.name] = lesson
    return lesson


def is_brought(name: str) -> bool:
    """Whether this session brought it, and may take it away."""
    return name in _brought()


def take_away(name: str) -> None:
    """Let a lesson of this session go."""
    _brought().pop(name, None)


def _brought() -> dict[str, Lesson]:
    return _BROUGHT.setdefault()
