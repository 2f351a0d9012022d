"""What can be set in a recipe, each with its words, its default and its range; pages, terminal and checks read it."""

from dataclasses import replace
from typing import Literal

import numpy as np

from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.registry import Choices
from pruning_explorer.prune.schedule import SCHEDULES
from pruning_explorer.prune.settings import Choice, Setting

Scope = Literal["layer", "row", "global"]
Allocation = Literal["each", "uniform", "erk"]

SCOPES: Choices[Choice] = Choices(
    "scope",
    Choice,
    (
        Choice("layer", "Each layer", "Each layer is ranked by itself and loses the same fraction."),
        Choice("row", "Each output row", "Within a layer, each output's row of weights loses the same fraction."),
        Choice("global", "All together", "All chosen layers compete in one ranking; some lose more than others."),
    ),
)

SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "criterion", "Criterion", f"What makes a weight important: {', '.join(CRITERIA.built_in)}.", "magnitude"
        ),
        Setting(
            "granularity", "Granularity", f"Which weights go together: {', '.join(GRANULARITIES.built_in)}.", "element"
        ),
        Setting("scope", "Scope", f"Who competes with whom: {', '.join(SCOPES)}.", "layer"),
        Setting("amount", "Amount", "Fraction of the dense weights to remove.", 0.5, 0, 1, step=0.001, unit="fraction"),
        Setting(
            "allocation", "Allocation", f"How the amount is shared among layers: {', '.join(ALLOCATIONS)}.", "each"
        ),
        Setting("schedule", "Schedule", f"In how many steps weights go: {', '.join(SCHEDULES)}.", "one-shot"),
        Setting(
            "cap",
            "Cap per layer",
            "No layer loses more than this fraction: the guard against layer collapse.",
            1.0,
            0,
            1,
            step=0.01,
            unit="fraction",
        ),
        Setting(
            "recalibrate",
            "Recalibrate BatchNorm",
            "After pruning, BatchNorm's running mean and variance are measured again on the calibration inputs.",
            False,
        ),
        Setting("seed", "Seed", "Of random criteria: the same seed draws the same masks.", 0, 0, 2**31 - 1),
        Setting(
            "embeddings",
            "Embeddings too",
            "Offer embedding tables, of tokens and of positions; they are few and cost much.",
            False,
        ),
        Setting("biases", "Biases too", "Offer biases as targets; most people leave them dense.", False),
        Setting(
            "norms", "Norm layers too", "Offer BatchNorm and LayerNorm parameters; pruning them hurts fast.", False
        ),
    )
}


def check_amount(value: object, target: str | None = None) -> float:
    """A fraction in [0, 1].

    Raises:
        RecipeError: it is not; whole numbers above 0 are refused, since torch counts weights by them.
    """
    setting = replace(SETTINGS["amount"], name=f"amount of {target}") if target else SETTINGS["amount"]
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value > 0:
        way_out = "1.0 for all" if value == 1 else f"{value / 100:g} for {value} %" if value < 100 else "0.5 for half"
        raise RecipeError(
            f"{setting.name} {value} is a whole number, which torch reads as that many weights; "
            f"write a fraction in [0, 1], such as {way_out}"
        )
    return float(setting.check(value))
