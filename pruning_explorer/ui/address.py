"""A page's address carries what it shows: subject, recipe and open layer, in the words of the command line.

``?subject=digits-cnn&amount=0.8&scope=global&layer_amount=conv1.weight=0.3&layer=fc.weight``
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pruning_explorer.prune.recipe import Recipe, offered
from pruning_explorer.prune.recipe_settings import SETTINGS
from pruning_explorer.prune.settings import format_value
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui.query import EXPLORE, Asked, Query
from pruning_explorer.ui.subjects import find_subject, first_subject


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


def read_address(query: Query) -> Address:
    """Read what ``write_address`` wrote, or somebody typed. What cannot be read falls back to its default."""
    asked = Asked(query, EXPLORE)
    asked.ignore_others()
    subject = read_subject(asked)
    values: dict[str, object] = {}
    for name, setting in SETTINGS.items():
        if (text := asked.last(name)) is not None:
            with asked.noting(after=f"; the default {format_value(setting.default)} is shown instead"):
                value = setting.parse(text)
                Recipe.from_dict({name: value})
                values[name] = value
    values["amounts"] = _amounts(asked, subject)
    values["targets"] = _targets(asked, subject, asked.every("target")) or None
    values["frozen"] = _targets(asked, subject, asked.every("freeze"))
    recipe = _that_fits(asked, subject, Recipe.from_dict(values))
    layer = asked.last("layer")
    if layer is not None and not _targets(asked, subject, [layer]):
        layer = None
    return Address(subject, recipe, layer, tuple(dict.fromkeys(asked.problems)))


def read_subject(asked: Asked) -> Subject:
    """The network that an address names; the first where it names none that is here."""
    first = first_subject()
    name = asked.last("subject")
    with asked.noting(after=f"; {first} is shown instead"):
        return find_subject(first if name is None else name)
    return find_subject(first)


def _that_fits(asked: Asked, subject: Subject, recipe: Recipe) -> Recipe:
    if not offered(subject, recipe):
        asked.problems.append(
            f"no layer of {subject.name} can be pruned by {recipe.granularity}; element is shown instead"
        )
        recipe = replace(recipe, granularity="element")
    with asked.noting(after="; all layers that can be are shown instead"):
        recipe.chosen(subject)
        return recipe
    return replace(recipe, targets=None)


def _amounts(asked: Asked, subject: Subject) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for part in asked.every("layer_amount"):
        name, equals, text = part.rpartition("=")
        if not equals:
            asked.problems.append(f"layer_amount “{part}” has no “=”; write it as {subject.targets[0].name}=0.3")
            continue
        with asked.noting(before=f"layer_amount “{part}” cannot be used: "):
            value = SETTINGS["amount"].parse(text)
            amounts[subject.target(name).name] = float(value)
    return amounts


def _targets(asked: Asked, subject: Subject, names: Sequence[str]) -> list[str]:
    found = []
    for name in names:
        with asked.noting():
            found.append(subject.target(name).name)
    return found
