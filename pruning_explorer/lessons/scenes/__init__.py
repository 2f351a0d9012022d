"""All scenes by name. A new one is one file and one line here."""

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.scene import Scene
from pruning_explorer.lessons.scenes.again_and_again import AGAIN_AND_AGAIN
from pruning_explorer.lessons.scenes.mask_by_hand import MASK_BY_HAND
from pruning_explorer.lessons.scenes.reading_drift import READING_DRIFT
from pruning_explorer.lessons.scenes.what_it_knows import WHAT_IT_KNOWS
from pruning_explorer.lessons.scenes.which_first import WHICH_FIRST

SCENES: dict[str, Scene] = {
    scene.name: scene for scene in (MASK_BY_HAND, WHAT_IT_KNOWS, WHICH_FIRST, AGAIN_AND_AGAIN, READING_DRIFT)
}


def find_scene(name: str) -> Scene:
    """A scene by its name.

    Raises:
        LessonError: there is none of that name.
    """
    if name not in SCENES:
        raise LessonError(f"there is no scene {name!r}; the scenes are {', '.join(SCENES)}")
    return SCENES[name]
