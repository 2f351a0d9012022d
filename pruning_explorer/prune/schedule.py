"""In how many steps weights are removed. Each step scores again the weights that earlier steps left."""

from collections.abc import Callable
from dataclasses import dataclass

from pruning_explorer.prune.registry import Choices
from pruning_explorer.prune.settings import Choice, Setting


@dataclass(frozen=True, eq=False, repr=False)
class Schedule(Choice):
    """A sequence of steps to the final amount.

    Attributes:
        share: of the final amount and the progress in (0, 1], the amount removed so far, of the dense target.
    """

    share: Callable[[float, float], float] = lambda amount, _: amount

    @property
    def steps(self) -> int:
        """Number of steps; 1 for one-shot."""
        return int(self.values.get(STEPS.name, 1))

    def shares(self, amount: float) -> tuple[float, ...]:
        """The fraction of the dense target that is gone after each step; the last is ``amount`` itself.

        >>> SCHEDULES.read("geometric:steps=2").shares(0.75)
        (0.5, 0.75)
        """
        # Rounding may leave no step above the last one
        early = (min(self.share(amount, step / self.steps), amount) for step in range(1, self.steps))
        return (*early, amount)


STEPS = Setting("steps", "Steps", "In how many steps the amount is reached.", 10, 1, 100)

SCHEDULES: Choices[Schedule] = Choices(
    "schedule",
    Schedule,
    (
        Schedule("one-shot", "One shot", "All that go, go at once, judged by the dense network."),
        Schedule(
            "linear",
            "Linear steps",
            "Equally many go at each step, and what is left is scored anew.",
            lambda amount, progress: amount * progress,
            settings=(STEPS,),
        ),
        Schedule(
            "cubic",
            "Cubic steps",
            "Many go at first and few at last, and what is left is scored anew (Zhu & Gupta, arXiv 1710.01878).",
            lambda amount, progress: amount * (1 - (1 - progress) ** 3),
            settings=(STEPS,),
        ),
        Schedule(
            "geometric",
            "Geometric steps",
            "Each step removes the same fraction of what is left, and scores the rest anew.",
            lambda amount, progress: 1 - (1 - amount) ** progress,
            settings=(STEPS,),
        ),
    ),
)
