"""Stages that were built before: the frames of a lesson are prepared once, for all who look at it."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np

from pruning_explorer.lessons.lesson import settings_of
from pruning_explorer.lessons.scene import Scene, Stage, Values
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.subject import Subject

STAGES: ByteBoundedCache[Stage] = ByteBoundedCache(
    128 << 20, "stages of lessons", weigh=lambda stage: _weigh((stage.panels, stage.facts))
)


def stage_of(subject: Subject, scene: Scene, values: Values) -> Stage:
    """The stage of a scene on a network; what is not set stands at its default.

    Raises:
        PruningExplorerError: the scene cannot be shown on this network.
    """
    moves = scene.slider.name if scene.slider else ""
    settings = {name: setting.default for name, setting in settings_of(scene).items()}
    knobs = {name: value for name, value in {**settings, **values}.items() if name != moves}
    key = (subject.id, scene.name, *sorted(knobs.items()))
    return STAGES.get(key, lambda: scene.build(subject, knobs))


def _weigh(value: object) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, str):
        return len(value) + 50
    if isinstance(value, tuple | list):
        return 8 * len(value) + sum(map(_weigh, value))
    if isinstance(value, Mapping):
        return _weigh(tuple(value.values()))
    if is_dataclass(value):
        return sum((_weigh(getattr(value, each.name)) for each in fields(value)), 0)
    return 32
