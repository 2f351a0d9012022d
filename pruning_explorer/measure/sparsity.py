"""Sparsity: how many weights go, layer by layer and in all, beside what was asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import Target, is_lazy

PIECE = 1 << 18
"""Weights examined at once; a copy of all of them would need too much memory."""
FEW_ZEROS = 32
"""The positions of zeros are remembered where at most one weight in so many is zero."""


@dataclass(frozen=True)
class _DenseCounts:
    """Counts over all parameters of a dense network: how many, and how many are not zero (None if unknown)."""

    parameters: int
    nonzero: int | None


@dataclass(frozen=True)
class _Zeros:
    """The zeros of one dense target: how many, and their flat indices unless they are too many to remember."""

    count: int
    places: NDArray[np.int64] | None

    @property
    def nbytes(self) -> int:
        return 64 + (0 if self.places is None else self.places.nbytes)


_DENSE_COUNTS: SubjectCache[_DenseCounts] = SubjectCache(1 << 20, lambda _: 100, "parameter counts")
_ZEROS: ByteBoundedCache[_Zeros] = ByteBoundedCache(64 << 20, "zeros of dense layers")


def layer_sparsity(subject: Subject, masks: Masks) -> pd.DataFrame:
    """One row per target in ``masks``.

    Columns:
        - ``target``, ``layer_type``, ``role``, ``shape`` (``"16x8x3x3"``).
        - ``weights``, ``kept``, ``removed``: counts.
        - ``requested``: fraction asked of this target; NaN where it was ranked together with others, or made by hand.
        - ``achieved``: fraction removed, in [0, 1]; rounding, ties and groups make it differ from ``requested``.
        - ``channels``: output channels (a gate's row in a recurrent layer, a token in an embedding); 0 for targets of
          one dim.
        - ``dead_channels``: those of them that have lost all their weights. Such a channel's output is constant, which
          need not be zero: a bias that is kept, or a BatchNorm behind it, can still give it a value. A gate's row takes
          nothing from the inputs then, or nothing from the states, and still varies by the other.
    """
    return pd.DataFrame([_row(target, masks) for target in masks.targets], columns=_COLUMNS)


_COLUMNS = [
    "target",
    "layer_type",
    "role",
    "shape",
    "weights",
    "kept",
    "removed",
    "requested",
    "achieved",
    "channels",
    "dead_channels",
]


def sparsity_totals(subject: Subject, masks: Masks) -> dict[str, float | int | None]:
    """Sparsity over all targets in ``masks``, and over the whole network.

    Keys: ``targets``, ``weights``, ``kept``, ``removed``, ``dead_channels`` (counts, over the masked targets);
    ``requested`` (fraction asked of them; None for masks made by hand), ``achieved`` (fraction of them removed; None
    where there is no mask); ``achieved_of_weights`` (of all weights that can be pruned, biases and norm layers left
    out), ``achieved_of_all`` (of all parameters, these and those that cannot be pruned in); ``parameters``;
    ``nonzero_parameters`` (after pruning; zeros that the dense network has do not count) and
    ``nonzero_parameters_dense`` (before), None where a parameter has no values, or where only the weights of a network
    are known: of a checkpoint no layer is read but those that are looked at.
    """
    counts = _DENSE_COUNTS.get(subject, lambda: _count_dense(subject))
    kept = {target.name: masks.kept(target.name) for target in masks.targets}
    weights = sum(target.numel for target in masks.targets)
    removed = weights - sum(kept.values())
    removed_weights = sum(target.numel - kept[target.name] for target in masks.targets if target.is_weight)
    all_weights = sum(target.numel for target in subject.targets if target.is_weight)
    nonzero = counts.nonzero
    if nonzero is not None:
        nonzero -= sum(
            _removed_nonzero(subject, target, masks[target.name], kept[target.name]) for target in masks.targets
        )
    return {
        "targets": len(masks.targets),
        "weights": weights,
        "kept": weights - removed,
        "removed": removed,
        "requested": masks.requested_total,
        "achieved": removed / weights if weights else None,
        "achieved_of_weights": removed_weights / all_weights if all_weights else None,
        "achieved_of_all": removed / counts.parameters,
        "parameters": counts.parameters,
        "nonzero_parameters": nonzero,
        "nonzero_parameters_dense": counts.nonzero,
        "dead_channels": sum(masks.dead_channels(target) for target in masks.targets),
    }


def _row(target: Target, masks: Masks) -> tuple[str | int | float, ...]:
    kept = masks.kept(target.name)
    return (
        target.name,
        target.layer_type,
        target.role,
        "x".join(map(str, target.shape)),
        target.numel,
        kept,
        target.numel - kept,
        masks.requested.get(target.name, math.nan),
        (target.numel - kept) / target.numel,
        target.channels,
        masks.dead_channels(target),
    )


def _count_dense(subject: Subject) -> _DenseCounts:
    parameters = [each for each in subject.model.parameters() if not is_lazy(each)]
    return _DenseCounts(
        sum(each.numel() for each in parameters), _count_nonzero(parameters) if subject.runnable else None
    )


def _count_nonzero(parameters: Sequence[Tensor]) -> int | None:
    nonzero = 0
    for each in parameters:
        if each.is_meta:
            return None
        if each.is_quantized:
            each = each.dequantize()
        elif each.is_floating_point() and each.dtype.itemsize < 2:
            each = each.float()  # torch counts no float8
        try:
            nonzero += int(torch.count_nonzero(each))
        except RuntimeError:  # of a dtype that torch can hold and not count
            return None
    return nonzero


def _removed_nonzero(subject: Subject, target: Target, mask: Tensor, kept: int) -> int:
    zeros = _ZEROS.get((subject.id, target.name), lambda: _find_zeros(subject.weight(target.name)))
    removed = target.numel - kept
    if zeros.count == 0:
        return removed
    flat = mask.reshape(-1).numpy()
    if zeros.places is not None:
        return removed - int(np.count_nonzero(~flat[zeros.places]))
    weight = subject.weight(target.name).reshape(-1)
    parts = (slice(start, start + PIECE) for start in range(0, target.numel, PIECE))
    return sum(int(np.count_nonzero((weight[part] != 0).numpy() & ~flat[part])) for part in parts)


def _find_zeros(weight: Tensor) -> _Zeros:
    flat, most = weight.reshape(-1), weight.numel() // FEW_ZEROS
    found: list[NDArray[np.int64]] = []
    count = 0
    for start in range(0, flat.numel(), PIECE):
        places = np.flatnonzero((flat[start : start + PIECE] == 0).numpy())
        count += places.size
        if count <= most:
            found.append(places + start)
    return _Zeros(count, np.concatenate(found) if found and count <= most else None)
