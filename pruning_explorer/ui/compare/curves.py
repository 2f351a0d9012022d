"""Quality and drift of every recipe over the whole range of amounts."""

from dataclasses import replace

import streamlit as st

from pruning_explorer.comparison_report import curves_chart
from pruning_explorer.figures.colours import recipe_look
from pruning_explorer.figures.curve_traces import Axis
from pruning_explorer.figures.recipe_names import with_labels
from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.lab.curves import CurveDesk, CurveJob
from pruning_explorer.sources.samples import load_sample, sample_names
from pruning_explorer.ui.compare import columns as shelf
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.decision import draw_decision
from pruning_explorer.ui.glossary_link import with_word
from pruning_explorer.ui.look_again import draw_until_done
from pruning_explorer.ui.nothing_runs import tell_why_nothing_runs
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import Progress, draw_progress, is_waited_for
from pruning_explorer.ui.session import session_id
from pruning_explorer.ui.show_chart import show_chart

SECONDS_BETWEEN_LOOKS = 0.5
AXES: dict[Axis, str] = {"sparsity": "Sparsity", "compression": "Compression, log"}
PROGRESS_HEIGHT = 112
"""Of the progress bar, and of the line that takes its place: nothing moves when the work is done."""

_DESK = CurveDesk()


def draw_curves(shown: Comparison) -> CurveJob | None:
    """All curves as far as they are measured, and where each recipe stands on its own.

    Returns:
        The work on them; None where there is nothing to measure them on.
    """
    if shown.subject.samples is None:
        tell_why_nothing_runs(shown.subject, "neither quality nor drift can be measured")
        return None
    st.segmented_control(
        "Axis",
        list(AXES),
        key="comparison_axis",
        default="sparsity",
        format_func=AXES.__getitem__,
        required=True,
        help=with_word(
            "What the curves run over: the share of all weights that is gone, or how many times fewer are left.",
            "sparsity",
            "compression",
        ),
        persist_state="session",
    )
    # By its name other processes can load a sample; a person's own network stays in this one
    load = load_sample if shown.subject.name in sample_names() else None
    job = _DESK.ask(shown.subject, [entry.recipe for entry in shown.entries], session_id(), load)
    waiting = is_waited_for(job)
    # While points come in, only this part of the page is drawn anew
    draw_until_done(lambda: _draw(shown, job, waiting), key="curves_part", seconds=SECONDS_BETWEEN_LOOKS)
    save_table("curves", lambda: with_labels(job.frame(), shown.names))
    return job


def _draw(shown: Comparison, job: CurveJob, waiting: bool) -> bool:
    still = is_waited_for(job)
    planned = None if job.done else sum(curve.planned for curve in job.curves)
    chart = curves_chart(replace(shown, curves=job.frame()), st.session_state["comparison_axis"], planned)
    show_chart(chart, "comparison_curves", on_click=_take_click)
    draw_progress(_DESK, job, "curves_progress", PROGRESS_HEIGHT, _progress(shown, job))
    letters = [recipe_look(i).letter for i in range(len(job.curves))]
    deciding = draw_decision(job, [entry.recipe.amount for entry in shown.entries], shelf.set_amount, letters)
    for name, problem, told in zip(shown.names, job.problems, shown.problems, strict=True):
        if problem and not told:
            st.warning(f"The curve of {plain(name)} stops: {plain(problem)}", icon=":material/warning:")
    if (waiting and not still) or "open_in_explore" in st.session_state:
        st.rerun()  # the rest of the page has a use for all of them
    return still or deciding


def _progress(shown: Comparison, job: CurveJob) -> Progress:
    slow = ", ".join(recipe_look(i).letter for i, e in enumerate(shown.entries) if not e.recipe.nested)
    steps = f"; {slow} in steps at each of them, which takes long" if slow else ""
    return Progress(
        job.progress,
        f"Measuring every recipe at other amounts{steps}: {job.progress:.0%}",
        f"Cancelled at {job.standing} of {job.planned} points.",
        "Click a point to open that recipe in Explore." if job.done else "",
        "Measure the rest",
    )


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
