"""What to say of a file whose weights lie in objects of its author's classes, and the two lines that help."""

from collections.abc import Iterable, Iterator
from typing import Any

from pruning_explorer.sources.checkpoints.stored_tensors import ELSEWHERE, Built, SpecialTensor, StoredTensor

LINES = "torch.load({label!r}, map_location='cpu', weights_only=False)"
LINES_PICKLE = "__import__('pickle').load(open({label!r}, 'rb'))"
NODES_MOST = 100_000


def refuse_whole_objects(label: str, names: Iterable[str], content: Any, *, pickled: bool = False) -> str:
    """What to say of a file that holds objects, with the lines that save its weights alone where these can be found.

    Args:
        label: what to call the file.
        names: of the classes that it names.
        content: what was saved.
        pickled: whether it is a plain pickle and not one of ``torch.save``.
    """
    named = list(names)
    listed = ", ".join(named[:6]) + (f" and {len(named) - 6} more" if len(named) > 6 else "")
    said = f"{label} is a pickle of Python objects ({listed or 'unnamed'}), which would run code of its author, so it "
    places = list(_weights_in(content))
    found = next((each for each in places if each[1]), places[0] if places else None)
    if found is None:
        return f"{said}is not opened, and no weights are seen in it; save the state_dict of the network with torch.save"
    place, is_module = found
    name = "checkpoint" if place or not is_module else "model"
    loaded = (LINES_PICKLE if pickled else LINES).format(label=label)
    weights = f"{name}{place}{'.state_dict()' if is_module else ''}"
    return (
        f"{said}is not opened; where you trust it and have its classes, save its weights alone:\n"
        f'{name} = {loaded}\ntorch.save({weights}, "weights.pt")'
    )


def is_module(value: Any) -> bool:
    """Whether it would have become a module of torch: its attributes are a module's."""
    if not isinstance(value, Built):
        return False
    told = (value.state, *value.arguments)
    return any(isinstance(each, dict) and "_parameters" in each and "_modules" in each for each in told)


def holds_module(content: Any) -> bool:
    """Whether a module lies in it anywhere."""
    return any(module for _, module in _weights_in(content))


def _weights_in(content: Any) -> Iterator[tuple[str, bool]]:
    """Where modules and dicts of tensors lie, as Python writes it behind a name; and whether each is a module."""
    level: list[tuple[str, Any]] = [("", content)]
    seen: set[int] = set()
    while level and len(seen) < NODES_MOST:
        below: list[tuple[str, Any]] = []
        for place, each in level:
            if id(each) in seen:
                continue
            seen.add(id(each))
            if is_module(each):
                yield place, True
                continue
            parts = list(_parts(each))
            if not isinstance(each, list | tuple) and any(
                _is_tensor(inner) and step.startswith("['") for step, inner in parts
            ):
                yield place, False
            below += [
                (place + step, inner)
                for step, inner in parts
                if len(place) < 300 and isinstance(inner, dict | list | tuple | Built)
            ]
        level = below


def _is_tensor(value: Any) -> bool:
    # A plain pickle holds the storage of each in a file of torch's of its own
    return isinstance(value, StoredTensor) or (isinstance(value, SpecialTensor) and value.kind == ELSEWHERE)


def _parts(holder: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(holder, Built):
        if isinstance(holder.state, dict):
            for name, each in holder.state.items():
                if type(name) is str and name.isidentifier():
                    yield f".{name}", each
        holder = holder.items
    if isinstance(holder, dict):
        for key, each in holder.items():
            if type(key) in (str, int) and len(str(key)) < 100:
                yield f"[{key!r}]", each
    elif isinstance(holder, list | tuple):
        for place, each in enumerate(holder[:1000]):
            yield f"[{place}]", each
