"""Labels of a comparison's recipes: the letter, and the name, shortened where there is little space."""

from collections.abc import Sequence

import pandas as pd

from pruning_explorer.figures.colours import recipe_look


def recipe_label(position: int, name: str) -> str:
    """A recipe's letter and name as plain text.

    >>> recipe_label(1, "Magnitude, global")
    'B · Magnitude, global'
    """
    return f"{recipe_look(position).letter} · {name}"


def with_labels(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The same table with each recipe's label in ``recipe``, in place of its position."""
    labels = dict(enumerate(recipe_label(position, name) for position, name in enumerate(names)))
    return frame.assign(recipe=frame["recipe"].map(labels))


def short_label(position: int, names: Sequence[str], longest: int) -> str:
    """A recipe's letter and a name of at most ``longest`` characters, as plain text.

    A name that is too long goes without the parts that all recipes share; where it would then begin as another one
    does, its end is kept.

    >>> short_label(1, ["Magnitude", "Magnitude, 4×1 blocks"], 12), short_label(0, ["Gradient × weight"], 12)
    ('B · … 4×1 blocks', 'A · Gradient × …')
    """
    parts = [name.split(", ") for name in names]
    shared = set.intersection(*map(set, parts)) if len(names) > 1 else set()
    shorter = [", ".join(part for part in each if part not in shared) or names[i] for i, each in enumerate(parts)]
    name = names[position]
    if len(name) > longest:
        # All but what every recipe says; behind that, whatever the name begins with is missed
        begins_alike = parts[position][0] in shared and shorter[position] != name
        name = f"… {shorter[position]}" if begins_alike else shorter[position]
    if len(name) > longest:
        others = [other for i, other in enumerate(shorter) if i != position]
        alike = any(name.startswith(other) or other.startswith(name[: longest - 1]) for other in others)
        head = longest // 3 if alike else longest - 1
        name = f"{name[:head]}…{name[len(name) - (longest - 1 - head) :]}"
    return recipe_label(position, name)
