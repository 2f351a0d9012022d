"""A lesson's address: which one, and where its slider and knobs stand. ``/learn?lesson=a-mask&amount=0.2``"""

from collections.abc import Mapping, Sequence

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.lesson import Lesson
from pruning_explorer.prune.settings import format_value
from pruning_explorer.ui import address_bar, session
from pruning_explorer.ui.learn import place
from pruning_explorer.ui.subjects import is_there

PRESENT, VIEW, WORD, LESSON = "present", "view", "word", "lesson"
EVERYWHERE = {PRESENT, VIEW, WORD, LESSON, "trace", "embed", "embed_options"}


def take_address(lessons: Mapping[str, Lesson]) -> None:
    """Go where the address says: at first, and when somebody goes back."""
    query = address_bar.brought()
    if query is not None:
        session.LEARN_PROBLEMS.set(tuple(_take(query, lessons)))
        address_bar.taken()


def write_address(lesson: Lesson) -> None:
    """Write where the person stands."""
    query: dict[str, list[str]] = {}
    match place.view():
        case "lessons":
            query[LESSON] = [lesson.name]
            query |= {name: [format_value(value)] for name, value in place.values_of(lesson).items()}
        case "glossary":
            word = session.LEARN_WORD.get()
            query |= {VIEW: ["glossary"], **({WORD: [word]} if word else {})}
        case view:
            query[VIEW] = [view]
    if session.LEARN_PRESENT.get():
        query[PRESENT] = ["true"]
    address_bar.tell(query)


def _take(query: Mapping[str, Sequence[str]], lessons: Mapping[str, Lesson]) -> list[str]:
    last = {name: values[-1] for name, values in query.items()}
    problems = []
    if PRESENT in last:
        session.LEARN_PRESENT.set(last[PRESENT].lower() == "true")
    session.LEARN_WORD.set(last.get(WORD))
    asked = last.get(VIEW, "glossary" if WORD in last else "lessons")
    if asked not in place.VIEWS:
        problems.append(f"there is no part {asked!r} of this page; the lessons are shown")
        asked = "lessons"
    place.open_view(asked)
    strays = last.keys() - EVERYWHERE
    name = last.get(LESSON)
    if name is None:
        return [*problems, *(f"{part} was not used: no lesson is named that it could be of" for part in sorted(strays))]
    if name not in lessons:
        first = next(iter(lessons))
        return [*problems, f"there is no lesson {name!r}; {first} is shown instead"]
    place.open_at(name)
    place.begin_anew(lessons[name])  # what an address does not say is at its default
    for part, value in last.items():
        if part not in EVERYWHERE:
            try:
                if part == place.NETWORK and not is_there(value):
                    raise LessonError(f"no network is called {value!r} here; {lessons[name].network} is shown")
                place.set_value(lessons[name], part, value)
            except LessonError as error:
                problems.append(f"{part} was not used: {error}")
    return problems
