"""Holes in a matrix beside rows that are gone, and what a neuron without weights still says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pruning_explorer.errors import LessonError
from pruning_explorer.figures.numbers import count, decimal
from pruning_explorer.lessons.amounts import AMOUNT, AMOUNT_SLIDER, AMOUNTS, leaves_by_amount
from pruning_explorer.lessons.panels import Matrix, Pictures, Table
from pruning_explorer.lessons.scene import Scene, Stage, Values
from pruning_explorer.lessons.small_matrix import first_matrix
from pruning_explorer.measure.forward import layer_outputs
from pruning_explorer.prune.engine import compute_masks, rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target
from pruning_explorer.sources.samples import load_sample

ROWS = "channel:dim=0,n=2"
NORMALISED = "digits-cnn"
FILTERS, NORM = "conv1.weight", "bn1"
"""In the sample network: the convolution whose filters are shown, and the BatchNorm that follows it."""
BRIGHT = 0.9
"""Fraction of the dense map's values inside the range from black to white; values outside are drawn as black or
white."""

Outputs = NDArray[np.floating]
"""Outputs of one layer for one sample, channels first: ``[C, ...]``."""


@dataclass(frozen=True, eq=False)
class Way:
    """One way of removing, at every stop.

    Attributes:
        removed: weights.
        kept: ``[stops, R, ...]``, bool.
        outputs: what comes out of a layer, for each stop.
    """

    removed: tuple[int, ...]
    kept: NDArray[np.bool_]
    outputs: Sequence[Outputs]

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Rows without a weight, ``[stops, R]``."""
        any_kept: NDArray[np.bool_] = np.any(self.kept.reshape(*self.kept.shape[:2], -1), axis=2)
        return ~any_kept


def _build(subject: Subject, values: Values) -> Stage:
    target = _linear(subject)
    recipe = Recipe(granularity=ROWS, targets=(target.name,))
    single = follow(subject, replace(recipe, granularity="element"), target.module)
    whole = follow(subject, recipe, target.module)
    rows, columns = target.shape
    matrix = partial(
        Matrix,
        values=subject.weight(target.name).detach().numpy(),
        look="zeroed",
        digits=3,
        row_names=tuple(f"out {i}" for i in range(rows)),
        column_names=tuple(f"in {i}" for i in range(columns)),
    )
    leaves = {
        granularity: leaves_by_amount(rank_targets(subject, replace(recipe, granularity=granularity)))[0]
        for granularity in ("element", ROWS)
    }
    pictures, of_filters = _behind_batchnorm()
    return Stage(
        AMOUNT_SLIDER,
        (
            matrix("Single weights", leaves=leaves["element"], note="Holes: a row with one is still a neuron."),
            matrix("Whole neurons", leaves=leaves[ROWS], note="A neuron is a row: all its weights go together."),
            _left(target, single, whole),
            _said(subject, target, single, whole),
            pictures,
        ),
        {**_facts(subject, target, single, whole), **of_filters},
        lambda stop: replace(recipe, amount=AMOUNTS[stop]),
    )


def follow(subject: Subject, recipe: Recipe, module: str) -> Way:
    """What a recipe of one target keeps at every stop, and what a module then gives on all samples."""
    ranked = rank_targets(subject, recipe)
    gone = ranked.removed_at(AMOUNTS)[:, 0]
    outputs: dict[int, Outputs] = {}
    for amount, groups in zip(AMOUNTS, gone.tolist(), strict=True):
        if groups not in outputs:
            masks = compute_masks(subject, replace(recipe, amount=amount))
            outputs[groups] = np.moveaxis(layer_outputs(subject, masks)[module].numpy(), 1, 0)
    return Way(
        tuple(ranked.removed_weights(0, gone).tolist()),
        np.stack([ranked.mask(0, groups).numpy() for groups in gone.tolist()]),
        [outputs[groups] for groups in gone.tolist()],
    )


def constant(output: Outputs) -> float | None:
    """The one value that a channel has on all samples, and at all places; None if it has several."""
    return float(output.flat[0]) if output.min() == output.max() else None


def _linear(subject: Subject) -> Target:
    target = first_matrix(subject)
    outputs = layer_outputs(subject, None).get(target.module)
    if outputs is None or outputs.shape[1:] != target.shape[:1]:
        raise LessonError(
            f"{target.name} does not give one number per row, so its neurons cannot be followed; choose a network "
            "whose first layer is Linear"
        )
    return target


def _left(target: Target, single: Way, whole: Way) -> Table:
    ways, columns = (single, whole), target.shape[1]
    shape = f"{target.shape[0]} × {columns}"
    rows = []
    for stop in range(len(AMOUNTS)):
        empty = [int(way.empty[stop].sum()) for way in ways]
        rows.append(
            (
                ("Weights removed", *(count(way.removed[stop]) for way in ways)),
                ("Rows without a weight", *map(count, empty)),
                ("Shape under the mask", shape, shape),
                ("Shape once empty rows are cut out", *(f"{target.shape[0] - each} × {columns}" for each in empty)),
            )
        )
    return Table("What is left", ("", "Single weights", "Whole neurons"), tuple(rows))


def _said(subject: Subject, target: Target, single: Way, whole: Way) -> Table:
    biases, dense = _biases(subject, target), single.outputs[0]
    rows = tuple(
        tuple(
            (f"out {i}", biases[i], *(_span(outputs[i]) for outputs in (dense, single.outputs[at], whole.outputs[at])))
            for i in range(target.shape[0])
        )
        for at in range(len(AMOUNTS))
    )
    return Table(
        f"What {target.module} says on {count(subject.sample_count)} samples, from lowest to highest",
        ("Neuron", "Bias", "Dense", "Single weights", "Whole neurons"),
        rows,
        "Before the activation. “Always” is the same number on every sample.",
    )


def _behind_batchnorm() -> tuple[Pictures, dict[str, tuple[str, ...]]]:
    subject = load_sample(NORMALISED)
    way = follow(subject, Recipe(granularity=ROWS, targets=(FILTERS,)), NORM)
    filters = way.kept.shape[1]
    maps = np.stack([outputs[:, 0] for outputs in way.outputs])
    limit = float(np.quantile(np.abs(maps[0]), BRIGHT))
    says = [
        {i: constant(outputs[i]) for i in np.flatnonzero(gone).tolist()}
        for gone, outputs in zip(way.empty, way.outputs, strict=True)
    ]
    captions = tuple(
        tuple(f"filter {i}: {_always(each[i])}" if i in each else f"filter {i}" for i in range(filters))
        for each in says
    )
    stated = [[value for value in each.values() if value is not None] for each in says]
    pictures = Pictures(
        f"Behind BatchNorm: {NORM} of {NORMALISED}, whole filters removed",
        np.clip(maps, -limit, limit),
        captions,
        -limit,
        limit,
        tuple(tuple(bool(each) for each in row) for row in way.empty),
        f"What {NORM} gives on one sample; framed where all weights of the filter are 0. Middle grey is 0.",
    )
    return pictures, {
        "filters_removed": tuple(count(len(each)) for each in says),
        "filters_alike": tuple(count(len(each)) for each in stated),
        "filters_zero": tuple(count(sum(value == 0 for value in each)) for each in stated),
        "filters_above": tuple(count(sum(value > 0 for value in each)) for each in stated),
        "filters_lowest": tuple(decimal(min(each, default=None)) for each in stated),
        "filters_highest": tuple(decimal(max(each, default=None)) for each in stated),
    }


def _facts(subject: Subject, target: Target, single: Way, whole: Way) -> Mapping[str, str | tuple[str, ...]]:
    rows, columns = target.shape
    empty, holed = whole.empty.sum(axis=1).tolist(), (~single.kept).any(axis=2).sum(axis=1).tolist()
    begins = int(np.argmax(whole.empty.any(axis=1)))
    first = int(np.argmax(whole.empty[begins]))
    return {
        "weights": count(target.numel),
        "rows": count(rows),
        "columns": count(columns),
        "shape": f"{rows} × {columns}",
        "samples": count(subject.sample_count),
        "single_removed": tuple(map(count, single.removed)),
        "single_holed": tuple(map(count, holed)),
        "single_empty": tuple(map(count, single.empty.sum(axis=1).tolist())),
        "whole_removed": tuple(map(count, whole.removed)),
        "whole_empty": tuple(map(count, empty)),
        "cut_shape": tuple(f"{rows - each} × {columns}" for each in empty),
        "first": f"out {first}",
        "first_bias": _biases(subject, target)[first],
        "first_dense": _span(whole.outputs[0][first]),
        "first_says": _span(whole.outputs[begins][first]),
    }


def _biases(subject: Subject, target: Target) -> tuple[str, ...]:
    bias = getattr(subject.model.get_submodule(target.module), "bias", None)
    return tuple(map(decimal, bias.tolist())) if isinstance(bias, Tensor) else ("none",) * target.shape[0]


def _span(output: Outputs) -> str:
    same = constant(output)
    return f"{decimal(float(output.min()))} to {decimal(float(output.max()))}" if same is None else _always(same)


def _always(value: float | None) -> str:
    return "varies" if value is None else f"{decimal(value)} always"


WEIGHTS_OR_NEURONS = Scene(
    "weights_or_neurons",
    "The same share of one matrix removed as single weights and as whole rows, and what its neurons then say.",
    _build,
    {
        "weights": "how many the matrix has",
        "rows": "how many, one per neuron",
        "columns": "how many, one per input",
        "shape": "rows × columns",
        "samples": "how many the network is run on",
        "single_removed": "weights removed one by one",
        "single_holed": "rows that have lost a weight that way",
        "single_empty": "rows that have lost all that way",
        "whole_removed": "weights removed as whole rows",
        "whole_empty": "rows removed",
        "cut_shape": "rows × columns without the removed rows",
        "first": "the neuron whose row goes first",
        "first_bias": "its bias",
        "first_dense": "from where to where its output goes, dense",
        "first_says": "its output without the row",
        "filters_removed": f"filters of {NORMALISED} removed",
        "filters_alike": "of these, how many give one number everywhere after BatchNorm",
        "filters_zero": "of these, how many give 0",
        "filters_above": "of these, how many give more than 0",
        "filters_lowest": "the lowest of these numbers",
        "filters_highest": "the highest of these numbers",
    },
    "tutorial-mlp",
    replace(AMOUNT, help="Fraction to remove: of the weights on one side, of the neurons on the other."),
)
