"""What the network answers, sample by sample: dense beside pruned."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st
import torch
from numpy.typing import NDArray

from pruning_explorer.figures.chart import CONFIG
from pruning_explorer.figures.gallery import image_gallery, number_table, text_gallery
from pruning_explorer.figures.numbers import count
from pruning_explorer.figures.sample_points import DecisionRegions, sample_points
from pruning_explorer.lab.study import Study
from pruning_explorer.measure.drift import top1
from pruning_explorer.measure.forward import masked_outputs
from pruning_explorer.prune.subject import SampleView, Subject

CARDS = 12
GRID = 96
"""Points a side at which a network of two inputs is asked for its decision regions."""


def draw_outputs(study: Study) -> None:
    """Sample inputs with both answers, flipped ones first and marked."""
    samples, outcome, view = study.samples, study.outcome, study.subject.view
    if samples is None or outcome is None:
        st.info("This network has no sample inputs, so there is nothing to run it on.")
        return
    flipped = int((~samples["agrees"]).sum())
    st.caption(
        f"{count(flipped)} of {count(len(samples))} answers flip: dense and pruned network answer differently. "
        "Beside each answer stands how sure the network is of it (probability)."
    )
    ordered = samples.sort_values(["agrees", "kl_nats"], ascending=[True, False], kind="stable", na_position="first")
    if view is not None and view.kind == "point":
        _points(study, view, samples)
    elif view is not None and view.kind == "image":
        shown = _first(ordered)
        st.html(image_gallery(shown, np.asarray(view.values), study.subject.output_names, _labels(study.subject)))
        _more(len(ordered))
    elif view is not None and view.kind == "text":
        shown = _first(ordered)
        st.caption("Each digit is answered with the true digits before it given.")
        st.html(text_gallery(_texts(shown, study.subject, view)))
        _more(len(ordered))
    else:
        _table(ordered, study.subject, view)


def _first(ordered: pd.DataFrame) -> pd.DataFrame:
    return ordered.head(st.session_state.setdefault("cards", CARDS))


def _more(total: int) -> None:
    if st.session_state["cards"] < total:
        st.button(
            f"Show {CARDS} more of {count(total)}",
            key="more_cards",
            on_click=lambda: st.session_state.update(cards=st.session_state["cards"] + CARDS),
        )


def _labels(subject: Subject) -> NDArray[np.int64] | None:
    return None if subject.labels is None else subject.labels.numpy()


def _points(study: Study, view: SampleView, samples: pd.DataFrame) -> None:
    points = np.asarray(view.values)
    subject = study.subject
    chart = sample_points(samples, points, subject.output_names, _labels(subject), _regions(study, points))
    st.plotly_chart(chart.figure, key="sample_points", alt=chart.alt, config=CONFIG)


def _regions(study: Study, points: NDArray[np.floating]) -> DecisionRegions:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.05 * (high - low)
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], GRID) for i in (0, 1))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
    asked = replace(study.subject, samples=(torch.from_numpy(grid),), labels=None, groups=None)
    answers = top1(masked_outputs(asked, study.masks)).numpy().reshape(GRID, GRID)
    return DecisionRegions(x, y, answers)


def _texts(shown: pd.DataFrame, subject: Subject, view: SampleView) -> pd.DataFrame:
    names = subject.output_names
    numbers = shown["sample"].to_numpy()
    frame = shown.assign(
        prompt=[str(view.values[i]) for i in numbers],
        dense=[_spell(answer, names) for answer in shown["dense_top1"]],
        pruned=[_spell(answer, names) for answer in shown["pruned_top1"]],
    )
    if subject.labels is not None:
        frame["true"] = [_spell(subject.labels[i].tolist(), names) for i in numbers]
    return frame


def _spell(answer: Sequence[int], names: Sequence[str]) -> str:
    return "".join(names[i] if 0 <= i < len(names) else "·" for i in answer)


def _table(ordered: pd.DataFrame, subject: Subject, view: SampleView | None) -> None:
    if view is None or view.kind != "numbers":
        table = ordered.drop(columns=["cosine", "l2_normalised", "sqnr_db"])
    else:
        table = number_table(ordered, np.asarray(view.values), subject.output_names, _labels(subject))
    st.dataframe(
        table,
        key="outputs_table",
        hide_index=True,
        height=420,
        column_config={
            "sample": st.column_config.NumberColumn("Sample", pinned=True),
            "flipped": st.column_config.TextColumn("Flipped", help="The pruned network's top answer is another one."),
            "input": st.column_config.TextColumn("Input", help="The numbers that go in."),
            "true": st.column_config.TextColumn("True"),
            "dense": st.column_config.TextColumn("Dense says", help="The largest output of the dense network."),
            "pruned": st.column_config.TextColumn("Pruned says", help="The largest output of the pruned network."),
            "dense probability": st.column_config.NumberColumn("How sure, dense", format="percent"),
            "pruned probability": st.column_config.NumberColumn("How sure, pruned", format="percent"),
        },
    )
