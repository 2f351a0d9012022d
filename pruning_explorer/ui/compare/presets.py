"""Comparisons that are worth a look on any network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pruning_explorer.measure.recalibration import why_no_recalibration
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject


@dataclass(frozen=True)
class Preset:
    """A ready comparison.

    Attributes:
        recipes: fields of each recipe; the amount is the person's.
    """

    title: str
    help: str
    recipes: Sequence[Mapping[str, Any]]


PRESETS = (
    Preset(
        "What torch has",
        "The four ways of torch.nn.utils.prune: l1_unstructured, random_unstructured, ln_structured and "
        "global_unstructured.",
        ({}, {"criterion": "random"}, {"granularity": "channel:dim=0,n=2"}, {"scope": "global"}),
    ),
    Preset(
        "Data-free or data-aware",
        "Magnitude and LAMP beside gradient × weight and Wanda: do gradients or inputs tell more than weights alone?",
        (
            {"scope": "global"},
            {"criterion": "lamp", "scope": "global"},
            {"criterion": "gradient", "scope": "global"},
            {"criterion": "wanda", "scope": "row"},
        ),
    ),
    Preset(
        "Weights or channels",
        "The same criterion over single weights, 2:4, blocks and whole channels: what hardware can use costs more.",
        (
            {},
            {"granularity": "n_m:n=2,m=4"},
            {"granularity": "block:rows=4,cols=1"},
            {"granularity": "channel:dim=0,n=2"},
        ),
    ),
    Preset(
        "One shot or in steps",
        "Gradient × weight and Fisher see what earlier steps did to the network: ten steps beside one.",
        (
            {"criterion": "gradient", "scope": "global"},
            {"criterion": "gradient", "scope": "global", "schedule": "cubic:steps=10"},
            {"criterion": "fisher", "scope": "global"},
            {"criterion": "fisher", "scope": "global", "schedule": "cubic:steps=10"},
        ),
    ),
    Preset(
        "With and without recalibration",
        "BatchNorm keeps the dense network's statistics after pruning; measuring them again takes a moment.",
        (
            {},
            {"recalibrate": True},
            {"scope": "global"},
            {"scope": "global", "recalibrate": True},
        ),
    ),
)


def recipes_of(preset: Preset, amount: float) -> list[tuple[str, Recipe]]:
    """The recipes of a preset at one amount, named after themselves."""
    return [("", Recipe.from_dict({**fields, "amount": amount})) for fields in preset.recipes]


def why_not(preset: Preset, subject: Subject) -> str | None:
    """Why a preset says nothing about this network; None if it does."""
    for recipe in (Recipe.from_dict(dict(fields)) for fields in preset.recipes):
        missing = recipe.criterion.missing(subject)
        if missing is None and recipe.recalibrate:
            missing = why_no_recalibration(subject)
        if missing is not None:
            return missing
    return None
