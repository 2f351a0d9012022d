"""A scene: the thing to play with in a lesson. It computes by the engine and knows no page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pruning_explorer.lab.job_queue import Job
from pruning_explorer.lessons.panels import Panel
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import Setting, Value
from pruning_explorer.prune.subject import Subject

Values = Mapping[str, Value]
"""Values of a scene's knobs, by the knobs' names."""


@dataclass(frozen=True)
class Knob:
    """What a person can set beside the slider.

    Attributes:
        setting: name, label, help and default; and range, of a number.
        choices: value -> what a page calls it, where there are only so many; the values are strings.
        words: of the glossary that its help leads to; none for the one called as the setting is.
        needs: what other knobs must be set to for this one to matter; otherwise it is not shown.
    """

    setting: Setting
    choices: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    needs: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Slider:
    """What a person drags, and all panels follow.

    Attributes:
        stops: its values, ascending: ``(0.0, 0.01, ... 1.0)``.
        shown: how each is written: ``("0 %", "1 %", ... "100 %")``.
        playable: whether it can be played from the first stop to the last.
    """

    stops: tuple[float, ...]
    shown: tuple[str, ...]
    playable: bool = True

    def nearest(self, value: float) -> int:
        """The stop closest to a value."""
        return min(range(len(self.stops)), key=lambda stop: abs(self.stops[stop] - value))


@dataclass(frozen=True)
class Stage:
    """What a scene shows for one network and one setting of its knobs: everything, at every stop.

    Attributes:
        slider: None where nothing is dragged; then there is one stop.
        panels: top to bottom, as many side by side as there is room for.
        facts: name -> as it is written: at every stop, or the same at all. Lesson files put them into sentences.
        recipe: what Explore opens, by stop.
    """

    slider: Slider | None
    panels: tuple[Panel, ...]
    facts: Mapping[str, str | tuple[str, ...]]
    recipe: Callable[[int], Recipe]

    def fact(self, name: str, stop: int) -> str:
        """A fact as it is written at a stop.

        Raises:
            KeyError: there is none of that name.
        """
        found = self.facts[name]
        return found if isinstance(found, str) else found[stop]


class Trial(Job):
    """Work that a person starts and watches: a measurement, a training.

    Attributes:
        problem: why it ended early, in a sentence; None while all is well.
        resumable: whether it can go on where it was stopped; otherwise it begins again.
    """

    problem: str | None = None
    resumable: bool = False

    @property
    def share(self) -> float:
        """Fraction that is done, in [0, 1]."""
        raise NotImplementedError

    @property
    def doing(self) -> str:
        """What it is at, in a few words: ``"Training, epoch 3 of 10"``."""
        raise NotImplementedError

    def panels(self) -> tuple[Panel, ...]:
        """What is known so far; of all stops the same."""
        raise NotImplementedError

    def resumed(self) -> "Trial":
        """What is left of it after it was stopped, to be run by the same thread; only where it is resumable."""
        raise NotImplementedError


@dataclass(frozen=True)
class Experiment:
    """What a person can start in a scene.

    Attributes:
        button: what starts it: ``"Measure on this machine"``.
        about: what it will do and how long that takes, in a sentence.
        begin: for a network, the knobs and the slider's stop.
    """

    button: str
    about: str
    begin: Callable[[Subject, Values, int], Trial]


@dataclass(frozen=True)
class Scene:
    """A thing to play with; a lesson file names it.

    Attributes:
        name: as files write it: ``"mask_by_hand"``.
        help: what one sees and does, in a sentence.
        build: everything it shows; called once for each network and setting of the knobs, and kept.
        facts: name -> what it says, of every fact that ``build`` gives.
        slider: name, label, help and default of what is dragged; the name is how files and addresses set it. None
            where nothing is.
        knobs: what else can be set.
        network: the sample network that it is made for.
        experiment: what can be started in it.

    The slider's own value as it is written is a fact, too, under the slider's name.
    """

    name: str
    help: str
    build: Callable[[Subject, Values], Stage]
    facts: Mapping[str, str]
    network: str
    slider: Setting | None = None
    knobs: tuple[Knob, ...] = ()
    experiment: Experiment | None = None
