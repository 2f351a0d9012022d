"""The table of a comparison: every figure with its interval, with the best and its ties marked."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from pruning_explorer.measure.drift import Drift
from pruning_explorer.measure.paired import bootstrap_interval, mcnemar
from pruning_explorer.measure.quality import (
    guessing_level,
    interval_name,
    quality_label,
    quality_totals,
    wilson_interval,
)
from pruning_explorer.measure.report import Report

COLUMNS = ["measure", "title", "unit", "better", "recipe", "name", "value", "low", "high", "verdict", "dense"]
NEAR = 0.01
"""Relative difference up to which recipes of one amount count as equally sparse: so much comes from rounding to whole
groups. A fraction of the best value."""
SURE = 0.05
"""Significance level: a difference counts where its p-value is below."""

BEST, UNEQUAL, TIE, GUESSING = "best", "best at unequal sparsity", "tie", "no better than guessing"

Figure = tuple[float, float, float, float]
"""A value, the low and high end of its 95 % interval, and the dense network's value; NaN where there is none."""

NOTHING = math.nan


@dataclass(frozen=True)
class Measure:
    """One line of the table.

    Attributes:
        better: which way is better; empty where neither is.
        figure: of one recipe; None where its subject lacks what it needs.
        tied: whether two recipes differ by no more than chance makes them; None where a figure is exact.
        near: exact figures tie that differ by no more than this fraction of the best.
    """

    key: str
    title: str
    unit: str
    better: Literal["higher", "lower", ""]
    figure: Callable[[Report], Figure | None]
    tied: Callable[[Report, Report], bool] | None = None
    near: float = 0.0


def comparison_table(reports: Sequence[Report | None], names: Sequence[str]) -> pd.DataFrame:
    """One row per measure and recipe.

    Columns:
        - ``measure`` (key), ``title``, ``unit`` (``"fraction"``, ``"count"``, ``"nats"``, ``"dB"``), ``better``
          (``"higher"``, ``"lower"``, or empty where neither is).
        - ``recipe`` (position in ``reports``), ``name``.
        - ``value``, with ``low`` and ``high`` of its 95 % interval: Wilson's for a fraction of the samples, the
          bootstrap's for drift and where a metric gives fractions; NaN for what is counted and therefore exact.
        - ``verdict``: ``"best"``; ``"best at unequal sparsity"``, where the recipes do not remove equally much, so
          that the method alone does not decide it; ``"tie"``, within error of the best; ``"no better than guessing"``,
          where the interval of the accuracy reaches down to that of always giving the commonest answer: such a recipe
          is neither best nor a tie; or empty. Recipes are paired on the same
          samples: quality and agreement tie where McNemar's exact p is at least 0.05; drift, and a metric's fractions,
          where the 95 % bootstrap interval of the difference holds 0; counts within 1 %. Of equal values the first is
          the best. Where all tie nobody is the best, nor where there is no other.
        - ``dense``: the dense network's value; NaN where that would say nothing.

    A measure that the subject has no samples, labels or second output for has no rows.

    Args:
        reports: of one subject; None for a recipe that could not be measured: it has no rows.
        names: of each.
    """
    rows: list[tuple[object, ...]] = []
    subject = next((each.subject for each in reports if each is not None), None)
    label = "" if subject is None else quality_label(subject)
    guess = None if subject is None else guessing_level(subject)
    unequal = _unequal(reports)
    titles = {"quality": f"{label[:1].upper()}{label[1:]}"}
    costs = [each.cost for each in reports if each is not None and each.cost is not None]
    if costs and (uncounted := costs[0]["uncounted"]):
        titles["macs"] = (
            f"Multiply-adds, theoretical, {len(uncounted):,} uncounted layer{'' if len(uncounted) == 1 else 's'} aside"
        )
    for measure in MEASURES:
        figures = {
            position: figure
            for position, report in enumerate(reports)
            if report is not None and (figure := measure.figure(report)) is not None
        }
        guessing = {
            i for i, figure in figures.items() if guess is not None and measure.key == "quality" and figure[1] <= guess
        }
        verdicts = _verdicts(measure, reports, {i: figure[0] for i, figure in figures.items() if i not in guessing})
        verdicts |= dict.fromkeys(guessing, GUESSING)
        if unequal:
            verdicts = {i: UNEQUAL if verdict == BEST else verdict for i, verdict in verdicts.items()}
        for position, (value, low, high, dense) in figures.items():
            about = (measure.key, titles.get(measure.key, measure.title), measure.unit, measure.better)
            rows.append((*about, position, names[position], value, low, high, verdicts[position], dense))
    return pd.DataFrame(rows, columns=COLUMNS)


def _unequal(reports: Sequence[Report | None]) -> bool:
    """Whether some recipe removes more of all weights than another, by more than rounding makes of one amount."""
    gone = [each.sparsity["achieved_of_weights"] or 0.0 for each in reports if each is not None]
    return bool(gone) and max(gone) - min(gone) > NEAR


def _verdicts(measure: Measure, reports: Sequence[Report | None], values: dict[int, float]) -> dict[int, str]:
    verdicts = dict.fromkeys(values, "")
    judged = {position: value for position, value in values.items() if not math.isnan(value)}
    if not measure.better or len(judged) < 2:
        return verdicts
    best = max(judged, key=lambda i: (judged[i] if measure.better == "higher" else -judged[i], -i))
    for position, value in judged.items():
        if position == best:
            verdicts[position] = BEST
        elif value == judged[best] or abs(value - judged[best]) <= measure.near * abs(judged[best]):
            verdicts[position] = TIE
        elif measure.tied is not None:
            winner, other = reports[best], reports[position]
            if winner is not None and other is not None and measure.tied(winner, other):
                verdicts[position] = TIE
    if all(verdicts[position] for position in judged):
        return {position: TIE if position in judged else "" for position in verdicts}
    return verdicts


def _exact(value: float | int | None, dense: float | int | None = None) -> Figure:
    return NOTHING if value is None else float(value), NOTHING, NOTHING, NOTHING if dense is None else float(dense)


def _macs(cost: dict[str, Any] | None) -> Figure | None:
    if cost is None or (cost["uncounted"] and not cost["macs_dense"]):
        return None
    return _exact(cost["macs_theoretical"], cost["macs_dense"])


def _left(totals: dict[str, Any]) -> Figure:
    """Parameters that are not zero; where zeros are not counted, those that no mask removes."""
    if totals["nonzero_parameters"] is None:
        return _exact(totals["parameters"] - totals["removed"], totals["parameters"])
    return _exact(totals["nonzero_parameters"], totals["nonzero_parameters_dense"])


def _quality(report: Report) -> Figure | None:
    totals = quality_totals(report.quality)
    if totals is None:
        return None
    return totals["pruned"], totals["pruned_low"], totals["pruned_high"], totals["dense"]


def _same_quality(first: Report, second: Report) -> bool:
    one, other = first.sample_quality, second.sample_quality
    if one is None or other is None:
        return False
    if interval_name(one, other) == "Wilson":
        return mcnemar(one.astype(np.bool_), other.astype(np.bool_)) >= SURE
    return _holds_zero(bootstrap_interval(lambda a, b: a - b, one, other))


def _agreement(drift: Drift) -> Figure | None:
    if drift.single:
        return None
    agreeing, samples = int(np.count_nonzero(drift.agrees)), len(drift.agrees)
    return agreeing / samples, *wilson_interval(agreeing, samples), NOTHING


def _same_agreement(first: Drift, second: Drift) -> bool:
    return mcnemar(first.agrees, second.agrees) >= SURE


def _kl(drift: Drift) -> Figure | None:
    if drift.single:
        return None
    return float(drift.kl_nats.mean()), *bootstrap_interval(lambda mean: mean, drift.kl_nats), NOTHING


def _same_kl(first: Drift, second: Drift) -> bool:
    return _holds_zero(bootstrap_interval(lambda a, b: a - b, first.kl_nats, second.kl_nats))


def _sqnr(drift: Drift) -> Figure:
    interval = bootstrap_interval(
        lambda dense, noise: np.where(noise == 0, math.inf, 10 * np.log10(dense / noise)),
        drift.dense_energy,
        drift.noise_energy,
    )
    return float(drift.totals()["sqnr_db"]), *interval, NOTHING


def _same_sqnr(first: Drift, second: Drift) -> bool:
    interval = bootstrap_interval(
        # The signal is the same, so that the difference in dB is the ratio of the noises
        lambda a, b: np.where(a == b, 0.0, 10 * np.log10(b / a)),
        first.noise_energy,
        second.noise_energy,
    )
    return _holds_zero(interval)


def _holds_zero(interval: tuple[float, float]) -> bool:
    low, high = interval
    return low <= 0 <= high


def _of_drift(
    key: str,
    title: str,
    unit: str,
    better: Literal["higher", "lower"],
    figure: Callable[[Drift], Figure | None],
    tied: Callable[[Drift, Drift], bool],
) -> Measure:
    """A measure of outputs; nothing is known of it where a subject has no samples."""

    def figure_of(report: Report) -> Figure | None:
        return None if report.output_drift is None else figure(report.output_drift)

    def tied_in(first: Report, second: Report) -> bool:
        one, other = first.output_drift, second.output_drift
        return one is not None and other is not None and tied(one, other)

    return Measure(key, title, unit, better, figure_of, tied_in)


MEASURES = (
    Measure("requested", "Sparsity, requested", "fraction", "", lambda report: _exact(report.sparsity["requested"], 0)),
    Measure("achieved", "Sparsity, achieved", "fraction", "", lambda report: _exact(report.sparsity["achieved"], 0)),
    Measure(
        "of_weights",
        "Sparsity of all weights",
        "fraction",
        "",
        lambda report: _exact(report.sparsity["achieved_of_weights"], 0),
    ),
    Measure("parameters", "Parameters left", "count", "lower", lambda report: _left(report.sparsity), near=NEAR),
    Measure("quality", "Quality", "fraction", "higher", _quality, _same_quality),
    _of_drift("agreement", "Agreement with dense", "fraction", "higher", _agreement, _same_agreement),
    _of_drift("kl_nats", "Drift, KL (dense ‖ pruned)", "nats", "lower", _kl, _same_kl),
    _of_drift("sqnr_db", "SQNR of the logits", "dB", "higher", _sqnr, _same_sqnr),
    Measure("macs", "Multiply-adds, theoretical", "count", "lower", lambda report: _macs(report.cost), near=NEAR),
)
