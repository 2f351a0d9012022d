"""Quantised weights in a file: computed where whole numbers have plain scales, else taken out and named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pruning_explorer.sources.checkpoints.made_tensors import MadeTensors, rows_at_once
from pruning_explorer.sources.checkpoints.quantised_layers import QuantisedLayer, block_of, find_quantised_layers

EXPANDED_MOST = 8 << 30
"""Bytes of weights that are computed from whole numbers and scales, in all; what is beyond stays as it is."""


@dataclass(frozen=True)
class Quantised:
    """What of a file is quantised.

    Attributes:
        refused: weights that stay as they are -> why they cannot be pruned.
        expanded: schemes of the weights that were computed -> how many.
        left: schemes of the others -> how many.
        sparse: schemes of the weights that were stored without their zeros -> how many.
    """

    refused: Mapping[str, str]
    expanded: Mapping[str, int]
    left: Mapping[str, int]
    sparse: Mapping[str, int]

    @property
    def schemes(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple({**self.expanded, **self.left, **self.sparse})


def read_quantised(tensors: Mapping[str, Tensor], label: str) -> tuple[dict[str, Tensor], Quantised]:
    """Put weights in the place of whole numbers with scales, and take out what stays packed.

    Args:
        label: what to call the file they come from.

    Raises:
        SubjectError: the disk has no room for what is computed.
    """
    layers: dict[str, QuantisedLayer] = {}
    taken: set[str] = set()
    for layer in find_quantised_layers({name: each for name, each in tensors.items() if not each.is_meta}):
        free = layer.name in layer.parts or layer.name not in tensors
        if free and layer.name not in layers and not taken.intersection(layer.parts):
            layers[layer.name] = layer
            taken.update(layer.parts)
    room = 0
    expanded: dict[QuantisedLayer, Tensor] = {}
    for layer in layers.values():
        if layer.numbers is not None and room + layer.nbytes <= EXPANDED_MOST:
            room += layer.nbytes
            expanded[layer] = layer.numbers
    made = MadeTensors(room, label, "weights once they are no longer quantised")
    values = {layer.name: _expand(layer, numbers, made) for layer, numbers in expanded.items()}
    order = {name: i for i, name in enumerate(tensors)}
    place = {min(layer.parts, key=order.__getitem__): layer.name for layer in expanded}
    kept: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in place:
            kept[place[name]] = values[place[name]]
        elif name not in taken:
            kept[name] = tensor
    left = [layer for layer in layers.values() if layer.name not in values]
    return kept, Quantised(
        {layer.name: _reason(layer) for layer in left},
        _counted([layer for layer in expanded if layer.bits is None]),
        _counted(left),
        _counted([layer for layer in expanded if layer.bits is not None]),
    )


def _reason(layer: QuantisedLayer) -> str:
    if layer.numbers is not None:
        return (
            f"quantised ({layer.scheme}): more than {EXPANDED_MOST >> 30} GiB of such weights are not computed here; "
            "open part of the file"
        )
    return f"quantised ({layer.scheme}): packed numbers have no magnitude of their own; prune first, and quantise then"


def _counted(layers: Sequence[QuantisedLayer]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for layer in layers:
        counts[layer.scheme] = counts.get(layer.scheme, 0) + 1
    return counts


def _expand(layer: QuantisedLayer, numbers: Tensor, made: MadeTensors) -> Tensor:
    result = made.take(layer.shape, layer.dtype)
    if layer.bits is not None:
        _place(numbers, layer.bits, result)
        return result
    rows = rows_at_once(layer.shape)
    for start in range(0, len(result), rows):
        some = slice(start, min(start + rows, len(result)))
        values = numbers[some].to(torch.float32)
        if layer.zero is not None:
            values -= _spread(layer.zero, layer.shape, some)
        if layer.scale is not None:
            values *= _spread(layer.scale, layer.shape, some) / layer.divisor
        result[some] = values.to(layer.dtype)
    return result


def _spread(scale: Tensor, shape: Sequence[int], rows: slice) -> Tensor:
    """Scales of some rows, each where it belongs."""
    block = block_of(shape, scale.shape)
    if scale.numel() == 1 or block is None:
        return scale.reshape(()).to(torch.float32)
    whole = scale.reshape(-1, *[1] * (len(shape) - 1)) if scale.dim() == 1 else scale
    spread = whole.to(torch.float32)[torch.arange(rows.start, rows.stop) // block[0]]
    for dim, side in enumerate(block[1:], 1):
        if whole.shape[dim] > 1:
            spread = spread.index_select(dim, torch.arange(shape[dim]) // side)
    return spread


def _place(values: Tensor, bits: Tensor, result: Tensor) -> None:
    """Put each value where its bit says; the lowest bit of a byte is the first weight."""
    flat, taken = values.reshape(-1), 0
    rows = rows_at_once(result.shape)
    for start in range(0, len(result), rows):
        some = result[start : start + rows]
        there = np.unpackbits(bits[start : start + rows].numpy(), axis=1, count=result.shape[1], bitorder="little")
        where = torch.from_numpy(there).bool()
        count = int(where.sum())
        some[where] = flat[taken : taken + count]
        taken += count
