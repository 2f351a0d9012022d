"""The masks of a recipe, made one layer after another, where each layer is ranked by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.prune.criteria import find_criterion
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target


class MasksInTurn(Mapping[str, Tensor]):
    """Target name -> mask, made when it is first asked for, and kept at one bit for each weight.

    Attributes:
        targets: that the recipe prunes.
    """

    def __init__(self, subject: Subject, recipe: Recipe) -> None:
        self.targets: tuple[Target, ...] = recipe.chosen(subject)
        self._subject, self._recipe = subject, recipe
        self._packed: dict[str, NDArray[np.uint8]] = {}

    def __getitem__(self, name: str) -> Tensor:
        target = self._subject.target(name)
        if name not in self._packed:
            mask = compute_masks(self._subject, replace(self._recipe, targets=(name,)))[name]
            self._packed[name] = np.packbits(mask.numpy())
            return mask
        bits = np.unpackbits(self._packed[name], count=target.numel)
        return torch.from_numpy(bits.view(np.bool_)).view(target.shape)

    def __iter__(self) -> Iterator[str]:
        return (target.name for target in self.targets)

    def __len__(self) -> int:
        return len(self.targets)


def masks_in_turn(subject: Subject, recipe: Recipe) -> MasksInTurn | None:
    """The same masks as :func:`~pruning_explorer.prune.engine.compute_masks` makes, without all of them in memory.

    Returns:
        None where a layer's mask depends on other layers, or scores are of the network as it runs.

    Raises:
        RecipeError, TargetError: as :meth:`Recipe.chosen`.
    """
    alone = recipe.scope != "global" and recipe.allocation == "each" and recipe.nested and not recipe.recalibrate
    if not alone or find_criterion(recipe.criterion).needs != "weights":
        return None
    masks = MasksInTurn(subject, recipe)
    return masks if masks.targets else None
