"""The first items of a torch dataset, as the tensors that a subject is judged on."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate

from pruning_explorer.errors import SubjectError

MOST_ROWS = 2_000
"""Most samples used of a dataset or a file: enough for an accuracy within 1 %, and quick to run again."""


def collect(data: "Dataset[Any] | DataLoader[Any]") -> tuple[tuple[Tensor, ...], Tensor | None]:
    """Inputs ``[N, ...]``, N at most :data:`MOST_ROWS`, and labels ``[N]`` if its items have any.

    An item, or a loader's batch, is an input, or the inputs and then a label.

    Raises:
        SubjectError: it is empty, or holds something else.
    """
    batches = []
    rows = 0
    for batch in _batches(data):
        tensors = tuple(batch) if isinstance(batch, tuple | list) else (batch,)
        if not all(isinstance(each, Tensor) and each.dim() for each in tensors):
            kinds = ", ".join(type(each).__name__ for each in tensors)
            raise SubjectError(
                f"an item of the dataset holds {kinds}; let it hold tensors: an input, or (input, label)"
            )
        batches.append(tensors)
        rows += len(tensors[0])
        if rows >= MOST_ROWS:
            break
    if not batches:
        raise SubjectError("the dataset is empty; give one with at least one item")
    columns = tuple(torch.cat(column)[:MOST_ROWS] for column in zip(*batches, strict=True))
    return (columns[:-1], columns[-1]) if len(columns) > 1 else (columns, None)


def _batches(data: "Dataset[Any] | DataLoader[Any]") -> Iterator[Any]:
    if isinstance(data, DataLoader):
        yield from data
        return
    if isinstance(data, IterableDataset):
        items = list(islice(iter(data), MOST_ROWS))
    else:
        length = len(data) if hasattr(data, "__len__") else MOST_ROWS
        items = [data[index] for index in range(min(length, MOST_ROWS))]
    if items:
        yield default_collate(items)
