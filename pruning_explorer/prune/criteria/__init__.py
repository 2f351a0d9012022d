"""What makes a weight important.

A criterion is one function from a target to a non-negative score per weight (or per group, where it draws groups
directly); the rest - grouping, ranking, cutting - is shared. To add one, write the function and register it in
``CRITERIA``, or offer it from a package of your own (:mod:`pruning_explorer.prune.registry`).
"""

from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.criteria import basics, largest, own, sensitivity, watched, weights
from pruning_explorer.prune.criteria.base import Criterion, Scoring, drawn_dtype, seed_of
from pruning_explorer.prune.registry import Registry
from pruning_explorer.prune.settings import Value, read_choice, write_choice

__all__ = [
    "CRITERIA",
    "Criterion",
    "Scoring",
    "canonical_criterion",
    "drawn_dtype",
    "find_criterion",
    "parse_criterion",
    "seed_of",
]

CRITERIA: Registry[Criterion] = Registry(
    "pruning_explorer.criteria",
    Criterion,
    (
        basics.MAGNITUDE,
        basics.RANDOM,
        sensitivity.GRADIENT,
        sensitivity.FISHER_INFORMATION,
        watched.WANDA,
        weights.LAMP,
        sensitivity.SYNFLOW,
        watched.MEAN_ACTIVATION,
        watched.APOZ,
        watched.BN_SCALE,
        weights.FPGM,
        largest.LARGEST,
        own.OWN_SCORES,
        own.OWN_MASK,
    ),
)


def find_criterion(text: str) -> Criterion:
    """The criterion as it is written: ``"magnitude"``, ``"scores:file=ab12cd34ef56"``.

    Raises:
        RecipeError: there is no such criterion or setting.
    """
    return parse_criterion(text)[0]


def parse_criterion(text: str) -> tuple[Criterion, dict[str, Value]]:
    """The criterion and its settings, those that are not written at their defaults.

    Raises:
        RecipeError: there is no such criterion or setting.
    """
    name, values = _read(text)
    criterion = CRITERIA[name]
    return (criterion.bind(criterion, values) if criterion.bind else criterion), values


def canonical_criterion(text: str, *, defaults: bool = True) -> str:
    """Write a criterion the one way it is written, with or without the settings at their defaults.

    >>> canonical_criterion("magnitude:")
    'magnitude'
    """
    name, values = _read(text)
    if not defaults:
        standard = {setting.name: setting.default for setting in CRITERIA[name].settings}
        values = {key: value for key, value in values.items() if value != standard[key]}
    return write_choice(name, values)


def _read(text: str) -> tuple[str, dict[str, Value]]:
    if not isinstance(text, str):
        raise RecipeError(f"a criterion must be a word, not {text!r}")
    return read_choice(text, {name: criterion.settings for name, criterion in CRITERIA.items()}, "criterion")
