"""What a run of the script puts on a page."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.Block_pb2 import Block
from streamlit.proto.Element_pb2 import Element

Path = tuple[int, ...]
ASKS = "pruning_explorer_look_again"


@dataclass(frozen=True)
class Asking:
    """A part of the page that asks for another look.

    Attributes:
        trigger: id of the widget that does.
        seconds: of rest before it does.
        run: what it says beside it.
        look: its number, which the next has not.
    """

    trigger: str
    fragment: str
    seconds: float
    run: int
    look: int


@dataclass
class Run:
    """What one whole run of the script drew.

    Attributes:
        elements, blocks: by their place on the page, with all that its fragments drew since.
        fragments: which fragment drew what stands at a place; empty for the script itself.
        query: the address as it stood when the run ended.
        ended: on this process's clock; None while it goes on.
    """

    number: int
    query: dict[str, list[str]] = field(default_factory=dict)
    elements: dict[Path, Element] = field(default_factory=dict)
    blocks: dict[Path, Block] = field(default_factory=dict)
    fragments: dict[Path, str] = field(default_factory=dict)
    ended: float | None = None

    def all(self, kind: str) -> list[Any]:
        """Elements of a kind, ``"metric"``, top to bottom."""
        found = [(path, element) for path, element in self.elements.items() if element.WhichOneof("type") == kind]
        return [getattr(element, kind) for _, element in sorted(found, key=lambda each: each[0])]

    def widget(self, key: str) -> str:
        """The id of the widget with that key; of controlled widgets, whose keys end in a number, of the newest."""
        widgets = self.widgets()
        if key in widgets:
            return widgets[key]
        numbers = [
            int(each.removeprefix(f"{key}-")) for each in widgets if re.fullmatch(rf"{re.escape(key)}-\d+", each)
        ]
        return widgets[f"{key}-{max(numbers)}"]

    def has(self, key: str) -> bool:
        """Whether there is a widget with that key."""
        return key in self.widgets()

    def widgets(self) -> dict[str, str]:
        """Ids of all widgets by their keys."""
        parts = [getattr(each, each.WhichOneof("type")) for each in self.elements.values()]
        parts += [part for block in self.blocks.values() for part in _widgets_of(block)]
        ids = [each.id for each in parts if getattr(each, "id", "").startswith("$$ID-")]
        return {each.split("-", 2)[2]: each for each in ids}

    def drop_stale(self, fragments: Iterable[str], fresh: set[Path]) -> None:
        """Drop what these fragments have not drawn again."""
        for path, fragment in list(self.fragments.items()):
            if fragment in fragments and path not in fresh:
                self.elements.pop(path, None)
                self.blocks.pop(path, None)
                del self.fragments[path]

    def asking(self) -> list[Asking]:
        """Parts that ask for another look."""
        found = []
        for path, element in self.elements.items():
            component = element.bidi_component
            if component.component_name == ASKS:
                said = json.loads(component.json)
                trigger = f"$$STREAMLIT_INTERNAL_KEY_{component.id}__events"
                found.append(Asking(trigger, self.fragments[path], said["seconds"], said["run"], said["look"]))
        return found


def _widgets_of(block: Block) -> list[Any]:
    kind = block.WhichOneof("type")
    part = getattr(block, kind) if kind else None
    return [each for each in (part, block) if getattr(each, "id", "")]
