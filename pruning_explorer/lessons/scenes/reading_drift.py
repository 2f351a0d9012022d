"""What accuracy, agreement, KL and SQNR each see of the same pruned network, and what they miss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.errors import LessonError
from pruning_explorer.figures.numbers import capitalised, count, decibels, nats, percent
from pruning_explorer.lessons.amounts import AMOUNT, AMOUNT_SLIDER, AMOUNTS
from pruning_explorer.lessons.panels import Curves, Figure, Figures, Panel, Pictures, Series, Table
from pruning_explorer.lessons.scene import Knob, Scene, Stage, Values
from pruning_explorer.measure.drift import Drift, DriftFrom
from pruning_explorer.measure.forward import dense_outputs, masked_outputs
from pruning_explorer.measure.quality import sample_quality
from pruning_explorer.prune.engine import masks_at
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.recipe_settings import SCOPES, SETTINGS, Scope
from pruning_explorer.prune.subject import Subject

MOST_PICTURES = 12
KL_FROM = 1e-6
"""Lowest drift on the axis, in nats; smaller values are near the rounding of float32 and drawn at the bottom."""
TOGETHER = "_together"
"""Suffix of the names of facts that hold for one ranking of all layers, whatever the knob is set to."""
EXAMPLE = {
    "right": "right there",
    "accuracy": "the same in percent",
    "flips": "answers flipped there",
    "lost": "of these, right before and wrong there",
    "gained": "of these, wrong before and right there",
    "astray": "of these, wrong before and wrong in another way there",
    "agreement": "agreement there, in percent",
}
PLACES = {
    "example_amount": "where the most answers flip while as many are right as in the dense network",
    **{f"example_{name}": what for name, what in EXAMPLE.items()},
    "quiet_amount": "the last place up to which no answer has flipped",
    "quiet_kl": "KL there",
    "quiet_sqnr": "SQNR there",
    "worst_amount": "where KL is largest of all",
    "worst_kl": "KL there",
    "last_kl": "KL where all is removed",
}
Right = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Point:
    """One stop of the slider: its drift, and which samples are right.

    Attributes:
        right, dense_right: bool ``[N]``, pruned and dense.
    """

    drift: Drift
    right: Right
    dense_right: Right

    @property
    def flips(self) -> int:
        return int(np.count_nonzero(~self.drift.agrees))

    @property
    def correct(self) -> int:
        return int(np.count_nonzero(self.right))

    @property
    def lost(self) -> int:
        """Answers that were right and are wrong."""
        return int(np.count_nonzero(self.dense_right & ~self.right))

    @property
    def gained(self) -> int:
        """Answers that were wrong and are right."""
        return int(np.count_nonzero(~self.dense_right & self.right))

    @property
    def astray(self) -> int:
        """Answers that were wrong and are wrong in another way."""
        return self.flips - self.lost - self.gained

    def figure(self, name: str) -> float:
        """One of the totals of drift: ``"kl_nats"``."""
        return float(self.drift.totals()[name])


def measure(subject: Subject, recipe: Recipe, amounts: Sequence[float] = AMOUNTS) -> tuple[Point, ...]:
    """Drift and right answers of a recipe at several amounts in place of its own.

    Raises:
        LessonError: nothing says which of the subject's answers are right.
        PruningExplorerError: the recipe does not fit the subject, or the network fails.
    """
    if subject.samples is None or subject.labels is None or subject.metric is not None:
        raise LessonError(
            f"{subject.name} has no labels that its answers could be compared with; choose a network that has, "
            "such as digits-cnn"
        )
    dense = dense_outputs(subject)
    outputs = [masked_outputs(subject, masks) for masks in masks_at(subject, recipe, amounts)]
    dense_right = cast(Right, sample_quality(subject, dense))
    return tuple(
        Point(drift, cast(Right, sample_quality(subject, logits, drift.pruned_top1)), dense_right)
        for logits, drift in zip(outputs, DriftFrom(dense).measure_all(outputs), strict=True)
    )


def find_example(points: Sequence[Point]) -> int:
    """The stop with the most flips among those where as many are right as in the dense network."""
    near = [stop for stop, point in enumerate(points) if point.lost == point.gained]
    return max(near, key=lambda stop: points[stop].flips)


def find_quiet(points: Sequence[Point]) -> int:
    """The last stop up to which no answer has flipped; a later one may have none by chance."""
    return next((stop for stop, point in enumerate(points) if point.flips), len(points)) - 1


def _build(subject: Subject, values: Values) -> Stage:
    recipe = Recipe(scope=cast(Scope, values["scope"]))
    points = measure(subject, recipe)
    together = points if recipe.scope == "global" else measure(subject, replace(recipe, scope="global"))
    samples, dense_right = len(points[0].right), int(np.count_nonzero(points[0].dense_right))
    example, quiet, written = find_example(points), find_quiet(points), _written(points)
    facts: dict[str, str | tuple[str, ...]] = {
        "samples": count(samples),
        "dense_right": count(dense_right),
        "dense_accuracy": percent(dense_right / samples),
        **written,
        **_places(points),
        **{f"{name}{TOGETHER}": fact for name, fact in _places(together).items()},
    }
    quality = capitalised(subject.quality_name)
    rows = (
        (quality, percent(dense_right / samples), written["accuracy"][quiet]),
        ("Answers flipped", "0", written["flips"][quiet]),
        ("Agreement", percent(1.0), written["agreement"][quiet]),
        ("KL", nats(0.0), written["kl"][quiet]),
        ("SQNR", decibels(np.inf), written["sqnr"][quiet]),
    )
    panels: list[Panel] = [
        Figures(
            (
                Figure(quality, written["accuracy"], f"Right of {samples}, by the labels. Higher is better."),
                Figure("Answers flipped", written["flips"], "Other than the dense network's, right or wrong."),
                Figure("Right → wrong", written["lost"]),
                Figure("Wrong → right", written["gained"]),
                Figure("Wrong → otherwise wrong", written["astray"]),
            )
        ),
        Curves(
            "Answers flipped and wrong answers",
            (
                Series("Answers flipped", tuple(float(point.flips) for point in points)),
                Series("Wrong answers", tuple(float(samples - point.correct) for point in points)),
            ),
            f"answers, of {samples}",
            (0.8, 1.25 * samples),
            better="lower",
            note=f"What agreement and {subject.quality_name} lack to 100 %. No line where none has flipped; "
            "it appears as you drag.",
            log=True,
            growing=True,
        ),
        Curves(
            "KL",
            (Series("KL", _line(points, "kl_nats")),),
            "KL (nats)",
            (KL_FROM, max(10.0, *(point.figure("kl_nats") for point in points))),
            better="lower",
            note="How far the probabilities have moved. It needs no labels. No line where it is 0; "
            f"below {KL_FROM:f} it is drawn at the bottom.",
            log=True,
        ),
        Curves(
            "SQNR",
            (Series("SQNR", _line(points, "sqnr_db")),),
            "SQNR (dB)",
            better="higher",
            note="Outputs against their error. 0 dB: an error as large as the outputs. No line where there is none.",
        ),
        *_pictures(subject, points, example),
        # What is measured at the example is found by dragging there: it answers the question
        Table("Before any answer flips", ("", "dense", AMOUNT_SLIDER.shown[quiet]), (rows,)),
    ]
    return Stage(AMOUNT_SLIDER, tuple(panels), facts, lambda stop: replace(recipe, amount=AMOUNTS[stop]))


def _written(points: Sequence[Point]) -> dict[str, tuple[str, ...]]:
    """What is measured as a page writes it: at every stop."""
    counted = {"right": "correct", **{name: name for name in ("flips", "lost", "gained", "astray")}}
    kl, sqnr, agreement = (
        tuple(write(point.figure(name)) for point in points)
        for name, write in (("kl_nats", nats), ("sqnr_db", decibels), ("agreement", percent))
    )
    return {
        "accuracy": tuple(percent(point.correct / len(point.right)) for point in points),
        **{name: tuple(count(getattr(point, of)) for point in points) for name, of in counted.items()},
        "agreement": agreement,
        "kl": kl,
        "sqnr": sqnr,
    }


def _places(points: Sequence[Point]) -> dict[str, str]:
    """What is measured where something is to be seen."""
    written = _written(points)
    example, quiet = find_example(points), find_quiet(points)
    worst = max(range(len(points)), key=lambda stop: points[stop].figure("kl_nats"))
    return {
        "example_amount": AMOUNT_SLIDER.shown[example],
        **{f"example_{name}": written[name][example] for name in EXAMPLE},
        "quiet_amount": AMOUNT_SLIDER.shown[quiet],
        "quiet_kl": written["kl"][quiet],
        "quiet_sqnr": written["sqnr"][quiet],
        "worst_amount": AMOUNT_SLIDER.shown[worst],
        "worst_kl": written["kl"][worst],
        "last_kl": written["kl"][-1],
    }


def _line(points: Sequence[Point], name: str) -> tuple[float | None, ...]:
    values = [point.figure(name) for point in points]
    return tuple(value if np.isfinite(value) else None for value in values)


def _pictures(subject: Subject, points: Sequence[Point], example: int) -> list[Pictures]:
    """The samples that flip where accuracy stays, and then those that flip first: the same ones at every stop."""
    view, labels = subject.view, subject.labels
    if view is None or view.kind != "image" or labels is None or points[0].drift.sequence:
        return []
    flipped = np.stack([~point.drift.agrees for point in points])
    first = np.where(flipped.any(axis=0), flipped.argmax(axis=0), len(points))
    order = np.lexsort((first, ~flipped[example]))
    chosen = [int(i) for i in order if first[i] < len(points)][:MOST_PICTURES]
    if not chosen:
        return []
    named = _names(subject)
    values = np.asarray(view.values)[chosen][None]
    captions = tuple(
        tuple(
            f"{named(int(point.drift.dense_top1[i, 0]))} → {named(int(point.drift.pruned_top1[i, 0]))} "
            f"(true\N{NO-BREAK SPACE}{named(int(labels[i]))})"
            for i in chosen
        )
        for point in points
    )
    marked = tuple(tuple(bool(each) for each in row) for row in flipped[:, chosen])
    return [
        Pictures(
            "Answers, dense → pruned",
            values,
            captions,
            0.0,
            1.0,
            marked,
            "Framed where the answer has flipped. First those that flip where accuracy stays, then the first to flip.",
        )
    ]


def _names(subject: Subject) -> Callable[[int], str]:
    names = subject.output_names
    return lambda answer: "none" if answer < 0 else names[answer] if answer < len(names) else str(answer)


READING_DRIFT = Scene(
    "reading_drift",
    "Accuracy, agreement, KL and SQNR of one network over the amount, and the answers that flip.",
    _build,
    {
        "samples": "how many the network is judged on",
        "dense_right": "of these, right in the dense network",
        "dense_accuracy": "the same in percent",
        "right": "right in the pruned network",
        "accuracy": "the same in percent",
        "agreement": "answers that are the dense network's own, in percent",
        "flips": "answers that are not",
        "lost": "of these, right before and wrong now",
        "gained": "of these, wrong before and right now",
        "astray": "of these, wrong before and wrong in another way now",
        "kl": "mean KL from dense to pruned probabilities",
        "sqnr": "signal of the dense outputs to the error, in dB",
        **PLACES,
        **{f"{name}{TOGETHER}": f"{what}, of all layers together" for name, what in PLACES.items()},
    },
    "digits-cnn",
    AMOUNT,
    (
        Knob(
            replace(SETTINGS["scope"], default="global"),
            {name: SCOPES[name].title for name in ("global", "layer")},
        ),
    ),
)
