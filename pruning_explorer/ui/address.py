"""A page's address carries what it shows: subject, recipe and open layer, in the words of the command line.

``?subject=digits-cnn&amount=0.8&scope=global&layer_amount=conv1.weight=0.3&layer=fc.weight``
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.prune.recipe import SETTINGS, Recipe, offered
from pruning_explorer.prune.settings import format_value
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui.subjects import find_subject, first_subject

LISTS = ("target", "freeze", "layer_amount")
KNOWN = {"subject", "layer", "trace", "embed", "embed_options", *SETTINGS, *LISTS}


@dataclass(frozen=True)
class Address:
    """What an address asks for, made good where it could not be read.

    Attributes:
        problems: one sentence for each thing that was wrong, and what is shown instead.
    """

    subject: Subject
    recipe: Recipe
    layer: str | None
    problems: tuple[str, ...] = field(default=())


def write_address(subject: Subject, recipe: Recipe, layer: str | None) -> dict[str, list[str]]:
    """Query parameters of a page, every value of each; what is at its default is left out."""
    content = recipe.to_dict(defaults=False)
    query = {"subject": [subject.name]}
    query |= {name: [format_value(value)] for name, value in content.items() if name in SETTINGS}
    lists = {
        "target": list(recipe.targets or ()),
        "freeze": list(recipe.frozen),
        "layer_amount": [f"{name}={format_value(amount)}" for name, amount in recipe.amounts.items()],
        "layer": [layer] if layer else [],
    }
    return query | {name: values for name, values in lists.items() if values}


def read_address(query: Mapping[str, Sequence[str]]) -> Address:
    """Read what ``write_address`` wrote, or somebody typed. What cannot be read falls back to its default.

    Args:
        query: every value of each parameter.
    """
    problems = [f"it has an unknown part “{name}”, which was ignored" for name in query if name not in KNOWN]
    subject = _subject(query, problems)
    values: dict[str, object] = {}
    for name, setting in SETTINGS.items():
        if name in query:
            try:
                value = setting.parse(query[name][-1])
                Recipe.from_dict({name: value})
                values[name] = value
            except PruningExplorerError as error:
                problems.append(f"{error}; the default {format_value(setting.default)} is shown instead")
    values["amounts"] = _amounts(query, subject, problems)
    if "target" in query:
        values["targets"] = _targets(query["target"], subject, problems) or None
    values["frozen"] = _targets(query.get("freeze", ()), subject, problems)
    recipe = _that_fits(subject, Recipe.from_dict(values), problems)
    layer = query["layer"][-1] if "layer" in query else None
    if layer is not None and not _targets([layer], subject, problems):
        layer = None
    return Address(subject, recipe, layer, tuple(dict.fromkeys(problems)))


def _subject(query: Mapping[str, Sequence[str]], problems: list[str]) -> Subject:
    first = first_subject()
    try:
        return find_subject(query.get("subject", [first])[-1])
    except PruningExplorerError as error:
        problems.append(f"{error}; {first} is shown instead")
        return find_subject(first)


def _that_fits(subject: Subject, recipe: Recipe, problems: list[str]) -> Recipe:
    if not offered(subject, recipe):
        problems.append(f"no layer of {subject.name} can be pruned by {recipe.granularity}; element is shown instead")
        recipe = replace(recipe, granularity="element")
    try:
        recipe.chosen(subject)
    except PruningExplorerError as error:
        problems.append(f"{error}; all layers that can be are shown instead")
        recipe = replace(recipe, targets=None)
    return recipe


def _amounts(query: Mapping[str, Sequence[str]], subject: Subject, problems: list[str]) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for part in query.get("layer_amount", ()):
        name, equals, text = part.rpartition("=")
        if not equals:
            problems.append(f"layer_amount “{part}” has no “=”; write it as {subject.targets[0].name}=0.3")
            continue
        try:
            value = SETTINGS["amount"].parse(text)
            amounts[subject.target(name).name] = float(value)
        except PruningExplorerError as error:
            problems.append(f"layer_amount “{part}” cannot be used: {error}")
    return amounts


def _targets(names: Sequence[str], subject: Subject, problems: list[str]) -> list[str]:
    found = []
    for name in names:
        try:
            found.append(subject.target(name).name)
        except PruningExplorerError as error:
            problems.append(str(error))
    return found
