"""What a network is made of, before anything is pruned."""

from dataclasses import dataclass

import pandas as pd

from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import is_lazy

COLUMNS = ["parameter", "layer_type", "role", "shape", "weights", "dtype", "offered", "why_not"]


@dataclass(frozen=True)
class Inventory:
    """A network's parameters, counted. Nothing of their values is read.

    Attributes:
        table: :func:`layer_table`.
        parameters: numbers in all of them; a tied tensor counts once, and a buffer is none.
        nbytes: their size in memory, or in the file that they are mapped from.
        layers: how many weights can be pruned; embeddings, biases and norms are left out.
        dtypes: of the parameters, the commonest first: ``("float32", "int64")``.
    """

    table: pd.DataFrame
    parameters: int
    nbytes: int
    layers: int
    dtypes: tuple[str, ...]


def take_inventory(subject: Subject) -> Inventory:
    """Count a subject's parameters."""
    table = layer_table(subject)
    tensors = [each for each in subject.model.parameters() if not is_lazy(each)]
    by_dtype: dict[str, int] = {}
    for tensor in tensors:
        name = str(tensor.dtype).removeprefix("torch.")
        by_dtype[name] = by_dtype.get(name, 0) + tensor.numel()
    return Inventory(
        table,
        sum(tensor.numel() for tensor in tensors),
        sum(tensor.nbytes for tensor in tensors),
        int(((table["role"] == "weight") & table["offered"]).sum()),
        tuple(sorted(by_dtype, key=lambda name: -by_dtype[name])),
    )


def layer_table(subject: Subject) -> pd.DataFrame:
    """One row per parameter, those that can be pruned first, each part in the network's order.

    Columns: ``parameter`` (name), ``layer_type``, ``role`` (``"weight"``, ``"embedding"``, ``"bias"``, ``"norm"``),
    ``shape`` (``"16x8x3x3"``), ``weights`` (count), ``dtype``, ``offered`` (bool), ``why_not`` (empty where it is
    offered). Of a parameter that is not offered the type and role are empty.
    """
    rows: list[tuple[object, ...]] = [
        (t.name, t.layer_type, t.role, _shape(t.shape), t.numel, _dtype(t.dtype), True, "")
        for t in subject.targets
        if t.role != "other"
    ]
    parameters = dict(subject.model.named_buffers()) | dict(subject.model.named_parameters())
    for name, reason in subject.refused.items():
        # Under prune's hooks the parameter is weight_orig; what torch packed for whole numbers is none at all
        tensor = parameters.get(name, parameters.get(f"{name}_orig"))
        shape, count, dtype = "", 0, "" if tensor is None else _dtype(tensor.dtype)
        if tensor is not None and not is_lazy(tensor):
            shape, count = _shape(tuple(tensor.shape)), tensor.numel()
        rows.append((name, "", "", shape, count, dtype, False, reason))
    return pd.DataFrame(rows, columns=COLUMNS)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _dtype(dtype: object) -> str:
    return str(dtype).removeprefix("torch.")
