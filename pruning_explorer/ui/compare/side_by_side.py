"""What the parts of the page share: the recipes' names and what was measured of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pruning_explorer.lab.study import Study
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.subject import Subject


@dataclass(frozen=True)
class SideBySide:
    """Recipes on one subject, from left to right.

    Attributes:
        names: of each.
        studies: of each; None while it is being measured, and where it could not be.
    """

    subject: Subject
    names: Sequence[str]
    studies: Sequence[Study | None]

    @property
    def masks(self) -> list[Masks | None]:
        return [None if study is None else study.masks for study in self.studies]

    @property
    def any(self) -> Study | None:
        """The first that stands."""
        return next((study for study in self.studies if study is not None), None)
