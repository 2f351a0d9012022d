"""One small matrix as numbers: what goes, in which order, and what ``torch.nn.utils.prune`` leaves on the module."""

from dataclasses import replace
from functools import partial

import numpy as np

from pruning_explorer.figures.numbers import count, percent
from pruning_explorer.lessons.amounts import AMOUNT, AMOUNT_SLIDER, AMOUNTS, leaves_by_amount
from pruning_explorer.lessons.panels import Code, Figure, Figures, Matrix, attribute_in_code
from pruning_explorer.lessons.scene import Scene, Stage, Values
from pruning_explorer.lessons.small_matrix import first_matrix
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

DIGITS = 3
"""Digits after the decimal point; with two, a small weight would read 0.00 as if it were removed."""


def _build(subject: Subject, values: Values) -> Stage:
    target = first_matrix(subject)
    recipe = Recipe(targets=(target.name,))
    ranked = rank_targets(subject, recipe)
    leaves, gone = leaves_by_amount(ranked)[0], ranked.removed_at(AMOUNTS)[:, 0].tolist()
    weight = subject.weight(target.name).detach().numpy()
    rows, columns = target.shape
    matrix = partial(
        Matrix,
        digits=DIGITS,
        row_names=tuple(f"out {i}" for i in range(rows)),
        column_names=tuple(f"in {i}" for i in range(columns)),
    )
    per_row = (leaves[None] <= np.arange(len(AMOUNTS))[:, None, None]).sum(axis=2)
    name = target.name.rpartition(".")[2]
    layer = attribute_in_code("model", target.module)
    left = ", ".join(attribute_in_code(layer, each) for each in (f"{name}_orig", f"{name}_mask", name))
    removed, kept = tuple(map(count, gone)), tuple(count(target.numel - each) for each in gone)
    sparsity, shape = tuple(percent(each / target.numel) for each in gone), f"{rows} × {columns}"
    facts: dict[str, str | tuple[str, ...]] = {
        "weights": count(target.numel),
        "shape": shape,
        "rows": count(rows),
        "columns": count(columns),
        "removed": removed,
        "kept": kept,
        "sparsity": sparsity,
        "per_row": tuple(", ".join(map(str, each)) for each in per_row.tolist()),
    }
    return Stage(
        AMOUNT_SLIDER,
        (
            Figures(
                (
                    Figure("Removed", removed, f"Of {target.numel} weights, counted over the whole matrix."),
                    Figure("Kept", kept),
                    Figure("Sparsity", sparsity, "Achieved: removed ÷ all. Requested is the slider."),
                    Figure("Shape", (shape,), "It never changes."),
                )
            ),
            matrix("weight_orig", weight, leaves, "struck", note="What it was: still there, and still stored."),
            matrix("weight_mask", weight, leaves, "mask", note="The same shape: 1 is kept, 0 removed."),
            matrix("weight", weight, leaves, "zeroed", note="What the layer computes with: the product of both."),
            Code(
                "The same in torch",
                tuple(
                    "from torch.nn.utils import prune\n"
                    f"prune.l1_unstructured({layer}, {name!r}, amount={amount!r})\n"
                    f"{left}"
                    for amount in AMOUNTS
                ),
            ),
        ),
        facts,
        lambda stop: replace(recipe, amount=AMOUNTS[stop]),
    )


MASK_BY_HAND = Scene(
    "mask_by_hand",
    "The first weight matrix of a small network as numbers; the smallest are struck out, one by one.",
    _build,
    {
        "weights": "how many the matrix has",
        "shape": "rows × columns",
        "rows": "how many, one per output",
        "columns": "how many, one per input",
        "removed": "weights removed",
        "kept": "weights kept",
        "sparsity": "removed ÷ all, in percent",
        "per_row": "weights removed in each row, separated by commas",
    },
    "tutorial-mlp",
    AMOUNT,
)
