"""Each layer by itself beside all layers in one ranking; a layer that is emptied, and the cap that stops it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.errors import LessonError
from pruning_explorer.figures.numbers import MISSING, capitalised, count
from pruning_explorer.lab.curve_points import measure_points
from pruning_explorer.lessons.amounts import AMOUNT, AMOUNT_SLIDER, AMOUNTS
from pruning_explorer.lessons.panels import Bars, Curves, Figure, Figures, Series
from pruning_explorer.lessons.quality_curve import need_judge, written
from pruning_explorer.lessons.scene import Knob, Scene, Stage, Values
from pruning_explorer.measure.quality import quality_label
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.recipe_settings import SETTINGS
from pruning_explorer.prune.settings import Setting
from pruning_explorer.prune.subject import Subject

INPUTS, WEIGHTS = "inputs", "weights"
GRANULARITIES = {INPUTS: "channel:dim=1,n=1", WEIGHTS: "element"}
GROUPS = {INPUTS: "Whole inputs (columns)", WEIGHTS: "Single weights"}
CAPS = {"0.95": "95 % of a layer", "0.9": "90 % of a layer", "0.8": "80 % of a layer"}
FIXED_CAPS = {"loose": "0.95", "tight": "0.8"}
"""Caps at which facts are computed whatever the knob is set to, by the suffix of the fact's name."""
WHAT = {"": "quality, in percent", "_gone": "weights gone, in percent"}
TITLES = {"each": "Each layer by itself", "together": "All together", "capped": "All together, with the cap"}


@dataclass(frozen=True, eq=False)
class Way:
    """One recipe, at every stop.

    Attributes:
        kept: fraction of each target, ``[stops, L]``.
        sparsity: fraction of all weights of the targets that is gone.
        quality: fraction of the samples that is right.
    """

    recipe: Recipe
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    weights: tuple[int, ...]
    kept: NDArray[np.float64]
    sparsity: tuple[float, ...]
    quality: tuple[float, ...]


WAYS: ByteBoundedCache[Way] = ByteBoundedCache(
    8 << 20, "ways to share an amount", weigh=lambda way: way.kept.nbytes + 64 * len(AMOUNTS)
)
"""Results for every way to share an amount; a knob changes few of them, so the others are reused."""


def _build(subject: Subject, values: Values) -> Stage:
    need_judge(subject)
    group, cap = str(values["group"]), float(values["cap"])
    ways = {each: _ways(subject, granularity, cap) for each, granularity in GRANULARITIES.items()}
    fixed = {
        each: {name: _ways(subject, granularity, float(at))["capped"] for name, at in FIXED_CAPS.items()}
        for each, granularity in GRANULARITIES.items()
    }
    shown = ways[group]
    quality = quality_label(subject)
    return Stage(
        AMOUNT_SLIDER,
        (
            Figures(
                (
                    *(
                        Figure(f"{capitalised(quality)}, {TITLES[name].lower()}", written(way.quality))
                        for name, way in shown.items()
                    ),
                    *(Figure(f"Weights gone, {TITLES[name].lower()}", written(shown[name].sparsity)) for name in shown),
                ),
                note="What a layer may not lose, the others lose; less than asked goes only when all are at their cap.",
            ),
            *(_bars(name, way) for name, way in shown.items()),
            Curves(
                f"{capitalised(quality)} as more goes",
                tuple(Series(TITLES[name], tuple(100 * each for each in way.quality)) for name, way in shown.items()),
                f"{quality} (%)",
                (0, 100),
                growing=True,
                better="higher",
                note="The lines appear as you drag.",
            ),
        ),
        {**_facts(ways, cap), **_at_fixed_caps(fixed)},
        lambda stop: replace(shown["together"].recipe, amount=AMOUNTS[stop]),
    )


def _ways(subject: Subject, granularity: str, cap: float) -> dict[str, Way]:
    together = Recipe(granularity=granularity, scope="global")
    recipes = {
        "each": Recipe(granularity=granularity, scope="layer"),
        "together": together,
        "capped": replace(together, cap=cap),
    }
    return {name: WAYS.get((subject.id, recipe.id), partial(_way, subject, recipe)) for name, recipe in recipes.items()}


def _way(subject: Subject, recipe: Recipe) -> Way:
    ranked = rank_targets(subject, recipe)
    if len(ranked.targets) < 2:
        raise LessonError(f"{subject.name} has one layer to prune, so none competes; choose a network with two or more")
    gone = ranked.removed_at(AMOUNTS)
    weights = np.stack([ranked.removed_weights(i, gone[:, i]) for i in range(len(ranked.targets))], axis=1)
    sizes = np.array([target.numel for target in ranked.targets])
    points = measure_points(subject, recipe, AMOUNTS)
    return Way(
        recipe,
        tuple(target.name.removesuffix(".weight") for target in ranked.targets),
        tuple(target.shape for target in ranked.targets),
        tuple(sizes.tolist()),
        1 - weights / sizes,
        tuple((weights.sum(axis=1) / sizes.sum()).tolist()),
        tuple(float(point["quality"]) for point in points),
    )


def _bars(name: str, way: Way) -> Bars:
    capped = way.recipe.cap < 1
    return Bars(TITLES[name], way.names, way.kept, way.weights, way.recipe.cap if capped else None)


def _facts(ways: Mapping[str, Mapping[str, Way]], cap: float) -> dict[str, str | tuple[str, ...]]:
    together = ways[INPUTS]["together"]
    emptied = together.kept == 0
    # At the last stop everything is gone, which is no collapse
    begins = int(np.argmax(emptied.any(axis=1)))
    first = int(np.argmax(emptied[begins]))
    last = begins == len(AMOUNTS) - 1
    longest = int(np.argmax([shape[0] for shape in together.shapes]))
    return {
        "cap": f"{100 * cap:.0f} %",
        "layers": count(len(together.names)),
        "first": MISSING if last else together.names[first],
        "first_at": MISSING if last else AMOUNT_SLIDER.shown[begins],
        "first_rows": count(together.shapes[first][0]),
        "first_columns": count(together.shapes[first][1]),
        "most_rows": count(together.shapes[longest][0]),
        "most_rows_in": together.names[longest],
        "first_each_left": written(tuple(ways[INPUTS]["each"].kept[:, first].tolist())),
        "first_capped_left": written(tuple(ways[INPUTS]["capped"].kept[:, first].tolist())),
        **_of_all(ways),
    }


def _at_fixed_caps(fixed: Mapping[str, Mapping[str, Way]]) -> dict[str, str | tuple[str, ...]]:
    return {**{f"{name}_cap": f"{100 * float(at):.0f} %" for name, at in FIXED_CAPS.items()}, **_of_all(fixed)}


def _of_all(ways: Mapping[str, Mapping[str, Way]]) -> dict[str, tuple[str, ...]]:
    facts: dict[str, tuple[str, ...]] = {}
    for group, of_group in ways.items():
        for name, way in of_group.items():
            facts[f"{group}_{name}"] = written(way.quality)
            facts[f"{group}_{name}_gone"] = written(way.sparsity)
    return facts


EACH_OR_ALL = Scene(
    "each_or_all",
    "Magnitude on each layer by itself and on all in one ranking, with and without a cap: what each layer keeps.",
    _build,
    {
        "cap": "the largest fraction that any layer may lose, in percent",
        "layers": "how many are pruned",
        "first": "the layer that is emptied first when whole inputs of all layers compete",
        "first_at": "the amount at which it is",
        "first_rows": "weights in each of its columns",
        "first_columns": "how many columns it has",
        "most_rows": "weights in the longest column of any layer",
        "most_rows_in": "the layer that has it",
        "first_each_left": "what that first layer keeps when each layer is ranked by itself",
        "first_capped_left": "what it keeps under the cap",
        **{
            f"{group}_{name}{end}": f"{GROUPS[group].lower()}, {title.lower()}: {what}"
            for group in GROUPS
            for name, title in TITLES.items()
            for end, what in WHAT.items()
        },
        **{f"{name}_cap": f"the {name} cap that facts are of, whatever the knob says" for name in FIXED_CAPS},
        **{
            f"{group}_{name}{end}": f"{GROUPS[group].lower()}, all together with the {name} cap: {what}"
            for group in GROUPS
            for name in FIXED_CAPS
            for end, what in WHAT.items()
        },
    },
    "digits-mlp",
    replace(AMOUNT, help="Fraction to remove: of the columns, or of the weights."),
    (
        Knob(
            Setting("group", "What goes", "Columns with all their weights, or each weight by itself.", INPUTS),
            GROUPS,
            ("granularity",),
        ),
        Knob(Setting("cap", SETTINGS["cap"].label, SETTINGS["cap"].help, "0.95"), CAPS),
    ),
)
