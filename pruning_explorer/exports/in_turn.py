"""The masks of a recipe, made layer by layer and piece by piece, to save memory."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.prune.passing import Passed, pass_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target


class MasksInTurn:
    """The masks of :func:`~pruning_explorer.prune.engine.compute_masks`, none of them in memory as a whole.

    Masks that cost more to make than reading the weights are kept, at one bit a weight.

    Attributes:
        targets: that the recipe prunes.
    """

    def __init__(self, subject: Subject, recipe: Recipe) -> None:
        self.targets: tuple[Target, ...] = recipe.chosen(subject)
        self._subject, self._recipe = subject, recipe
        self._alone = recipe.scope != "global" and recipe.allocation == "each"
        self._cuts: dict[str, tuple[Passed, list[int]]] = {}
        self._packed: dict[str, list[tuple[int, NDArray[np.uint8]]]] = {}

    def pieces(self, name: str) -> Iterator[Tensor]:
        """The mask of a target in flat pieces, bool; together they are as long as it is.

        Raises:
            RecipeError, TargetError, ScoreError: as of :func:`~pruning_explorer.prune.engine.compute_masks`.
        """
        if name not in self._packed:
            passed, removed = self._cut(name)
            index = [target.name for target in passed.targets].index(name)
            kept = passed.keep(index, removed[index])
            if passed.light(index):
                yield from map(torch.from_numpy, kept)
                return
            self._packed[name] = [(len(piece), np.packbits(piece)) for piece in kept]
            if self._alone:
                del self._cuts[name], passed, kept  # with its scores
        for size, packed in self._packed[name]:
            yield torch.from_numpy(np.unpackbits(packed, count=size).view(np.bool_))

    def _cut(self, name: str) -> tuple[Passed, list[int]]:
        """The scores of a target and of those that it competes with, and how many weights each loses."""
        key = name if self._alone else ""
        if key not in self._cuts:
            recipe = replace(self._recipe, targets=(name,)) if self._alone else self._recipe
            passed = pass_targets(self._subject, recipe)
            self._cuts[key] = passed, passed.removed_at([recipe.amount])[0].tolist()
        return self._cuts[key]


def masks_in_turn(subject: Subject, recipe: Recipe) -> MasksInTurn | None:
    """The masks of a recipe whose layers can be looked at one after another.

    Returns:
        None where scores need a run of the network, or depend on weights removed before.

    Raises:
        RecipeError, TargetError: as :meth:`Recipe.chosen`.
    """
    if not recipe.nested or recipe.recalibrate or recipe.criterion.needs != "weights":
        return None
    masks = MasksInTurn(subject, recipe)
    return masks if masks.targets else None
