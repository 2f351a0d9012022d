"""Agreement of masks: which weights several recipes keep, beside what chance would give."""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from pruning_explorer.errors import MaskError
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.targets import Target

COLUMNS = ["target", "a", "b", "jaccard", "chance", "weights"]


def mask_agreement(masks: Sequence[Masks | None]) -> pd.DataFrame:
    """How far each two of several masks keep the same weights, over all layers and layer by layer.

    Columns:
        - ``target``: ``"all"`` first, then each that both prune; what only one of them prunes is not compared.
        - ``a``, ``b``: positions in ``masks``, a < b.
        - ``jaccard``: weights that both keep / weights that either keeps, in [0, 1] (Jaccard 1912); NaN where both
          keep nothing, or where there is nothing to compare.
        - ``chance``: the same of masks that keep as many weights of each layer, drawn independently: of n weights, a
          and b kept, (a b / n) / (a + b - a b / n), the ratio of the expected counts.
        - ``weights``: how many were compared.

    Args:
        masks: of one subject; None where a recipe has none, which leaves its position out.

    Raises:
        MaskError: two masks of one target have different shapes: they are of different subjects.
    """
    pairs = [
        (a, b, first, second)
        for (a, first), (b, second) in combinations(enumerate(masks), 2)
        if first is not None and second is not None
    ]
    rows: list[tuple[str, int, int, float, float, int]] = []
    alls: list[tuple[str, int, int, float, float, int]] = []
    for a, b, first, second in pairs:
        counts = {target.name: _counts(target, first, second) for target in first.targets if target.name in second}
        total = np.array(list(counts.values()), dtype=np.float64).reshape(-1, 3)
        weights = sum(target.numel for target in first.targets if target.name in second)
        alls.append(("all", a, b, *_ratios(*total.sum(axis=0)), weights))
        rows.extend(
            (target.name, a, b, *_ratios(*counts[target.name]), target.numel)
            for target in first.targets
            if target.name in second
        )
    return pd.DataFrame([*alls, *rows], columns=COLUMNS)


def _counts(target: Target, first: Masks, second: Masks) -> tuple[float, float, float]:
    """Kept by both, kept by both if drawn by chance, and the kept of one and of the other together."""
    left, right = first[target.name], second[target.name]
    if left.shape != right.shape:
        raise MaskError(
            f"the masks of {target.name} have shapes {tuple(left.shape)} and {tuple(right.shape)}; "
            "compare masks of one network"
        )
    a, b = first.kept(target.name), second.kept(target.name)
    both = int(np.count_nonzero(left.cpu().numpy() & right.cpu().numpy()))
    return both, a * b / target.numel, a + b


def _ratios(both: float, expected: float, together: float) -> tuple[float, float]:
    if together == 0:
        return math.nan, math.nan
    return float(both / (together - both)), float(expected / (together - expected))
