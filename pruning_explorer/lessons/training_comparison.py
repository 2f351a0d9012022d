"""Several ways to train one pruned network, side by side and epoch by epoch, while somebody looks on."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch

from pruning_explorer.figures.numbers import capitalised, count, percent
from pruning_explorer.lab.curve_points import describe_error
from pruning_explorer.lab.training import Training
from pruning_explorer.lessons.panels import Curves, Panel, Series, Table
from pruning_explorer.lessons.quality_curve import in_percent
from pruning_explorer.lessons.scene import Trial
from pruning_explorer.prune.masks import Masks


@dataclass(frozen=True, eq=False)
class Draw:
    """One training, and the masks that it keeps to."""

    masks: Masks
    training: Training

    @property
    def revived(self) -> int:
        """Removed weights that are not zero: none, if all is well."""
        weights = self.training.weights()
        return sum(int(torch.count_nonzero(weights[name][~mask])) for name, mask in self.masks.items())


@dataclass(frozen=True, eq=False)
class Side:
    """One way to train, tried several times, since a single run may be luck."""

    name: str
    draws: tuple[Draw, ...]

    @property
    def quality(self) -> list[tuple[float, ...]]:
        """In [0, 1], before training and after each epoch that all draws have behind them: one number per draw."""
        return list(zip(*(_known(each.training.quality) for each in self.draws), strict=False))

    @property
    def losses(self) -> list[tuple[float, ...]]:
        """The mean loss of each epoch that all draws have behind them, in nats: one number per draw."""
        return list(zip(*(each.training.epoch_losses for each in self.draws), strict=False))


class TrainingComparison(Trial):
    """Trains all draws of all sides in turn, an epoch each.

    Args:
        measure: what quality is called, ``"accuracy"``.
        dense: of the dense network, in [0, 1].
        note: what is worth knowing about the sides.
    """

    resumable = True

    def __init__(self, sides: Sequence[Side], epochs: int, measure: str, dense: float, note: str) -> None:
        super().__init__()
        self.sides = tuple(sides)
        self._epochs, self._measure, self._dense, self._note = epochs, measure, dense, note
        self._trainings = [draw.training for side in sides for draw in side.draws]
        for training in self._trainings:
            training.stopped = self.stopped

    @property
    def done(self) -> bool:
        return self.problem is not None or all(training.done for training in self._trainings)

    @property
    def share(self) -> float:
        steps = sum(training.planned for training in self._trainings)
        return 1.0 if self.done else sum(len(training.losses) for training in self._trainings) / steps

    @property
    def doing(self) -> str:
        return f"Training, epoch {min(self._epochs_done + 1, self._epochs)} of {self._epochs}"

    def run(self) -> None:
        while not self.done and not self.stopped.is_set():
            epochs_done = self._epochs_done
            for training in self._trainings:
                # One that was ahead when all were stopped waits for the others
                if len(training.quality) - 1 == epochs_done:
                    training.run_epoch()

    def resumed(self) -> "TrainingComparison":
        return TrainingComparison(self.sides, self._epochs, self._measure, self._dense, self._note)

    def fail(self, error: Exception) -> None:
        self.problem = describe_error(error)

    def panels(self) -> tuple[Panel, ...]:
        draws = len(self.sides[0].draws)
        note = f"The middle of {draws} trainings, with their lowest and highest."
        x = tuple(float(epoch) for epoch in range(self._epochs + 1))
        quality = Curves(
            f"{capitalised(self._measure)} while it trains",
            tuple(_series(side.name, [in_percent(each) for each in side.quality], len(x)) for side in self.sides),
            f"{self._measure} (%)",
            (0, 100),
            "epochs",
            x,
            lines={"dense": round(100 * self._dense, 1)},
            better="higher",
            note=f"On held-out samples. {note}",
        )
        losses = Curves(
            "Loss while it trains",
            tuple(_series(side.name, [None, *side.losses], len(x)) for side in self.sides),
            "loss (nats)",
            None,
            "epochs",
            x,
            better="lower",
            note="On the training samples: the mean of an epoch.",
        )
        return (quality, losses, self._table())

    @property
    def _epochs_done(self) -> int:
        """Epochs that all have behind them."""
        return min(len(training.quality) for training in self._trainings) - 1

    def _table(self) -> Table:
        rows = []
        for side in self.sides:
            before, now = side.quality[0], side.quality[self._epochs_done]
            rows.append(
                (
                    side.name,
                    percent(median(before)),
                    percent(median(now)),
                    f"{percent(min(now))} – {percent(max(now))}",
                    count(sum(draw.revived for draw in side.draws)),
                )
            )
        after = f"After {self._epochs_done} epochs" if self._epochs_done != 1 else "After 1 epoch"
        columns = ("Network", "Before", after, "Range", "Revived")
        note = f"{self._note} Revived: removed weights that are not 0."
        return Table("Before and after", columns, (tuple(rows),), note)


def _known(quality: Sequence[float | None]) -> list[float]:
    return [each for each in quality if each is not None]


def _series(name: str, points: Sequence[Sequence[float] | None], length: int) -> Series:
    """The middle of each place's numbers and their range; None where there is none, or none yet."""
    places = [*points, *[None] * (length - len(points))]
    return Series(
        name,
        *(
            tuple(None if place is None else round(float(choose(place)), 4) for place in places)
            for choose in (median, min, max)
        ),
    )
