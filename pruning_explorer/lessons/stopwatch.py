"""Measure four forms of one pruning on this machine, while one looks on."""

from collections.abc import Sequence

import torch

from pruning_explorer.figures.numbers import MISSING, count, decimal, memory, times
from pruning_explorer.lab.curve_points import describe_error
from pruning_explorer.lessons.four_networks import (
    CUT,
    DENSE,
    FORMS,
    FourNetworks,
    count_macs,
    cut_subject,
    make_networks,
)
from pruning_explorer.lessons.panels import Curves, Panel, Series, Table
from pruning_explorer.lessons.scene import Trial
from pruning_explorer.measure.footprint import (
    ROUNDS,
    Footprint,
    bytes_in_memory,
    bytes_on_disk,
    quartiles,
    speed_up,
    time_in_rounds,
)
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.network import require_samples
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

BATCH = 16
"""Samples in each timed forward pass."""


class Stopwatch(Trial):
    """Bytes and milliseconds of the four forms of one recipe. Stopped, it begins anew the next time."""

    def __init__(self, subject: Subject, recipe: Recipe, rounds: int = ROUNDS) -> None:
        super().__init__()
        self._subject, self._recipe, self._rounds = subject, recipe, rounds
        self._four: FourNetworks | None = None
        self._bytes: dict[str, tuple[int, int]] = {}
        self._macs: dict[str, float] = {}
        self._timed: list[dict[str, float]] = []
        self._samples, self._threads = 0, 0

    @property
    def done(self) -> bool:
        return self.problem is not None or len(self._timed) == self._rounds

    @property
    def share(self) -> float:
        return 1.0 if self.done else len(self._timed) / self._rounds

    @property
    def doing(self) -> str:
        if not self._timed:
            return "Building the four networks and warming them up"
        return f"Measuring, round {len(self._timed)} of {self._rounds}"

    def run(self) -> None:
        """Build the four, then time them against each other."""
        masks = compute_masks(self._subject, self._recipe)
        four = make_networks(self._subject, masks)
        self._macs = count_macs(self._subject, masks, cut_subject(self._subject, masks, four.models[CUT]))
        inputs = tuple(tensor[:BATCH] for tensor in require_samples(self._subject))
        self._samples, self._threads = len(inputs[0]), torch.get_num_threads()
        self._bytes = {name: (bytes_on_disk(model), bytes_in_memory(model)) for name, model in four.models.items()}
        self._timed, self._four = [], four
        for spent in time_in_rounds(four.models, inputs, self._rounds):
            self._timed.append(spent)
            if self.stopped.is_set():
                return

    def fail(self, error: Exception) -> None:
        self.problem = describe_error(error)

    def footprints(self) -> dict[str, Footprint]:
        """Of each form, from the rounds so far; empty before the first."""
        timed = list(self._timed)
        if not timed:
            return {}
        return {name: Footprint(*self._bytes[name], tuple(each[name] for each in timed)) for name in FORMS}

    def panels(self) -> tuple[Panel, ...]:
        found = self.footprints()
        if self._four is None or not found:
            return ()
        return _table(found, self._four, self._macs, self._note()), _curves(found)

    def _note(self) -> str:
        return (
            f"{count(self._samples)} samples at once, {count(self._threads)} of torch's threads, the median of "
            f"{count(len(self._timed))} rounds; in each, all four run in turn. Middle half: a quarter of the rounds "
            "was faster, a quarter slower. Speed-up: against dense in the same round, the median of each round's "
            "ratio, so not the quotient of the milliseconds; above 1 is faster, and unsure where the middle half of "
            "the rounds has both. Theoretical: by multiply-adds alone, if every zero were skipped."
        )


def _table(found: dict[str, Footprint], four: FourNetworks, macs: dict[str, float], note: str) -> Table:
    rows = []
    for name, each in found.items():
        spent = each.quartiles
        shown = (
            (MISSING, MISSING) if spent is None else (decimal(spent[1]), f"{decimal(spent[0])} to {decimal(spent[2])}")
        )
        label = f"{name}: nothing to cut" if name == CUT and not four.cut.channels_removed else name
        speed = _speed(speed_up(found[DENSE], each))
        theory = times(macs[DENSE] / macs[name]) if macs[name] else MISSING
        rows.append((label, shown[0], speed, theory, shown[1], memory(each.on_disk), memory(each.in_memory)))
    columns = ("Network", "Milliseconds", "Speed-up", "Theoretical", "Middle half", "On disk", "In memory")
    return Table("Measured on this machine", columns, (tuple(rows),), note=note)


def _speed(ratios: tuple[float, float, float] | None) -> str:
    if ratios is None:
        return MISSING
    unsure = ratios[0] < 1 < ratios[2]
    return f"{times(ratios[1])}, unsure" if unsure else times(ratios[1])


def _curves(found: dict[str, Footprint]) -> Curves:
    rounds = len(found[DENSE].milliseconds)
    return Curves(
        "Milliseconds, the more rounds the surer",
        tuple(_series(name, each.milliseconds) for name, each in found.items()),
        "median so far (ms)",
        x_title="rounds",
        x=tuple(float(number) for number in range(1, rounds + 1)),
        better="lower",
        note="The bands are the middle half of the rounds so far.",
    )


def _series(name: str, milliseconds: Sequence[float]) -> Series:
    so_far = [quartiles(tuple(milliseconds[: number + 1])) for number in range(len(milliseconds))]
    low, median, high = (
        tuple(None if each is None else float(f"{each[place]:.4g}") for each in so_far) for place in range(3)
    )
    return Series(name, median, low, high)
