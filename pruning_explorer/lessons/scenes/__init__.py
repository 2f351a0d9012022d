"""All scenes by name. A new one is one file and one line here."""

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.scene import Scene
from pruning_explorer.lessons.scenes.again_and_again import AGAIN_AND_AGAIN
from pruning_explorer.lessons.scenes.each_or_all import EACH_OR_ALL
from pruning_explorer.lessons.scenes.getting_it_back import GETTING_IT_BACK
from pruning_explorer.lessons.scenes.hardware_patterns import HARDWARE_PATTERNS
from pruning_explorer.lessons.scenes.mask_by_hand import MASK_BY_HAND
from pruning_explorer.lessons.scenes.reading_drift import READING_DRIFT
from pruning_explorer.lessons.scenes.smaller_faster import SMALLER_FASTER
from pruning_explorer.lessons.scenes.weights_or_neurons import WEIGHTS_OR_NEURONS
from pruning_explorer.lessons.scenes.what_it_knows import WHAT_IT_KNOWS
from pruning_explorer.lessons.scenes.which_first import WHICH_FIRST

SCENES: dict[str, Scene] = {
    scene.name: scene
    for scene in (
        MASK_BY_HAND,
        WHAT_IT_KNOWS,
        WHICH_FIRST,
        WEIGHTS_OR_NEURONS,
        EACH_OR_ALL,
        AGAIN_AND_AGAIN,
        SMALLER_FASTER,
        GETTING_IT_BACK,
        HARDWARE_PATTERNS,
        READING_DRIFT,
    )
}


def find_scene(name: str) -> Scene:
    """A scene by its name.

    Raises:
        LessonError: there is none of that name.
    """
    if name not in SCENES:
        raise LessonError(f"there is no scene {name!r}; the scenes are {', '.join(SCENES)}")
    return SCENES[name]
