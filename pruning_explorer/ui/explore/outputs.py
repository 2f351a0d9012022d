"""What the network answers, sample by sample: dense beside pruned."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st
import torch
from numpy.typing import NDArray

from pruning_explorer.exports.csv_table import inert
from pruning_explorer.figures.gallery import class_name, image_gallery, number_table, text_gallery
from pruning_explorer.figures.numbers import MISSING, count
from pruning_explorer.figures.sample_points import DecisionRegions, sample_points
from pruning_explorer.measure.drift import top1
from pruning_explorer.measure.forward import masked_outputs
from pruning_explorer.measure.quality import true_answers
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.subject import SampleView
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.not_runnable import explain_not_runnable
from pruning_explorer.ui.session import Key
from pruning_explorer.ui.show_chart import show_chart

CARDS = 12
_SHOWN = Key[int]("cards", CARDS)
ANSWERS = ("dense_top1", "pruned_top1")
GRID = 96
"""Points along each side of the grid on which a network with two inputs is run, for its decision regions."""


def draw_outputs(report: Report) -> None:
    """Sample inputs with both answers, flipped ones first and marked."""
    samples, outcome, view = report.drift, report.outcome, report.subject.view
    if samples is None or outcome is None:
        explain_not_runnable(report.subject, "it answers nothing")
        return
    flipped = int((~samples["agrees"]).sum())
    st.caption(
        f"{count(flipped)} of {count(len(samples))} answers flip: dense and pruned network answer differently. "
        "Beside each answer stands how sure the network is of it (probability)."
    )
    ordered = flipped_first(samples)
    kind = None if view is None else view.kind
    if view is None or (isinstance(samples["dense_top1"].iloc[0], tuple) and kind != "text"):
        _table(_spelled(ordered, report.subject.output_names), report, None)
    elif kind == "point":
        _points(report, view, samples)
    elif kind == "image":
        shown = _first(ordered)
        st.html(image_gallery(shown, np.asarray(view.values), report.subject.output_names, true_labels(report)))
        _more(len(ordered))
    elif kind == "text":
        shown = _first(ordered)
        st.html(text_gallery(_texts(shown, report, view)))
        _more(len(ordered))
    else:
        _table(ordered, report, view)


def flipped_first(samples: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``sample_drift``, those that flip before the others, of both the most drifted first."""
    return samples.sort_values(["agrees", "kl_nats"], ascending=[True, False], kind="stable", na_position="first")


def _first(ordered: pd.DataFrame) -> pd.DataFrame:
    return ordered.head(_SHOWN.get())


def _more(total: int) -> None:
    if _SHOWN.get() < total:
        st.button(
            f"Show {CARDS} more of {count(total)}",
            key="more_cards",
            on_click=lambda: _SHOWN.set(_SHOWN.get() + CARDS),
        )


def true_labels(report: Report) -> NDArray[np.int64] | None:
    """The right answers, where they are known and are answers that this network can give."""
    labels = None if report.outcome is None else true_answers(report.subject, report.outcome.dense)
    answers = None if report.output_drift is None else report.output_drift.dense_top1
    return labels if labels is not None and answers is not None and labels.size == answers.size else None


def _points(report: Report, view: SampleView, samples: pd.DataFrame) -> None:
    points = np.asarray(view.values)
    subject = report.subject
    chart = sample_points(samples, points, subject.output_names, true_labels(report), _regions(report, points))
    show_chart(chart, "sample_points")


def _regions(report: Report, points: NDArray[np.floating]) -> DecisionRegions:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.05 * (high - low)
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], GRID) for i in (0, 1))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
    asked = replace(report.subject, samples=(torch.from_numpy(grid),), labels=None, groups=None)
    answers = top1(masked_outputs(asked, report.masks)).numpy().reshape(GRID, GRID)
    return DecisionRegions(x, y, answers)


def _texts(shown: pd.DataFrame, report: Report, view: SampleView) -> pd.DataFrame:
    names, labels = report.subject.output_names, true_labels(report)
    numbers = shown["sample"].to_numpy()
    frame = shown.assign(
        prompt=[str(view.values[i]) for i in numbers],
        dense=[spelled(answer, names) for answer in shown["dense_top1"]],
        pruned=[spelled(answer, names) for answer in shown["pruned_top1"]],
    )
    if labels is not None:
        frame["true"] = [spelled(labels[i].tolist(), names) for i in numbers]
    return frame


def _spelled(ordered: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Answers as a table shows them: sequences as text, numbers as they are."""
    if not isinstance(ordered["dense_top1"].iloc[0], tuple):
        return ordered
    return ordered.assign(**{side: [spelled(each, names) for each in ordered[side]] for side in ANSWERS})


def spelled(answer: int | Sequence[int], names: Sequence[str]) -> str:
    """An answer in words: a class, or the signs of a sequence; a dash where there is none."""
    if not isinstance(answer, Sequence):
        return MISSING if answer < 0 else class_name(names, int(answer))
    if not names:
        return " ".join(map(str, answer))
    return "".join(names[i] if 0 <= i < len(names) else "·" for i in answer)


def _table(ordered: pd.DataFrame, report: Report, view: SampleView | None) -> None:
    values = np.asarray(view.values) if view is not None and view.kind == "numbers" else None
    labels = true_labels(report)
    table = number_table(
        ordered, values, report.subject.output_names, labels if labels is not None and labels.ndim == 1 else None
    )
    st.dataframe(
        inert(table),
        key="outputs_table",
        hide_index=True,
        height="content" if len(table) <= 10 else 420,
        column_config={
            "sample": st.column_config.NumberColumn("Sample", pinned=True),
            "flipped": st.column_config.TextColumn(
                "Flipped", help=help_with_glossary_link("The pruned network's top answer is another one.", "flipped")
            ),
            "input": st.column_config.TextColumn(
                "Input", help=help_with_glossary_link("The numbers that go in.", "sample")
            ),
            "true": st.column_config.TextColumn("True"),
            "dense": st.column_config.TextColumn(
                "Dense says", help=help_with_glossary_link("The largest output of the dense network.", "top-answer")
            ),
            "pruned": st.column_config.TextColumn(
                "Pruned says", help=help_with_glossary_link("The largest output of the pruned network.", "top-answer")
            ),
            "dense probability": st.column_config.NumberColumn("How sure, dense", format="percent"),
            "pruned probability": st.column_config.NumberColumn("How sure, pruned", format="percent"),
        },
    )
