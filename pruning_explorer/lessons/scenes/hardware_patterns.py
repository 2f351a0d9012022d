"""N of every M beside free choice: what a pattern that hardware can run keeps, and what it must give up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.errors import LessonError
from pruning_explorer.figures.numbers import MISSING, capitalised, count, percent
from pruning_explorer.lab.curve_points import measure_points
from pruning_explorer.lessons.amounts import AMOUNT, AMOUNT_SLIDER, AMOUNTS, leaves_by_amount
from pruning_explorer.lessons.panels import Curves, Figure, Figures, Matrix, Series, Stops, Table
from pruning_explorer.lessons.quality_curve import need_judge, written
from pruning_explorer.lessons.scene import Knob, Scene, Stage, Values
from pruning_explorer.lessons.small_matrix import LARGEST
from pruning_explorer.measure.quality import dense_level, guessing_level, quality_label
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import Setting
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

FIXED = {"24": "2:4", "14": "1:4"}
"""Patterns whose facts are computed whatever the knob is set to: 2:4, which hardware supports, and a sparser one."""
PATTERNS = {"2:4": "2:4", "1:4": "1:4", "4:8": "4:8"}


FACTS = {
    "pattern": "as it is written, N:M",
    "n": "how many of each group stay",
    "m": "how many make a group",
    "stay": "which of each group stay: the largest, or the so many largest",
    "layers": "those that are pruned",
    "left_out": "those whose rows are no whole groups; they stay dense",
    "left_out_inputs": "how long the rows of the first of them are",
    "matrix": "the one that is shown",
    "shape": "its rows × columns",
    "groups": "how many groups it has",
    "end": "the amount at which the pattern is complete",
    "dense_accuracy": "quality of the dense network",
    "free_all_end": "quality where all layers are pruned by free choice, each by itself, to that amount",
    "free_magnitude_end": "share of magnitude of free choice where the pattern is complete",
    "pattern_magnitude_end": "the same of the pattern",
    "free_accuracy_end": "quality under free choice where the pattern is complete",
    "pattern_accuracy_end": "the same of the pattern",
    "free_over_end": "groups of the matrix of which free choice keeps more than N, where the pattern is complete",
    "differ_end": "weights of the matrix that free choice keeps there and the pattern removes",
    "crowded_row": "the row of the group of which free choice keeps most, where the pattern is complete",
    "crowded_columns": "its columns",
    "crowded_weights": "its weights",
    "crowded_free": "how many of it free choice keeps",
    "crowded_lost": "how many of these the pattern removes",
}


@dataclass(frozen=True, eq=False)
class Way:
    """One way to choose, at every stop.

    Attributes:
        leaves: of the matrix that is shown, the stop at which each weight goes.
        removed: weights of all targets.
        magnitude: fraction of the sum of absolute weights of all targets that is kept.
        quality: fraction of the samples that is right.
    """

    leaves: Stops
    removed: tuple[int, ...]
    magnitude: tuple[float, ...]
    quality: tuple[float, ...]

    def kept_of(self, m: int) -> NDArray[np.int64]:
        """How many each group of M neighbours keeps, ``[stops, groups]``."""
        kept = self.leaves[None] > np.arange(len(AMOUNTS))[:, None, None]
        counts: NDArray[np.int64] = kept.reshape(len(AMOUNTS), -1, m).sum(axis=2)
        return counts


WAYS: ByteBoundedCache[Way] = ByteBoundedCache(
    4 << 20, "ways to choose in groups", weigh=lambda way: way.leaves.nbytes + 96 * len(AMOUNTS)
)
"""Results for each pattern; the knob changes few of them, so the others are reused."""


def _build(subject: Subject, values: Values) -> Stage:
    pattern = str(values["pattern"])
    n, m = map(int, pattern.split(":"))
    targets, shown = _targets(subject, m)
    recipe, free, fixed = _ways(subject, pattern)
    matrix = partial(
        Matrix,
        values=subject.weight(shown.name).detach().numpy(),
        group=m,
        row_names=tuple(f"out {i}" for i in range(shown.shape[0])),
        column_names=tuple(f"in {i}" for i in range(shown.shape[1])),
    )
    quality, guess = quality_label(subject), guessing_level(subject)
    return Stage(
        AMOUNT_SLIDER,
        (
            Figures(
                (
                    Figure("Removed, free choice", _sparsity(free, targets), "Of all pruned layers together."),
                    Figure(f"Removed, {pattern}", _sparsity(fixed, targets)),
                    Figure("Magnitude kept, free choice", written(free.magnitude), "Of the sum of absolute weights."),
                    Figure(f"Magnitude kept, {pattern}", written(fixed.magnitude)),
                    Figure(f"{capitalised(quality)}, free choice", written(free.quality)),
                    Figure(f"{capitalised(quality)}, {pattern}", written(fixed.quality)),
                )
            ),
            matrix("Free choice", leaves=free.leaves, note=f"The smallest of all {shown.numel} go, wherever they are."),
            matrix(pattern, leaves=fixed.leaves, note=f"No amount removes {_stay(n)} of every {m} neighbours."),
            _groups(free, fixed, pattern, m),
            Curves(
                f"{capitalised(quality)} as more goes",
                (
                    Series("Free choice", tuple(100 * each for each in free.quality)),
                    Series(pattern, tuple(100 * each for each in fixed.quality)),
                ),
                f"{quality} (%)",
                (0, 100),
                better="higher",
                lines=None if guess is None else {"guessing": round(100 * guess, 1)},
                note=f"{pattern} stays where it is once every group has only {n} left. A broken network is "
                "right by accident, so its line may jump.",
            ),
        ),
        {
            "free_magnitude": written(free.magnitude),
            "pattern_magnitude": written(fixed.magnitude),
            "free_accuracy": written(free.quality),
            "pattern_accuracy": written(fixed.quality),
            **_facts(subject, pattern),
            **{f"{name}_{end}": fact for end, each in FIXED.items() for name, fact in _facts(subject, each).items()},
        },
        lambda stop: replace(recipe, amount=AMOUNTS[stop]),
    )


def _targets(subject: Subject, m: int) -> tuple[tuple[Target, ...], Target]:
    """The matrices whose rows are whole groups, and the smallest of them."""
    need_judge(subject)
    targets = tuple(
        target
        for target in subject.targets
        if target.role == "weight" and len(target.shape) == 2 and target.out_dim == 0 and target.shape[1] % m == 0
    )
    shown = min(targets, key=lambda target: target.numel, default=None)
    if shown is None or shown.numel > LARGEST:
        raise LessonError(
            f"{subject.name} has no matrix of whole groups of {m} that is small enough to be written out; choose a "
            f"network with one of at most {LARGEST} weights"
        )
    return targets, shown


def _ways(subject: Subject, pattern: str) -> tuple[Recipe, Way, Way]:
    """The recipe of a pattern, and what free choice and the pattern do."""
    n, m = map(int, pattern.split(":"))
    targets, shown = _targets(subject, m)
    recipe = Recipe(granularity=f"n_m:n={n},m={m}", targets=tuple(target.name for target in targets))
    free, fixed = (
        WAYS.get((subject.id, each.id), partial(_way, subject, each, shown))
        for each in (replace(recipe, granularity="element"), recipe)
    )
    return recipe, free, fixed


def _way(subject: Subject, recipe: Recipe, shown: Target) -> Way:
    ranked = rank_targets(subject, recipe)
    leaves = leaves_by_amount(ranked)
    kept, of_all = np.zeros(len(AMOUNTS)), 0.0
    for target, of_target in zip(ranked.targets, leaves, strict=True):
        size = np.abs(subject.weight(target.name).detach().numpy().astype(np.float64))
        leaving = np.bincount(of_target.ravel(), size.ravel(), len(AMOUNTS) + 1)[: len(AMOUNTS)]
        kept += size.sum() - np.cumsum(leaving)
        of_all += float(size.sum())
    return Way(
        leaves[ranked.targets.index(shown)],
        tuple(ranked.removed_at(AMOUNTS).sum(axis=1).tolist()),
        tuple((kept / of_all).tolist()),
        tuple(float(point["quality"]) for point in measure_points(subject, recipe, AMOUNTS)),
    )


def _groups(free: Way, fixed: Way, pattern: str, m: int) -> Table:
    of_free, of_fixed = free.kept_of(m), fixed.kept_of(m)
    rows = tuple(
        tuple(
            (f"{kept} of {m}", *(count(int((each[stop] == kept).sum())) for each in (of_free, of_fixed)))
            for kept in range(m, -1, -1)
        )
        for stop in range(len(AMOUNTS))
    )
    return Table(f"Groups of {m} by what they keep", ("Kept", "Free choice", pattern), rows)


def _facts(subject: Subject, pattern: str) -> dict[str, str]:
    """What does not hang on the slider."""
    n, m = map(int, pattern.split(":"))
    targets, shown = _targets(subject, m)
    _, free, fixed = _ways(subject, pattern)
    left_out = [each for each in subject.targets if each.role == "weight" and each not in targets]
    end = next(stop for stop, removed in enumerate(fixed.removed) if removed == fixed.removed[-1])
    of_free = free.kept_of(m)[end]
    crowded = int(np.argmax(of_free))
    row, column = divmod(crowded * m, shown.shape[1])
    differ = (free.leaves > end) & (fixed.leaves <= end)
    weights = subject.weight(shown.name).detach().numpy()[row, column : column + m]
    return {
        "pattern": f"{n}:{m}",
        "n": count(n),
        "m": count(m),
        "stay": _stay(n),
        "layers": _named(targets),
        "left_out": _named(left_out) or "none",
        "left_out_inputs": count(left_out[0].shape[1]) if left_out else MISSING,
        "matrix": shown.name,
        "shape": f"{shown.shape[0]} × {shown.shape[1]}",
        "groups": count(len(of_free)),
        "end": AMOUNT_SLIDER.shown[end],
        "dense_accuracy": percent(dense_level(subject)),
        "free_all_end": percent(_quality_of_all(subject, AMOUNTS[end])),
        "free_magnitude_end": percent(free.magnitude[end]),
        "pattern_magnitude_end": percent(fixed.magnitude[end]),
        "free_accuracy_end": percent(free.quality[end]),
        "pattern_accuracy_end": percent(fixed.quality[end]),
        "free_over_end": count(int((of_free > n).sum())),
        "differ_end": count(int(differ.sum())),
        "crowded_row": f"out {row}",
        "crowded_columns": f"in {column} to in {column + m - 1}",
        "crowded_weights": ", ".join(f"{each:.2f}" for each in weights).replace("-", "\N{MINUS SIGN}"),
        "crowded_free": count(int(of_free[crowded])),
        "crowded_lost": count(int(of_free[crowded]) - n),
    }


def _stay(n: int) -> str:
    return "the largest" if n == 1 else f"the {n} largest"


def _named(targets: Sequence[Target]) -> str:
    return " and ".join(target.module for target in targets)


def _quality_of_all(subject: Subject, amount: float) -> float:
    (point,) = measure_points(subject, Recipe(), (amount,))
    return float(point["quality"])


def _sparsity(way: Way, targets: tuple[Target, ...]) -> tuple[str, ...]:
    return tuple(percent(removed / sum(target.numel for target in targets)) for removed in way.removed)


HARDWARE_PATTERNS = Scene(
    "hardware_patterns",
    "One small matrix pruned freely and in a pattern of N of every M, group by group, and what each keeps.",
    _build,
    {
        "free_magnitude": "share of the sum of absolute weights that free choice keeps, in all pruned layers",
        "pattern_magnitude": "the same of the pattern",
        "free_accuracy": "quality under free choice",
        "pattern_accuracy": "quality under the pattern",
        **FACTS,
        **{
            f"{name}_{end}": f"{what}; of {each}, whatever the knob says"
            for end, each in FIXED.items()
            for name, what in FACTS.items()
        },
    },
    "spirals-mlp",
    AMOUNT,
    (
        Knob(
            Setting(
                "pattern",
                "Pattern",
                "How many of every so many neighbours along a row stay. Chips know 2:4; the others are for comparison.",
                "2:4",
            ),
            PATTERNS,
            ("n-m",),
        ),
    ),
)
