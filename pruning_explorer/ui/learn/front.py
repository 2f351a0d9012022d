"""A button that prints the page as a hand-out; PageUp and PageDown, which a presenter's clicker sends; and the way back
to the top when a leaf is turned.
"""

from pathlib import Path

from pruning_explorer.ui.browser import declare_component

_HERE = Path(__file__)
_BUTTON = '<button type="button" class="print"></button>'
_FRONT = declare_component("front", _HERE.with_suffix(".js"), html=_BUTTON, css=(_HERE.with_suffix(".css"),))


def draw_front(*, leaf: str, label: str, help: str, clicker: bool) -> None:
    """The button that prints.

    Args:
        leaf: what is shown; when it is another one, the page is scrolled to its top.
        label: of the button.
        help: what it does, in a sentence.
        clicker: whether PageDown and PageUp press the buttons with the keys ``learn_next`` and ``learn_previous``.
    """
    _FRONT(key="learn_front", data={"leaf": leaf, "label": label, "help": help, "clicker": clicker})
