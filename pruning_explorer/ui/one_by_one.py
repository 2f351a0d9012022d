"""Large checkpoints are looked at layer by layer: each is read from its file, and ranked, when it is chosen."""

from dataclasses import replace

from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

ONE_LAYER_FROM = 1 << 25
"""Weights of a checkpoint above which its layers are looked at one by one."""


def one_by_one(subject: Subject) -> bool:
    """Whether a network begins with one layer chosen rather than with all."""
    return not subject.runnable and sum(target.numel for target in subject.targets) > ONE_LAYER_FROM


def first_layer(subject: Subject) -> Target:
    """The layer that such a network begins with: its first weight that is no embedding, which may be huge."""
    return next((target for target in subject.targets if target.role == "weight"), subject.targets[0])


def beginning(recipe: Recipe, subject: Subject) -> Recipe:
    """The recipe as a network begins with it: one that chooses no layers chooses all, or the first alone."""
    if recipe.targets is None and one_by_one(subject):
        return replace(recipe, targets=(first_layer(subject).name,))
    return recipe
