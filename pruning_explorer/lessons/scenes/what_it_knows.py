"""A network drawn whole beside what it answers: weights fade, and one sees what is still known."""

from collections.abc import Sequence
from dataclasses import replace

from pruning_explorer.errors import LessonError
from pruning_explorer.figures.gallery import class_name
from pruning_explorer.figures.numbers import capitalised, count, percent
from pruning_explorer.lessons.amounts import AMOUNT, leaves_by_amount
from pruning_explorer.lessons.node_link import node_link
from pruning_explorer.lessons.panels import Curves, Figure, Figures, Panel, Series
from pruning_explorer.lessons.quality_curve import QualityCurve, breaks_at, quality_curve, shown_at, slider_for, written
from pruning_explorer.lessons.regions import decision_regions, has_plane
from pruning_explorer.lessons.scene import Scene, Slider, Stage, Values
from pruning_explorer.measure.drift import top1
from pruning_explorer.measure.forward import masked_outputs
from pruning_explorer.prune.engine import Ranked, compute_masks, rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject


def _build(subject: Subject, values: Values) -> Stage:
    slider = slider_for(subject)
    recipe = Recipe()
    ranked, known = rank_targets(subject, recipe), quality_curve(subject, recipe, slider.stops)
    weights = sum(target.numel for target in ranked.targets)
    gone = tuple(ranked.removed_at(slider.stops).sum(axis=1).tolist())
    picture, why_none = _picture(subject, ranked, slider)
    now, removed, flipped = written(known.values), tuple(map(count, gone)), tuple(map(count, known.flipped))
    facts: dict[str, str | tuple[str, ...]] = {
        "measure": known.measure,
        "dense": percent(known.dense),
        "now": now,
        "guess": percent(known.guess),
        "removed": removed,
        "weights": count(weights),
        "flipped": flipped,
        "samples": count(subject.sample_count),
        "first_flip": shown_at(slider, next((stop for stop, each in enumerate(known.flipped) if each), None)),
        "breaks_at": shown_at(slider, breaks_at(known.values, known.dense)),
        "lowest": percent(min(known.values)),
        "lowest_at": slider.shown[known.values.index(min(known.values))],
        "end_answer": _end_answer(subject, recipe),
    }
    figures = Figures(
        (
            Figure(capitalised(known.measure), now, f"Dense: {percent(known.dense)}. Higher is better."),
            Figure("Flipped", flipped, f"Of {count(subject.sample_count)} samples, answered otherwise than dense."),
            Figure("Removed", removed, f"Of {count(weights)} weights; biases stay."),
        ),
        note=why_none,
    )
    planes: list[Panel] = []
    if has_plane(subject):
        planes = [decision_regions(subject, recipe, slider.stops, "What it answers", _REGIONS_NOTE)]
    # The line that grows is low enough to be seen with the slider; the tallest comes last
    panels = (figures, *planes, _curve(known), *picture)
    return Stage(slider, panels, facts, lambda stop: replace(recipe, amount=slider.stops[stop]))


_REGIONS_NOTE = "Colours of the plane: the network's answer there. Points: samples, by their true class."


def _picture(subject: Subject, ranked: Ranked, slider: Slider) -> tuple[list[Panel], str]:
    """The network as nodes and edges; or none, and why there is none."""
    leaves = leaves_by_amount(ranked, slider.stops)
    by_target = {target.name: each for target, each in zip(ranked.targets, leaves, strict=True)}
    note = "A removed edge fades; its two nodes stay, with their biases."
    try:
        return [node_link(subject, by_target, len(slider.stops), note=note)], ""
    except LessonError as error:
        return [], f"There is no picture of the network: {error}."


def _curve(known: QualityCurve) -> Curves:
    name = capitalised(known.measure)
    return Curves(
        f"{name} over the amount",
        (Series(name, known.percents),),
        f"{known.measure} (%)",
        (0, 100),
        growing=True,
        lines=known.guess_line,
        better="higher",
        note="The line appears as you drag. Flat is nothing lost; guessing is what knowing nothing is worth.",
    )


def _end_answer(subject: Subject, recipe: Recipe) -> str:
    """What is answered where no weight is left: the same to every sample, where its inputs reach nothing any more."""
    answers = top1(masked_outputs(subject, compute_masks(subject, replace(recipe, amount=1.0))))
    first: Sequence[int] | int = answers[0].tolist()
    if not bool((answers == answers[0]).all()):
        return "not the same everywhere"
    spelled = [first] if isinstance(first, int) else first
    return "".join(class_name(subject.output_names, each) for each in spelled)


WHAT_IT_KNOWS = Scene(
    "what_it_knows",
    "A small network as nodes and edges, beside its decision regions and its accuracy, at every amount.",
    _build,
    {
        "measure": "what is measured: accuracy, or agreement with the dense network where nothing judges",
        "dense": "the measure of the dense network, in percent",
        "now": "the measure at this amount, in percent",
        "guess": "what always giving the commonest answer is worth, in percent",
        "removed": "weights removed",
        "weights": "how many there are",
        "flipped": "samples that are answered otherwise than by the dense network",
        "samples": "how many there are",
        "first_flip": "the first amount at which an answer flips",
        "breaks_at": "the first amount at which more than five points of the measure are lost",
        "lowest": "the lowest that the measure is at any amount, in percent",
        "lowest_at": "the first amount at which it is that low",
        "end_answer": "the one answer to every sample where no weight is left",
    },
    "spirals-mlp",
    AMOUNT,
)
