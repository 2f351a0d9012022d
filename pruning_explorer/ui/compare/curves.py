"""Quality and drift of every recipe over the whole range of amounts."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from pruning_explorer.figures.chart import CONFIG
from pruning_explorer.figures.comparison_curves import Axis, comparison_curves
from pruning_explorer.lab.comparison import pareto_front
from pruning_explorer.lab.curves import CurveDesk, CurveJob
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.measure.quality import quality_of
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.sources.samples import load_subject
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.compare.side_by_side import SideBySide
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.session import session_id

SECONDS_BETWEEN_LOOKS = 0.5
AXES: dict[Axis, str] = {"sparsity": "Sparsity", "compression": "Compression, log"}
PROGRESS_HEIGHT = 48
"""Of the progress bar, and of the line that takes its place: nothing moves when the work is done."""

_DESK = CurveDesk()


def draw_curves(shown: SideBySide, recipes: Sequence[Recipe]) -> None:
    """All curves as far as they are measured, and where each recipe stands on its own."""
    if shown.subject.samples is None:
        st.info("This network has no sample inputs, so there is nothing to measure quality or drift on.")
        return
    st.segmented_control(
        "Axis",
        list(AXES),
        key="comparison_axis",
        default="sparsity",
        format_func=AXES.__getitem__,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    job = _DESK.ask(shown.subject, recipes, session_id(), load=load_subject)
    waiting = not job.done
    # While points come in, only this part of the page is drawn anew
    st.fragment(_draw, run_every=SECONDS_BETWEEN_LOOKS if waiting else None)(shown, job, waiting)
    save_table("curves", job.frame)


def _draw(shown: SideBySide, job: CurveJob, waiting: bool) -> None:
    done, frame = job.done, job.frame()
    subject = shown.subject
    chart = comparison_curves(
        frame,
        shown.names,
        dense_quality=quality_of(subject, dense_outputs(subject)) if len(frame) else None,
        quality_name=subject.quality_name,
        axis=st.session_state["comparison_axis"],
        standing=_standing(shown),
        front=pareto_front(frame) if len(frame) else None,
        planned=None if done else sum(curve.planned for curve in job.curves),
    )
    st.plotly_chart(
        chart.figure,
        key="comparison_curves",
        alt=chart.alt,
        on_select=_take_click,
        selection_mode="points",
        config=CONFIG,
    )
    with st.container(height=PROGRESS_HEIGHT, border=False, key="curves_progress"):
        if done:
            st.caption(
                f"Measured on the same {subject.sample_count} samples; a random method under five seeds. "
                "Click a point to open that recipe in Explore."
            )
        else:
            st.progress(job.progress, f"Measuring every recipe at other amounts: {job.progress:.0%}")
    for name, problem in zip(shown.names, job.problems, strict=True):
        if problem:
            st.warning(f"The curve of {plain(name)} stops: {plain(problem)}", icon=":material/warning:")
    if (done and waiting) or "open_in_explore" in st.session_state:
        st.rerun()  # the one run that stops the looking


def _standing(shown: SideBySide) -> pd.DataFrame:
    rows = []
    for position, study in enumerate(shown.studies):
        if study is None or study.drift is None:
            continue
        drift, sparsity = study.drift.totals(), float(study.sparsity["achieved_of_weights"] or 0)
        rows.append(
            {
                "recipe": position,
                "seed": study.recipe.seed,
                "amount": study.recipe.amount,
                "sparsity": sparsity,
                "compression": float("inf") if sparsity == 1 else 1 / (1 - sparsity),
                "quality": None if study.quality is None else float(study.quality["pruned"].iloc[0]),
                "kl_nats": drift["kl_nats"],
                "agreement": drift["agreement"],
            }
        )
    columns = ["recipe", "seed", "amount", "sparsity", "compression", "quality", "kl_nats", "agreement"]
    return pd.DataFrame(rows, columns=columns).astype({"quality": float})


def _take_click() -> None:
    points = st.session_state["comparison_curves"]["selection"]["points"]
    if not points or "customdata" not in points[0]:
        return
    words = points[0]["customdata"]
    position, seed, amount = (words if isinstance(words, str) else words[0]).split("|")
    recipes = st.session_state["columns"]
    if int(position) < len(recipes):
        recipe = recipes[int(position)].recipe
        st.session_state["open_in_explore"] = replace(recipe, seed=int(seed), amount=float(amount))
