"""The parts that the addresses of the pages have, and how they are read."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.prune.recipe_settings import SETTINGS

Query = Mapping[str, Sequence[str]]
"""The parts of an address with all their values, in order."""

EXPLORE = frozenset({"subject", *SETTINGS, "target", "freeze", "layer_amount", "layer"})
COMPARE = frozenset({"subject", "recipe"})
LEARN = frozenset({"lesson", "view", "word", "present"})
"""Parts of Learn's address other than those of an open lesson: its slider, its knobs and its network."""
MODELS = frozenset({"model"})
OF_ANY_PAGE = frozenset({"trace", "embed", "embed_options"})


class Asked:
    """What an address asks for, part by part.

    Attributes:
        others: parts that no address of this page has.
        problems: one sentence for each thing that was wrong, and what is shown instead.
    """

    def __init__(self, query: Query, parts: Collection[str]) -> None:
        """Read an address that may have ``parts``."""
        self._query = query
        self.others = [name for name in query if name not in parts and name not in OF_ANY_PAGE]
        self.problems: list[str] = []

    def every(self, part: str) -> Sequence[str]:
        """The values of a part that is a list; none where the address lacks it."""
        return self._query.get(part, ())

    def last(self, part: str) -> str | None:
        """The value of any other part, of which the last counts; None where the address lacks it."""
        values = self.every(part)
        return values[-1] if values else None

    def ignore_others(self) -> None:
        """Note the parts that are unknown here."""
        self.problems += [f"it has an unknown part “{name}”, which was ignored" for name in self.others]

    @contextmanager
    def noting(self, before: str = "", after: str = "") -> Iterator[None]:
        """Go on where something cannot be read, and note why, with what stands before and after it."""
        try:
            yield
        except PruningExplorerError as error:
            self.problems.append(f"{before}{error}{after}")
