"""The one matrix of a small network that is written out as numbers."""

from pruning_explorer.errors import LessonError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

LARGEST = 512
"""Most weights of a matrix whose values are written as numbers."""


def first_matrix(subject: Subject) -> Target:
    """The first weight matrix of a network.

    Raises:
        LessonError: it has none, or it has more weights than can be read.
    """
    target = next((each for each in subject.targets if each.role == "weight" and len(each.shape) == 2), None)
    if target is None or target.numel > LARGEST:
        raise LessonError(
            f"the first matrix of {subject.name} is too large to be written out; choose a network whose first layer "
            f"has at most {LARGEST} weights"
        )
    return target
