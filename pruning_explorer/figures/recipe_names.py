"""What a recipe of a comparison is called: its letter, and its name as far as there is room."""

from collections.abc import Sequence

from pruning_explorer.figures.colours import recipe_look


def recipe_label(position: int, name: str) -> str:
    """A recipe's letter and name as plain text.

    >>> recipe_label(1, "Magnitude, global")
    'B · Magnitude, global'
    """
    return f"{recipe_look(position).letter} · {name}"


def short_label(position: int, names: Sequence[str], longest: int) -> str:
    """A recipe's letter and a name of at most ``longest`` characters, as plain text.

    What a long name begins with like another one goes first: it is the end that tells the two apart.

    >>> short_label(1, ["Magnitude", "Magnitude, 4×1 blocks"], 12), short_label(0, ["Gradient × weight"], 12)
    ('B · … 4×1 blocks', 'A · Gradient × …')
    """
    name = names[position]
    others = [other.split(", ")[0] for place, other in enumerate(names) if place != position]
    first, _, rest = name.partition(", ")
    if len(name) > longest and rest and first in others:
        name = f"… {rest}"
    if len(name) > longest:
        name = f"{name[: longest - 1]}…"
    return recipe_label(position, name)
