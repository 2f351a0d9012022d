"""A lesson's address: which one, and where its slider and knobs stand. ``/learn?lesson=a-mask&amount=0.2``"""

from collections.abc import Mapping

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.lesson import Lesson
from pruning_explorer.prune.settings import format_value
from pruning_explorer.ui import address_bar, session
from pruning_explorer.ui.learn import state
from pruning_explorer.ui.query import LEARN, Asked
from pruning_explorer.ui.subjects import is_there


def take_address(lessons: Mapping[str, Lesson]) -> None:
    """Go where the address says: at first, and when somebody goes back."""
    query = address_bar.brought()
    if query is not None:
        asked = Asked(query, LEARN)
        _take(asked, lessons)
        session.LEARN_PROBLEMS.set(tuple(asked.problems))
        address_bar.taken()


def write_address(lesson: Lesson) -> None:
    """Write where the person stands."""
    query: dict[str, list[str]] = {}
    match state.OPEN_VIEW.get():
        case "lessons":
            query["lesson"] = [lesson.name]
            query |= {name: [format_value(value)] for name, value in state.values_of(lesson).items()}
        case "glossary":
            word = session.LEARN_WORD.get()
            query |= {"view": ["glossary"], **({"word": [word]} if word else {})}
        case view:
            query["view"] = [view]
    if session.LEARN_PRESENT.get():
        query["present"] = ["true"]
    address_bar.tell(query)


def _take(asked: Asked, lessons: Mapping[str, Lesson]) -> None:
    if (present := asked.last("present")) is not None:
        session.LEARN_PRESENT.set(present.lower() == "true")
    word, view, name = asked.last("word"), asked.last("view"), asked.last("lesson")
    session.LEARN_WORD.set(word)
    if view is None:
        view = "lessons" if word is None else "glossary"
    if view not in state.VIEWS:
        asked.problems.append(f"there is no part {view!r} of this page; the lessons are shown")
        view = "lessons"
    state.OPEN_VIEW.set(view)
    if name is None:
        unused = "was not used: no lesson is named that it could be of"
        asked.problems += [f"{part} {unused}" for part in sorted(asked.others)]
    elif name not in lessons:
        asked.problems.append(f"there is no lesson {name!r}; {next(iter(lessons))} is shown instead")
    else:
        _take_lesson(asked, lessons[name])


def _take_lesson(asked: Asked, lesson: Lesson) -> None:
    state.open_at(lesson.name)
    state.begin_anew(lesson)  # what an address does not say is at its default
    for part in asked.others:
        value = asked.last(part)
        with asked.noting(before=f"{part} was not used: "):
            if part == state.NETWORK and not is_there(str(value)):
                raise LessonError(f"no network is called {value!r} here; {lesson.network} is shown")
            state.set_value(lesson, part, value)
