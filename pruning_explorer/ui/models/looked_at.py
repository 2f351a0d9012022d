"""Which network the Models page shows in detail."""

from pruning_explorer.ui.session import Key

LOOKED_AT = Key[str | None]("model_looked_at", None)
_NEXT = Key[str | None]("look_at_next", None)


def look_at(name: str) -> None:
    """Show this one from the next run on; its select box may be drawn already in this one."""
    _NEXT.set(name)


def take_next() -> None:
    """Take over what :func:`look_at` asked for; to be called before the select box is drawn."""
    if (name := _NEXT.pop()) is not None:
        LOOKED_AT.set(name)
