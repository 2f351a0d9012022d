"""The address of a comparison: the network, and every recipe in the words of Explore's own address.

``?subject=digits-cnn&recipe=amount=0.8&recipe=name=All together%26scope=global%26amount=0.8``
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui.address import read_address, read_subject, write_address
from pruning_explorer.ui.compare.columns import LETTERS, MOST, Column
from pruning_explorer.ui.query import COMPARE, Asked, Query

LONGEST_NAME = 60


@dataclass(frozen=True)
class ComparisonAddress:
    """What an address asks for, made good where it could not be read.

    Attributes:
        recipes: their names (empty: from the recipe) and contents, as many as it has, at most four.
        problems: one sentence for each thing that was wrong, and what is shown instead.
    """

    subject: Subject
    recipes: tuple[tuple[str, Recipe], ...]
    problems: tuple[str, ...]


def write_comparison(subject: Subject, columns: Sequence[Column]) -> dict[str, list[str]]:
    """Query parameters of a comparison."""
    return {"subject": [subject.name], "recipe": [_write(subject, column) for column in columns]}


def read_comparison(query: Query) -> ComparisonAddress:
    """Read what :func:`write_comparison` wrote, or somebody typed."""
    asked = Asked(query, COMPARE)
    asked.ignore_others()
    texts = asked.every("recipe")
    if len(texts) > MOST:
        asked.problems.append(f"it has {len(texts)} recipes; the first {MOST} are shown")
    subject = read_subject(asked)
    recipes = []
    for letter, text in zip(LETTERS, texts, strict=False):
        parts = parse_qs(text, keep_blank_values=True)
        name = " ".join(parts.pop("name", [""])[-1].split())[:LONGEST_NAME]
        for stray in {"subject", "layer"} & set(parts):
            asked.problems.append(
                f"recipe {letter} has a part “{stray}”, which belongs to the whole address; it was ignored"
            )
            del parts[stray]
        read = read_address({**parts, "subject": [subject.name]})
        asked.problems += [f"recipe {letter}: {problem}" for problem in read.problems]
        recipes.append((name, read.recipe))
    return ComparisonAddress(subject, tuple(recipes), tuple(dict.fromkeys(asked.problems)))


def _write(subject: Subject, column: Column) -> str:
    parts = write_address(subject, column.recipe, None)
    del parts["subject"]
    named = {"name": [column.own_name]} if column.own_name else {}
    # The plainest recipe has nothing to say; an empty value would vanish from the address
    return urlencode({**named, **parts} or {"amount": [str(column.recipe.amount)]}, doseq=True, safe=":,")
