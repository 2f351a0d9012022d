"""Words that several controls say alike."""

from collections.abc import Mapping
from typing import Protocol


class Told(Protocol):
    """A choice that a person is told about."""

    @property
    def title(self) -> str:
        """Two or three words."""

    @property
    def help(self) -> str:
        """One sentence on what it does."""


def explained(choices: Mapping[str, Told]) -> str:
    """A list of what each choice does, as markdown."""
    return "\n".join(f"- **{each.title}**: {each.help}" for each in choices.values())
