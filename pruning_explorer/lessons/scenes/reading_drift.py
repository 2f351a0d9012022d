"""What accuracy, agreement, KL and SQNR each see of the same pruned network, and what they miss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

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
from pruning_explorer.prune.engine import rank_targets
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import SCOPES, SETTINGS, Recipe, Scope
from pruning_explorer.prune.subject import Subject

MOST_PICTURES = 12
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
    dense, ranked = dense_outputs(subject), rank_targets(subject, recipe)
    outputs = []
    for removed in ranked.removed_at(amounts):
        masks = {target.name: ranked.mask(i, int(removed[i])) for i, target in enumerate(ranked.targets)}
        outputs.append(masked_outputs(subject, Masks(ranked.targets, masks)))
    dense_right = cast(Right, sample_quality(subject, dense))
    return tuple(
        Point(drift, cast(Right, sample_quality(subject, logits, drift.pruned_top1)), dense_right)
        for logits, drift in zip(outputs, DriftFrom(dense).measure_all(outputs), strict=True)
    )


def find_example(points: Sequence[Point]) -> int:
    """The stop with the most flips among those where as many are right as in the dense network, within one."""
    near = [stop for stop, point in enumerate(points) if abs(point.lost - point.gained) <= 1]
    return max(near, key=lambda stop: points[stop].flips)


def find_quiet(points: Sequence[Point]) -> int:
    """The stop with the largest KL among those where no answer flips."""
    still = [stop for stop, point in enumerate(points) if point.flips == 0]
    return max(still, key=lambda stop: points[stop].figure("kl_nats"))


def _build(subject: Subject, values: Values) -> Stage:
    recipe = Recipe(scope=cast(Scope, values["scope"]))
    points = measure(subject, recipe)
    samples, dense_right = len(points[0].right), int(np.count_nonzero(points[0].dense_right))
    example, quiet = find_example(points), find_quiet(points)
    worst = max(range(len(points)), key=lambda stop: points[stop].figure("kl_nats"))
    accuracy = tuple(percent(point.correct / samples) for point in points)
    kl, sqnr, agreement = (
        tuple(write(point.figure(name)) for point in points)
        for name, write in (("kl_nats", nats), ("sqnr_db", decibels), ("agreement", percent))
    )
    flips, lost, gained, astray = (
        tuple(count(getattr(point, name)) for point in points) for name in ("flips", "lost", "gained", "astray")
    )
    facts: dict[str, str | tuple[str, ...]] = {
        "samples": count(samples),
        "dense_right": count(dense_right),
        "dense_accuracy": percent(dense_right / samples),
        "right": tuple(count(point.correct) for point in points),
        "accuracy": accuracy,
        "agreement": agreement,
        "flips": flips,
        "lost": lost,
        "gained": gained,
        "astray": astray,
        "kl": kl,
        "sqnr": sqnr,
        "example_amount": AMOUNT_SLIDER.shown[example],
        "example_right": count(points[example].correct),
        "example_accuracy": accuracy[example],
        "example_flips": flips[example],
        "example_lost": lost[example],
        "example_gained": gained[example],
        "example_astray": astray[example],
        "quiet_amount": AMOUNT_SLIDER.shown[quiet],
        "quiet_kl": kl[quiet],
        "quiet_sqnr": sqnr[quiet],
        "worst_kl": kl[worst],
        "worst_amount": AMOUNT_SLIDER.shown[worst],
        "last_kl": kl[-1],
    }
    quality = capitalised(subject.quality_name)
    places = tuple(sorted({quiet, example}))
    rows = (
        (quality, percent(dense_right / samples), *(accuracy[stop] for stop in places)),
        ("Answers flipped", "0", *(flips[stop] for stop in places)),
        ("Agreement", percent(1.0), *(agreement[stop] for stop in places)),
        ("KL", nats(0.0), *(kl[stop] for stop in places)),
        ("SQNR", decibels(np.inf), *(sqnr[stop] for stop in places)),
    )
    panels: list[Panel] = [
        Figures(
            (
                Figure(quality, accuracy, f"Right of {samples}, by the labels. Higher is better."),
                Figure("Answers flipped", flips, "Other than the dense network's own answer, right or wrong."),
                Figure("Right → wrong", lost),
                Figure("Wrong → right", gained),
                Figure("Wrong → otherwise wrong", astray),
            )
        ),
        Curves(
            f"{quality} and agreement",
            (
                Series(quality, tuple(100 * point.correct / samples for point in points)),
                Series("Agreement", tuple(100 * point.figure("agreement") for point in points)),
            ),
            "%",
            (0, 100),
            better="higher",
            note="Agreement: as many answers as are the dense network's own. It needs no labels.",
        ),
        _curve("KL", points, "kl_nats", "KL (nats)", "lower", "How far probabilities moved. It needs no labels."),
        _curve("SQNR", points, "sqnr_db", "SQNR (dB)", "higher", "Outputs against their error; 0 dB: as large as it."),
        *_pictures(subject, points, example),
        Table("Two places on the slider", ("", "dense", *(AMOUNT_SLIDER.shown[stop] for stop in places)), (rows,)),
    ]
    return Stage(AMOUNT_SLIDER, tuple(panels), facts, lambda stop: replace(recipe, amount=AMOUNTS[stop]))


def _curve(
    title: str, points: Sequence[Point], name: str, y_title: str, better: Literal["higher", "lower"], note: str
) -> Curves:
    values = [point.figure(name) for point in points]
    line = tuple(value if np.isfinite(value) else None for value in values)
    return Curves(title, (Series(title, line),), y_title, better=better, note=note)


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
        "example_amount": "where the most answers flip while as many are right as in the dense network, within one",
        "example_right": "right there",
        "example_accuracy": "the same in percent",
        "example_flips": "answers flipped there",
        "example_lost": "of these, right before and wrong there",
        "example_gained": "of these, wrong before and right there",
        "example_astray": "of these, wrong before and wrong in another way there",
        "quiet_amount": "where KL is largest while no answer flips",
        "quiet_kl": "KL there",
        "quiet_sqnr": "SQNR there",
        "worst_kl": "the largest KL on the slider",
        "worst_amount": "where that is",
        "last_kl": "KL where all is removed",
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
