"""Which classes and functions a pickle of plain tensors names, and what to say of one that names others."""

import pickletools
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

import torch

from pruning_explorer.sources.checkpoints.stored_tensors import Named, SpecialTensorError

SPECIAL = {
    "_rebuild_sparse_tensor": "sparse",
    "_rebuild_qtensor": "quantised",
    "_rebuild_nested_tensor": "nested",
    "_rebuild_wrapper_subclass": "wrapped",
    "_rebuild_from_type_v2": "subclassed",
}
CALLS = frozenset(
    (
        "collections.OrderedDict",
        "collections.Counter",
        "builtins.set",
        "__builtin__.set",
        "_codecs.encode",
        "torch.Size",
        "torch.device",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_meta_tensor_no_storage",
        "torch.storage.UntypedStorage",
    )
)


class UnknownClassError(Exception):
    """The pickle names a class that no plain tensor needs."""


def known_class(name: str) -> Named:
    """A class or function by its full name.

    Raises:
        UnknownClassError, SpecialTensorError: no plain tensor needs it.
    """
    module, _, leaf = name.rpartition(".")
    if module in ("torch._utils", "torch._tensor") and leaf in SPECIAL:
        raise SpecialTensorError(SPECIAL[leaf])
    dtype = module == "torch" and isinstance(getattr(torch, leaf, None), torch.dtype)
    storage = module == "torch" and leaf.endswith("Storage")
    if name not in CALLS and not dtype and not storage:
        raise UnknownClassError
    return Named(name)


def named_classes(file: BytesIO, start: int) -> list[str]:
    """Every class and function that a pickle names and torch would not build, the first ones first."""
    file.seek(start)
    found: dict[str, None] = {}
    try:
        for name in _names(pickletools.genops(file)):
            try:
                known_class(name)
            except (UnknownClassError, SpecialTensorError):
                found["".join(c if c.isprintable() else "?" for c in name[:80])] = None
            if len(found) > 1000:
                break
    except (ValueError, IndexError):
        pass  # the names up to where it breaks off are worth saying
    return list(found)


def _names(operations: Iterable[tuple[Any, Any, Any]]) -> Iterator[str]:
    texts: list[str] = []
    for operation, argument, _ in operations:
        if operation.name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".", 1)
        elif operation.name == "STACK_GLOBAL":
            yield ".".join(texts[-2:])
        elif operation.name.startswith("EXT"):
            yield f"extension {argument}"
        elif isinstance(argument, str):
            texts = [*texts[-1:], argument]


def refuse_whole_objects(label: str, names: list[str]) -> str:
    """What to say of a file whose pickle names these."""
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return (
        f"{label} is a pickle of Python objects ({shown or 'unnamed'}), which would run code of its author, so it is "
        "not opened; where you trust it and have its classes, save its weights alone:\n"
        f"model = torch.load({label!r}, weights_only=False)\n"
        'torch.save(model.state_dict(), "weights.pt")'
    )
