"""What a recipe of a comparison is called: its letter, and its name as far as there is room."""

from pruning_explorer.figures.colours import recipe_look


def recipe_label(position: int, name: str, longest: int | None = None) -> str:
    """A recipe's letter and name as plain text, the name cut to ``longest`` characters.

    >>> recipe_label(0, "magnitude"), recipe_label(1, "magnitude, global, cubic", longest=12)
    ('A · magnitude', 'B · magnitude, …')
    """
    if longest is not None and len(name) > longest:
        name = f"{name[: longest - 1]}…"
    return f"{recipe_look(position).letter} · {name}"
