"""A lesson as it is written: one TOML file, which says what is read and asked, and names the scene to play with."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pruning_explorer.errors import LessonError, PruningExplorerError
from pruning_explorer.lessons.scene import Knob, Scene, Stage
from pruning_explorer.lessons.scenes import find_scene
from pruning_explorer.prune.settings import Setting, Value, format_value

LARGEST = 64 << 10
"""Most bytes of a lesson's file."""
FACT = re.compile(r"(?<!\{)\{([a-z][a-z0-9_]*)(?:@([^{}@]+))?\}(?!\})")
"""A placeholder for a fact: ``{removed}``, or ``{removed@0.2}`` for its value with the slider at 0.2."""
AS_WRITTEN = re.compile(r"\{(\{[^{}]*\})\}")
"""Doubled braces are shown as single ones: ``{{removed}}`` becomes ``{removed}``."""
DEEPEST = 8
"""Most names that dots may join in a key, and deepest nesting of lists and tables; a lesson needs two of each."""
STRINGS = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"{3,5}|\Z)|"(?:[^"\\\n]|\\.)*"?'
    r"|'''.*?(?:'{3,5}|\Z)|'[^'\n]*'?|#[^\n]*",
    re.DOTALL,
)
"""Strings and comments in TOML text; an unterminated one reaches to the end."""
LONG_KEY = re.compile(rf"(?<![\w-])[\w-]++(?:[ \t]*+\.[ \t]*+[\w-]++){{{DEEPEST}}}")
PICTURE = "!["
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Answer:
    """One of the answers to choose among.

    Attributes:
        why: what is said to whoever chose it, and to all when the truth is shown.
    """

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Lesson:
    """One idea, a thing to play with, and a question.

    Attributes:
        name: as addresses call it, ``"a-mask"``.
        idea: the one idea, in a sentence.
        text: what is read before one plays, in Markdown.
        play: what to try.
        values: what the scene's slider and knobs start at, where it is not their default.
        network: the one it is about, as :func:`~pruning_explorer.load_subject` knows it.
        any_network: whether a person may choose another one.
        truth: what is said once the question is answered.
    """

    name: str
    title: str
    idea: str
    text: str
    play: str
    scene: Scene
    values: Mapping[str, Value]
    network: str
    any_network: bool
    question: str
    answers: tuple[Answer, ...]
    truth: str

    @property
    def words(self) -> int:
        """How many there are to read."""
        answers = " ".join(f"{answer.text} {answer.why}" for answer in self.answers)
        return len(f"{self.idea} {self.text} {self.play} {self.question} {answers} {self.truth}".split())


def read_lesson(text: str, name: str) -> Lesson:
    """Read a lesson's file. It is data: nothing in it is executed.

    Args:
        text: the whole file.
        name: what it is to be called, ``"a-mask"``.

    Raises:
        LessonError: it is not TOML, a part is missing, unknown or of the wrong kind, or it names a scene, a knob or a
            fact that there is not.
    """
    _check_bounds(text, name)
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LessonError(f"{name} is not TOML: {error}") from None
    part = _Part(content, name)
    scene = find_scene(part.text("scene"))
    lesson = Lesson(
        name=name,
        title=part.text("title"),
        idea=part.text("idea"),
        text=part.text("text"),
        play=part.text("play"),
        scene=scene,
        values=_values(part.table("values"), scene),
        network=part.text("network", scene.network),
        any_network=part.flag("any_network"),
        question=part.text("question"),
        answers=tuple(_answers(part)),
        truth=part.text("truth"),
    )
    part.nothing_else()
    _check_facts(lesson)
    return lesson


def _check_bounds(text: str, name: str) -> None:
    """Refuse what the reader of TOML takes gigabytes and minutes for, before it is read.

    Raises:
        LessonError: it is too long, or its keys or its lists are too deep.
    """
    if len(text) > LARGEST:
        raise LessonError(f"{name} has more than {LARGEST:,} characters, which is the most that a lesson has")
    bare = STRINGS.sub("q", text)
    if LONG_KEY.search(bare):
        raise LessonError(f"{name} has a key of more than {DEEPEST} names with dots between them; a lesson needs none")
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", bare):
        depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
        if depth > DEEPEST:
            raise LessonError(
                f"{name} has lists or tables in one another, more than {DEEPEST} deep; a lesson needs two"
            )


def settings_of(scene: Scene) -> dict[str, Setting]:
    """All that can be set in a scene, the slider first."""
    slider = [scene.slider] if scene.slider else []
    return {setting.name: setting for setting in (*slider, *(knob.setting for knob in scene.knobs))}


def begins_at(lesson: Lesson, name: str) -> Value:
    """What the slider or a knob stands at when the lesson is opened first."""
    return lesson.values.get(name, settings_of(lesson.scene)[name].default)


def check_value(scene: Scene, name: str, value: object) -> Value:
    """A value for the slider or a knob, as its own type; text as it stands in an address is read.

    Raises:
        LessonError: the scene has no such knob, or it cannot take the value.
    """
    settings = settings_of(scene)
    if name not in settings:
        raise LessonError(f"{scene.name} has no {name!r}; what can be set: {_listed(settings)}")
    try:
        setting = settings[name]
        read = setting.parse(value) if isinstance(value, str) else setting.check(value)
    except PruningExplorerError as error:
        raise LessonError(str(error)) from None
    knob = next((knob for knob in scene.knobs if knob.setting.name == name), Knob(setting))
    if knob.choices and read not in knob.choices:
        raise LessonError(f"{name} cannot be {format_value(read)!r}; it is one of {_listed(knob.choices)}")
    return read


def fill(text: str, stage: Stage, scene: Scene, stop: int, plain: Callable[[str], str]) -> str:
    """Put a stage's facts where a text names them.

    Args:
        plain: writes a fact so that it is shown as it is: some are names that come from files, in a text of Markdown.

    Raises:
        LessonError: the text asks for a fact at a place where the slider has no stop.
    """

    def put(found: re.Match[str]) -> str:
        name, place = found.groups()
        at = stop if place is None else _stop_at(stage, place)
        if scene.slider is not None and name == scene.slider.name and stage.slider is not None:
            return plain(stage.slider.shown[at])
        return plain(stage.fact(name, at))

    return AS_WRITTEN.sub(r"\1", FACT.sub(put, text))


def _stop_at(stage: Stage, place: str) -> int:
    try:
        value = float(place)
    except ValueError:
        raise LessonError(f"“@{place}” is not a number; write {{fact@0.2}} for the slider at 0.2") from None
    if stage.slider is None:
        raise LessonError(f"“@{place}” asks for a place on a slider, and this scene has none")
    stop = stage.slider.nearest(value)
    if abs(stage.slider.stops[stop] - value) > 1e-6:
        raise LessonError(f"“@{place}” is between two stops of the slider; the nearest is {stage.slider.stops[stop]:g}")
    return stop


def _check_facts(lesson: Lesson) -> None:
    scene = lesson.scene
    known = {*scene.facts, *([scene.slider.name] if scene.slider else [])}
    answers = [part for answer in lesson.answers for part in (answer.text, answer.why)]
    for text in (lesson.idea, lesson.text, lesson.play, lesson.question, *answers, lesson.truth):
        for name, _ in FACT.findall(text):
            if name not in known:
                raise LessonError(
                    f"{lesson.name}: the scene {scene.name} has no fact {name!r}; it has {_listed(known)}. "
                    f"Braces that are no fact are doubled: {{{{{name}}}}}"
                )


def _values(content: Mapping[str, Any], scene: Scene) -> dict[str, Value]:
    return {name: check_value(scene, name, value) for name, value in content.items()}


def _answers(part: "_Part") -> list[Answer]:
    answers = []
    for number, each in enumerate(part.tables("answers"), 1):
        answer = _Part(each, f"{part.name}, answer {number}")
        answers.append(Answer(answer.text("text"), answer.flag("right"), answer.text("why")))
        answer.nothing_else()
    if len(answers) < 2 or sum(answer.right for answer in answers) != 1:
        raise LessonError(f"{part.name} needs two answers or more, and “right = true” in exactly one of them")
    return answers


class _Part:
    """A table of the file, from which each part is taken once; what nobody took is unknown."""

    def __init__(self, content: Mapping[str, Any], name: str) -> None:
        self.name = name
        self._content = dict(content)
        self._taken: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self._take(name, default)
        if not isinstance(value, str) or not value.strip():
            raise LessonError(f"{self.name}: {name} must be text, not {value!r}")
        if PICTURE in value:
            raise LessonError(f"{self.name}: {name} has a picture (“{PICTURE}”), and none is fetched; say it in words")
        return value.strip()

    def flag(self, name: str) -> bool:
        value = self._take(name, False)
        if not isinstance(value, bool):
            raise LessonError(f"{self.name}: {name} must be true or false, not {value!r}")
        return value

    def table(self, name: str) -> Mapping[str, Any]:
        value = self._take(name, {})
        if not isinstance(value, dict):
            raise LessonError(f"{self.name}: {name} must be a table, [{name}], not {value!r}")
        return value

    def tables(self, name: str) -> list[Mapping[str, Any]]:
        value = self._take(name, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise LessonError(f"{self.name}: {name} must be a list of tables, [[{name}]], not {value!r}")
        return value

    def nothing_else(self) -> None:
        if self._content:
            name = next(iter(self._content))
            close = get_close_matches(name, self._taken, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; it may have {_listed(self._taken)}"
            raise LessonError(f"{self.name} has an unknown part {name!r}{hint}")

    def _take(self, name: str, default: Any) -> Any:
        self._taken.append(name)
        if name not in self._content and default is None:
            raise LessonError(f"{self.name} has no {name!r}; a lesson must say it")
        return self._content.pop(name, default)


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "nothing"
