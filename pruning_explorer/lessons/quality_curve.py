"""Quality of a network at every amount: the fraction of right answers, or of answers that the dense one gives, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from pruning_explorer.errors import LessonError
from pruning_explorer.figures.numbers import percent
from pruning_explorer.lab.curve_points import measure_points
from pruning_explorer.lessons.amounts import AMOUNT_SLIDER
from pruning_explorer.lessons.scene import Slider
from pruning_explorer.measure.cost import dense_cost
from pruning_explorer.measure.quality import dense_level, guessing_level, quality_label
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

BREAKS = 0.05
"""Loss of quality, as a fraction of the samples, above which a network counts as broken: 5 points."""
NEVER = "never"

FINE_PRODUCTS, MOST_PRODUCTS = 2e8, 5e9
"""Multiply-adds of one run over all samples: up to the first a lesson measures 101 amounts, up to the second 21, above
it none."""


@dataclass(frozen=True)
class QualityCurve:
    """Quality of a pruned network at several amounts.

    Attributes:
        measure: what is measured: ``"accuracy"``; or ``"agreement"`` with the dense network, where nothing judges.
        dense: of the dense network, in [0, 1].
        values: at each amount, in [0, 1].
        flipped: samples that are answered otherwise than by the dense network, at each amount.
        guess: what guessing alone is worth; None where that means nothing.
    """

    measure: str
    dense: float
    values: tuple[float, ...]
    flipped: tuple[int, ...]
    guess: float | None

    @property
    def percents(self) -> tuple[float, ...]:
        """``values`` as a chart draws them."""
        return in_percent(self.values)

    @property
    def guess_line(self) -> dict[str, float] | None:
        """``guess`` as a chart draws it."""
        return None if self.guess is None else {"guessing": round(100 * self.guess, 1)}


_CURVES: ByteBoundedCache[QualityCurve] = ByteBoundedCache(
    8 << 20, "what networks still know", weigh=lambda curve: 80 * len(curve.values) + 500
)


def quality_curve(subject: Subject, recipe: Recipe, amounts: Sequence[float]) -> QualityCurve:
    """Run a network at every amount, in place of the recipe's own; once, for all lessons that ask.

    Raises:
        LessonError: it cannot be run, or has nothing by which its answers could be told apart.
        PruningExplorerError: the recipe does not fit it, or it fails.
    """
    return _CURVES.get((subject.id, recipe.id, tuple(amounts)), lambda: _measure(subject, recipe, amounts))


def _measure(subject: Subject, recipe: Recipe, amounts: Sequence[float]) -> QualityCurve:
    need_samples(subject)
    points = list(measure_points(subject, recipe, amounts))
    judged = dense_level(subject)
    measure = "agreement" if judged is None else "quality"
    agreement = [point["agreement"] for point in points]
    if any(map(isnan, agreement)):
        raise LessonError(
            f"{subject.name} has a single output, so no answer of it can flip; choose a network with several outputs"
        )
    return QualityCurve(
        "agreement" if judged is None else quality_label(subject),
        1.0 if judged is None else judged,
        tuple(float(point[measure]) for point in points),
        tuple(round((1 - each) * subject.sample_count) for each in agreement),
        guessing_level(subject),
    )


def breaks_at(values: Sequence[float], dense: float) -> int | None:
    """The first stop at which more than five points are lost; None where that never happens.

    >>> breaks_at([1.0, 0.95, 0.94, 0.97], dense=1.0)
    2
    """
    # Of fractions such as 285 / 300, which no float holds
    return next((stop for stop, value in enumerate(values) if round(dense - BREAKS - value, 9) > 0), None)


def slider_for(subject: Subject) -> Slider:
    """The slider of the amount: in steps of 1 %, or of 5 % where a network takes long to run.

    Raises:
        LessonError: it cannot be run, or takes too long to be run at every stop.
    """
    need_samples(subject)
    products = dense_cost(subject).macs * subject.sample_count
    if products > MOST_PRODUCTS:
        raise LessonError(
            f"{subject.name} takes {products / 1e9:.1f} billion multiply-adds for its samples, too many to be run at "
            "every stop of a slider; look at it in Explore, or choose a smaller network"
        )
    step = 1 if products <= FINE_PRODUCTS else 5
    return Slider(AMOUNT_SLIDER.stops[::step], AMOUNT_SLIDER.shown[::step])


def need_judge(subject: Subject) -> None:
    """Refuse what nothing judges.

    Raises:
        LessonError: it has neither labels nor a metric.
    """
    if subject.labels is None and subject.metric is None:
        raise LessonError(f"nothing says which answers of {subject.name} are right; choose a network with labels")


def need_samples(subject: Subject) -> None:
    """Refuse what cannot be run.

    Raises:
        LessonError: it is known by its weights alone, or has no samples.
    """
    if not subject.runnable:
        raise LessonError(
            f"of {subject.name} only the weights are known, so nobody can see what it still knows; choose a network "
            "that can be run, or bring this one whole on the Models page"
        )
    if subject.samples is None:
        raise LessonError(
            f"{subject.name} has no samples, so nobody can see what it still knows; give it some on the Models page, "
            "or choose another network"
        )


def shown_at(slider: Slider, stop: int | None) -> str:
    """A stop as the slider writes it; ``"never"`` for None."""
    return NEVER if stop is None else slider.shown[stop]


def in_percent(fractions: Sequence[float]) -> tuple[float, ...]:
    """Fractions as a chart of percent draws them."""
    return tuple(round(100 * each, 1) for each in fractions)


def written(values: Sequence[float]) -> tuple[str, ...]:
    """Fractions as percent."""
    return tuple(map(percent, values))
