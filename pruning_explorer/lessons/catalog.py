"""Where lessons stand: those that come with the program, and those of a teacher's own folder or files."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.lesson import LARGEST, NAME, Lesson, read_lesson

FILES = Path(__file__).parent / "files"
ENDING = ".toml"


@dataclass(frozen=True)
class Catalog:
    """Lessons by name, in the order in which to meet them.

    Attributes:
        problems: one sentence for each file that could not be read.
    """

    lessons: dict[str, Lesson]
    problems: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def built_in_catalog() -> Catalog:
    """The lessons that come with the program."""
    catalog = read_folder(FILES)
    if catalog.problems:
        raise LessonError("; ".join(catalog.problems))
    return catalog


def read_folder(folder: Path) -> Catalog:
    """All lessons of a folder, or of one file, in the order of the files' names.

    They are read anew at each call, so that whoever writes one sees it on the next look.
    """
    if not folder.exists():
        return Catalog({}, (f"{folder} is not there; put lessons there, as files that end in {ENDING}",))
    files = [folder] if folder.is_file() else sorted(folder.glob(f"*{ENDING}"))
    lessons: dict[str, Lesson] = {}
    problems = []
    for file in files:
        try:
            with file.open("rb") as content:
                lesson = open_lesson(file.name, content.read(LARGEST + 1))
            if lesson.name in lessons:
                raise LessonError(f"{file.name}: there is a lesson {lesson.name} already; call the file another name")
            lessons[lesson.name] = lesson
        except (LessonError, OSError) as error:
            problems.append(f"{file.name}: {error}" if isinstance(error, OSError) else str(error))
    return Catalog(lessons, tuple(problems))


def open_lesson(file_name: str, content: bytes) -> Lesson:
    """Read one file. Nothing in it is executed.

    Raises:
        LessonError: it is too large, no text, or no lesson.
    """
    if len(content) > LARGEST:
        raise LessonError(f"{file_name} has more than {LARGEST:,} bytes, which is the most that a lesson has")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise LessonError(f"{file_name} is not text in UTF-8; save it as such") from None
    return read_lesson(text, lesson_name(file_name))


def lesson_name(file_name: str) -> str:
    """What a lesson is called in an address: the file's name without its number and its ending.

    Raises:
        LessonError: nothing is left of it.

    >>> lesson_name("01-a-mask.toml"), lesson_name("My lesson.toml")
    ('a-mask', 'my-lesson')
    """
    words = re.findall(r"[a-z0-9]+", file_name.lower().removesuffix(ENDING))
    name = "-".join(words[1:] if len(words) > 1 and words[0].isdigit() else words)
    if not NAME.fullmatch(name):
        raise LessonError(f"{file_name!r} gives a lesson no name; call the file my-lesson{ENDING}")
    return name


def put_together(catalogs: Iterable[Catalog]) -> Catalog:
    """All lessons of several catalogs; of two of one name the first stays, and that is said."""
    lessons: dict[str, Lesson] = {}
    problems: list[str] = []
    for catalog in catalogs:
        problems += catalog.problems
        for name, lesson in catalog.lessons.items():
            if name in lessons:
                problems.append(f"there is a lesson {name} already; call the file of “{lesson.title}” another name")
            else:
                lessons[name] = lesson
    return Catalog(lessons, tuple(problems))
