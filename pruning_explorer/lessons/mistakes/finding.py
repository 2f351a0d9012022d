"""What a check of a common error hands over."""

from collections.abc import Mapping
from typing import NamedTuple

from pruning_explorer.lessons.panels import Code, Panel
from pruning_explorer.prune.recipe import Recipe


class Finding(NamedTuple):
    """What a check found.

    Attributes:
        panels: of one stop.
        facts: name -> as it is written.
    """

    panels: tuple[Panel, ...]
    facts: Mapping[str, str]


def only_target(recipe: Recipe) -> str:
    """The name of the one target of a recipe."""
    (name,) = recipe.targets or ()
    return name


def torch_lines(*lines: str) -> Code:
    """Lines of torch that show the same; what stands behind ``#`` is what the line gives."""
    return Code("The same in torch", ("\n".join(("from torch.nn.utils import prune", *lines)),))
