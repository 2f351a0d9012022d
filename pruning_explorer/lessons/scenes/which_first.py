"""Three orders of leaving on one network: the smallest weights first, any, the largest first; and where each breaks."""

from collections.abc import Sequence
from statistics import median

from pruning_explorer.figures.numbers import capitalised, count, percent
from pruning_explorer.lessons.amounts import AMOUNT
from pruning_explorer.lessons.known import NEVER, Known, breaks_at, known_at, slider_for, written
from pruning_explorer.lessons.panels import Curves, Panel, Series, Table
from pruning_explorer.lessons.regions import decision_regions, has_plane
from pruning_explorer.lessons.scene import Knob, Scene, Slider, Stage, Values
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import Setting
from pruning_explorer.prune.subject import Subject

METHODS = ("magnitude", "random", "largest")
SEEDS = 5
"""Draws of the random order, whose median and range are shown."""
NOT_YET = "not yet"
SEED = Knob(Setting("seed", "Seed", "Another seed draws another random order, for the plane.", 0, 0, 99))


def _build(subject: Subject, values: Values) -> Stage:
    slider = slider_for(subject)
    seed = int(values["seed"])
    drawn = [known_at(subject, Recipe("random", seed=each), slider.stops) for each in range(SEEDS)]
    own = {name: known_at(subject, Recipe(name), slider.stops) for name in METHODS if name != "random"}
    lines = {
        name: tuple(map(median, zip(*(each.values for each in drawn), strict=True)))
        if name == "random"
        else own[name].values
        for name in METHODS
    }
    known = own["magnitude"]
    breaks = {name: breaks_at(line, known.dense) for name, line in lines.items()}
    ranked = rank_targets(subject, Recipe())
    gone = tuple(map(count, ranked.removed_at(slider.stops).sum(axis=1).tolist()))
    facts: dict[str, str | tuple[str, ...]] = {
        "measure": known.measure,
        "dense": percent(known.dense),
        "guess": percent(known.guess),
        "removed": gone,
        "weights": count(sum(target.numel for target in ranked.targets)),
        "seeds": count(SEEDS),
    }
    for name in METHODS:
        stop = breaks[name]
        facts |= {name: written(lines[name]), f"{name}_breaks": NEVER if stop is None else slider.shown[stop]}
    planes: list[Panel] = []
    if has_plane(subject):
        planes = [
            decision_regions(subject, Recipe(name, seed=seed), slider.stops, _name(name) + own_seed)
            for name, own_seed in zip(METHODS, ("", f", seed {seed}", ""), strict=True)
        ]
    panels = (*planes, _curves(known, drawn, lines), _table(known, slider, lines, breaks))
    return Stage(slider, panels, facts, lambda stop: Recipe(amount=slider.stops[stop]))


def _curves(known: Known, drawn: Sequence[Known], lines: dict[str, tuple[float, ...]]) -> Curves:
    over_seeds = list(zip(*(each.percents for each in drawn), strict=True))
    bands = {"random": (tuple(map(min, over_seeds)), tuple(map(max, over_seeds)))}
    return Curves(
        f"{capitalised(known.measure)} over the amount",
        tuple(
            Series(_name(name), tuple(round(100 * each, 1) for each in line), *bands.get(name, ((), ())))
            for name, line in lines.items()
        ),
        f"{known.measure} (%)",
        (0, 100),
        growing=True,
        lines=known.guess_line,
        better="higher",
        note=f"Random: the median of {SEEDS} draws, with their lowest and highest. The lines appear as you drag.",
    )


def _table(known: Known, slider: Slider, lines: dict[str, tuple[float, ...]], breaks: dict[str, int | None]) -> Table:
    def rows(stop: int) -> tuple[tuple[str, ...], ...]:
        found = {name: at if at is not None and at <= stop else None for name, at in breaks.items()}
        return tuple(
            (_name(name), percent(line[stop]), NOT_YET if (at := found[name]) is None else slider.shown[at])
            for name, line in lines.items()
        )

    return Table(
        "Where each breaks",
        ("Order", capitalised(known.measure), "Breaks at"),
        tuple(map(rows, range(len(slider.stops)))),
        f"Broken: more than five points below the dense network's {percent(known.dense)}, for the first time.",
    )


def _name(method: str) -> str:
    return CRITERIA[method].title


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
        "largest_breaks": "the same, largest first",
    },
    "spirals-mlp",
    AMOUNT,
    (SEED,),
)
