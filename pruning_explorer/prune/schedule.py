"""In how many steps the weights go. Each step scores anew what the earlier ones left."""

from collections.abc import Callable
from dataclasses import dataclass

from pruning_explorer.prune.settings import Choice, Setting, canonical_choice, read_choice


@dataclass(frozen=True)
class ScheduleSpec(Choice):
    """A registered schedule.

    Attributes:
        share: of the final amount and the progress in (0, 1], the amount removed so far, of the dense target.
    """

    share: Callable[[float, float], float] = lambda amount, _: amount


STEPS = Setting("steps", "Steps", "In how many steps the amount is reached.", 10, 1, 100)

SCHEDULES: dict[str, ScheduleSpec] = {
    spec.name: spec
    for spec in (
        ScheduleSpec("one-shot", "One shot", "All that go, go at once, judged by the dense network."),
        ScheduleSpec(
            "linear",
            "Linear steps",
            "Equally many go at each step, and what is left is scored anew.",
            (STEPS,),
            lambda amount, progress: amount * progress,
        ),
        ScheduleSpec(
            "cubic",
            "Cubic steps",
            "Many go at first and few at last, and what is left is scored anew (Zhu & Gupta, arXiv 1710.01878).",
            (STEPS,),
            lambda amount, progress: amount * (1 - (1 - progress) ** 3),
        ),
        ScheduleSpec(
            "geometric",
            "Geometric steps",
            "Each step removes the same fraction of what is left, and scores the rest anew.",
            (STEPS,),
            lambda amount, progress: 1 - (1 - amount) ** progress,
        ),
    )
}


@dataclass(frozen=True)
class Schedule:
    """A schedule with its settings.

    Attributes:
        steps: how many; 1 for one shot.
    """

    spec: ScheduleSpec
    steps: int = 1

    def shares(self, amount: float) -> tuple[float, ...]:
        """The fraction of the dense target that is gone after each step; the last is ``amount`` itself.

        >>> parse_schedule("geometric:steps=2").shares(0.75)
        (0.5, 0.75)
        """
        # Rounding may leave no step above the last one
        early = (min(self.spec.share(amount, step / self.steps), amount) for step in range(1, self.steps))
        return (*early, amount)


def parse_schedule(text: str) -> Schedule:
    """``"cubic:steps=5"`` -> a schedule.

    Raises:
        RecipeError: there is no such schedule or setting.
    """
    name, values = read_choice(text, _settings(), "schedule")
    return Schedule(SCHEDULES[name], int(values.get("steps", 1)))


def canonical_schedule(text: str, *, defaults: bool = True) -> str:
    """Write a schedule the one way it is written, with or without the settings at their defaults.

    >>> canonical_schedule("linear"), canonical_schedule("linear:steps=10", defaults=False)
    ('linear:steps=10', 'linear')
    """
    return canonical_choice(text, _settings(), "schedule", defaults=defaults)


def _settings() -> dict[str, tuple[Setting, ...]]:
    return {name: spec.settings for name, spec in SCHEDULES.items()}
