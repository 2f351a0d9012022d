"""What is said of a checkpoint: what it holds, and what was done to it before."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pruning_explorer.sources.checkpoints.earlier_pruning import EarlierPruning
from pruning_explorer.sources.checkpoints.quantised import Quantised
from pruning_explorer.sources.checkpoints.shards import shown
from pruning_explorer.sources.checkpoints.stored_weights import StoredWeights

ZEROS_AMONG = 1 << 26
"""Weights among which zeros are looked for when a file is opened."""
MANY_ZEROS = 0.01
"""Share of zeros from which on they are told: no network learns so many."""


def kinds_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """How many there are, and of which dtypes: ``"12 tensors of float32 and int64"``."""
    counts: dict[str, int] = {}
    for tensor in tensors.values():
        dtype = str(tensor.dtype).removeprefix("torch.")
        counts[dtype] = counts.get(dtype, 0) + 1
    dtypes = " and ".join(sorted(counts, key=lambda dtype: -counts[dtype])[:4])
    return f"{len(tensors):,} {'tensor' if len(tensors) == 1 else 'tensors'} of {dtypes}"


def earlier_work(tensors: Mapping[str, Tensor], earlier: EarlierPruning, quantised: Quantised) -> list[str]:
    """Sentences on masks, zeros and quantisation that a file came with.

    Args:
        tensors: by name, once masks are folded and whole numbers with scales are computed.
    """
    said = []
    if earlier.names:
        layers = "one parameter" if len(earlier.names) == 1 else f"{len(earlier.names):,} parameters"
        share = earlier.zeros / max(earlier.weights, 1)
        said.append(
            f"It came pruned ({', '.join(earlier.tools)}): masks of {layers} remove {share:.1%} of their "
            f"{earlier.weights:,} weights."
        )
    if quantised.sparse:
        said.append(f"It came pruned: {_schemes(quantised.sparse)}; the zeros that were left out are in their places.")
    said += _zeros(tensors, earlier.names)
    if quantised.expanded:
        said.append(
            f"It came quantised: {_schemes(quantised.expanded)}; these are computed, and shown as the numbers that "
            "they stand for."
        )
    if quantised.left:
        said.append(f"It came quantised: {_schemes(quantised.left)}; these are left as they are, and cannot be pruned.")
    return said


def what_is_not_shown(read: StoredWeights, label: str, key: str | None) -> list[str]:
    """Sentences on what else is in a file, and how to open it."""
    said = []
    if read.refused:
        one = "One tensor is" if len(read.refused) == 1 else f"{len(read.refused):,} tensors are"
        said.append(f"{one} not read; the reason stands beside each.")
    if read.aside:
        said.append(f"What else is in the file is left aside: {_listed(list(map(shown, read.aside)))}.")
    said += read.notes
    others = [shown(each) for each in read.names if each != (key or read.opened)]
    if others:
        said.append(f"It holds other networks, too ({_listed(others)}): {label}#{others[0]} opens one.")
    return said


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (" and others" if len(names) > 6 else "")


def _schemes(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{'one weight' if n == 1 else f'{n:,} weights'} ({scheme})" for scheme, n in counts.items())


def _zeros(tensors: Mapping[str, Tensor], masked: Sequence[str]) -> list[str]:
    """What is zero among the weights that came without a mask, where it is much; of large ones a part is looked at."""
    weights = [
        each
        for name, each in tensors.items()
        if each.is_floating_point() and each.dtype.itemsize > 1 and each.dim() > 1
        if not each.is_meta and name not in masked
    ]
    most = ZEROS_AMONG // max(len(weights), 1)
    looked_at = zeros = 0
    for each in weights:
        rows = each[: max(1, most // max(each[:1].numel(), 1))]
        looked_at += rows.numel()
        zeros += rows.numel() - int(torch.count_nonzero(rows))
    if zeros < MANY_ZEROS * looked_at or not looked_at:
        return []
    whole = looked_at == sum(each.numel() for each in weights)
    return [f"{zeros / looked_at:.1%} of its weights are zero{'' if whole else ', as far as was looked'}."]
