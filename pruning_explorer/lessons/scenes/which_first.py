"""Three orders of leaving on one network: the smallest weights first, any, the largest first; and where each breaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from pruning_explorer.figures.numbers import capitalised, count, percent
from pruning_explorer.lessons.amounts import AMOUNT, leaves_by_amount
from pruning_explorer.lessons.panels import Curves, Panel, Series, Table
from pruning_explorer.lessons.quality_curve import (
    QualityCurve,
    breaks_at,
    in_percent,
    quality_curve,
    shown_at,
    slider_for,
    written,
)
from pruning_explorer.lessons.regions import decision_regions, has_plane
from pruning_explorer.lessons.scene import Knob, Scene, Slider, Stage, Values
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import Setting
from pruning_explorer.prune.subject import Subject

METHODS = ("magnitude", "random", "largest")
SEEDS = 5
"""Number of random orders; their median and range are shown."""
NOT_YET = "not yet"
SEED = Knob(
    Setting("seed", "Seed", "Which of the draws of the random order is shown beside them all.", 0, 0, SEEDS - 1)
)


@dataclass(frozen=True)
class Line:
    """What one order leaves at every stop.

    Attributes:
        values: of the measure, in [0, 1].
        low, high: of all draws, where it stands for several.
    """

    name: str
    values: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def _build(subject: Subject, values: Values) -> Stage:
    slider = slider_for(subject)
    seed = int(values["seed"])
    known, largest = (quality_curve(subject, Recipe(name), slider.stops) for name in ("magnitude", "largest"))
    drawn = [quality_curve(subject, Recipe("random", seed=each), slider.stops) for each in range(SEEDS)]
    over_draws = list(zip(*(each.values for each in drawn), strict=True))
    titles = {name: CRITERIA[name].title for name in METHODS}
    of_seed = f"{titles['random']}, seed {seed}"
    lines = {
        "magnitude": Line(titles["magnitude"], known.values),
        "random": Line(
            f"{titles['random']}, median",
            tuple(map(median, over_draws)),
            tuple(map(min, over_draws)),
            tuple(map(max, over_draws)),
        ),
        "largest": Line(titles["largest"], largest.values),
        "seed": Line(of_seed, drawn[seed].values),
    }
    planes: list[Panel] = []
    if has_plane(subject):
        names = {**titles, "random": of_seed}
        planes = [
            decision_regions(subject, Recipe(name, seed=seed if name == "random" else 0), slider.stops, names[name])
            for name in METHODS
        ]
    panels = (*planes, _curves(known, lines), _table(known, slider, lines))
    return Stage(
        slider, panels, _facts(subject, known, slider, lines, drawn), lambda stop: Recipe(amount=slider.stops[stop])
    )


def _facts(
    subject: Subject, known: QualityCurve, slider: Slider, lines: Mapping[str, Line], drawn: Sequence[QualityCurve]
) -> dict[str, str | tuple[str, ...]]:
    """All but what belongs to the seed: sentences stay as they are when another is chosen."""
    ranked = rank_targets(subject, Recipe())
    luck = lines["random"].values
    behind = (mine < median_draw for mine, median_draw in zip(lines["magnitude"].values, luck, strict=True))
    ahead = (mine > median_draw for mine, median_draw in zip(lines["largest"].values, luck, strict=True))
    breaks = [breaks_at(each.values, known.dense) for each in drawn]
    broken = [stop for stop in breaks if stop is not None]
    facts: dict[str, str | tuple[str, ...]] = {
        "measure": known.measure,
        "dense": percent(known.dense),
        "guess": percent(known.guess),
        "removed": tuple(map(count, ranked.removed_at(slider.stops).sum(axis=1).tolist())),
        "weights": count(sum(target.numel for target in ranked.targets)),
        "seeds": count(SEEDS),
        "random_first_breaks": shown_at(slider, min(broken, default=None)),
        "random_last_breaks": shown_at(slider, max(broken) if len(broken) == len(breaks) else None),
        "largest_ahead": shown_at(slider, next((stop for stop, each in enumerate(ahead) if each), None)),
        "magnitude_behind": shown_at(slider, next((stop for stop, each in enumerate(behind) if each), None)),
        "magnitude_size": written(_size_gone(subject, Recipe("magnitude"), slider)),
        "largest_size": written(_size_gone(subject, Recipe("largest"), slider)),
    }
    for name in METHODS:
        facts |= {name: written(lines[name].values), f"{name}_breaks": _breaks(known, slider, lines[name])}
    return facts


def _size_gone(subject: Subject, recipe: Recipe, slider: Slider) -> tuple[float, ...]:
    """Of the sum of all absolute weights, the fraction that is removed at each stop."""
    ranked = rank_targets(subject, recipe)
    gone = np.zeros(len(slider.stops) + 1)
    for target, leaves in zip(ranked.targets, leaves_by_amount(ranked, slider.stops), strict=True):
        sizes = subject.weight(target.name).detach().double().abs().numpy()
        gone += np.bincount(leaves.ravel(), sizes.ravel(), minlength=len(gone))
    return tuple((gone.cumsum() / gone.sum())[:-1].tolist())


def _breaks(known: QualityCurve, slider: Slider, line: Line) -> str:
    return shown_at(slider, breaks_at(line.values, known.dense))


def _curves(known: QualityCurve, lines: Mapping[str, Line]) -> Curves:
    return Curves(
        f"{capitalised(known.measure)} over the amount",
        tuple(Series(each.name, *map(in_percent, (each.values, each.low, each.high))) for each in lines.values()),
        f"{known.measure} (%)",
        (0, 100),
        growing=True,
        lines=known.guess_line,
        better="higher",
        note=f"The band is from the lowest to the highest of {SEEDS} random draws. The lines appear as you drag.",
    )


def _table(known: QualityCurve, slider: Slider, lines: Mapping[str, Line]) -> Table:
    breaks = {name: breaks_at(line.values, known.dense) for name, line in lines.items()}

    def rows(stop: int) -> tuple[tuple[str, ...], ...]:
        found = {name: at if at is not None and at <= stop else None for name, at in breaks.items()}
        return tuple(
            (line.name, percent(line.values[stop]), NOT_YET if (at := found[name]) is None else slider.shown[at])
            for name, line in lines.items()
        )

    return Table(
        "Where each breaks",
        ("Order", capitalised(known.measure), "Breaks at"),
        tuple(map(rows, range(len(slider.stops)))),
        f"Broken: more than five points below the dense network's {percent(known.dense)}, for the first time.",
    )


WHICH_FIRST = Scene(
    "which_first",
    "The same network pruned in three orders, smallest first, random and largest first: what each leaves.",
    _build,
    {
        "measure": "what is measured: accuracy, or agreement with the dense network where nothing judges",
        "dense": "the measure of the dense network, in percent",
        "guess": "what always giving the commonest answer is worth, in percent",
        "removed": "weights removed, by each of the three",
        "weights": "how many there are",
        "seeds": "random orders that were drawn",
        "magnitude": "the measure with the smallest weights gone, in percent",
        "random": "the measure with weights gone at random, the median of all seeds, in percent",
        "largest": "the measure with the largest weights gone, in percent",
        "magnitude_breaks": "the first amount at which more than five points are lost, smallest first",
        "random_breaks": "the same at random, of the median",
        "random_first_breaks": "the same, of the draw that breaks first",
        "random_last_breaks": "the same, of the draw that breaks last",
        "largest_breaks": "the same, largest first",
        "largest_ahead": "the first amount at which the measure is higher largest first than at random, the median",
        "magnitude_behind": "the first amount at which the measure is lower smallest first than at random, the median",
        "magnitude_size": "of the sum of all absolute weights, the share removed smallest first, in percent",
        "largest_size": "the same, largest first",
    },
    "spirals-mlp",
    AMOUNT,
    (SEED,),
)
