"""Quality and drift of every recipe over the whole range of amounts."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pruning_explorer.comparison_charts import curves_chart
from pruning_explorer.figures.colours import recipe_look
from pruning_explorer.figures.curve_traces import Axis
from pruning_explorer.figures.recipe_names import with_labels
from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.lab.curves import CurveJob, CurveQueue, new_curve
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.samples import load_sample, sample_names
from pruning_explorer.ui import session
from pruning_explorer.ui.compare import columns
from pruning_explorer.ui.compare.amount import send_all_curves
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.decision import draw_decision
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.not_runnable import explain_not_runnable
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.progress import Progress, draw_as_it_comes, draw_progress, is_waited_for
from pruning_explorer.ui.session import Key, session_id
from pruning_explorer.ui.show_chart import clicked_point, show_chart

AXES: dict[Axis, str] = {"sparsity": "Sparsity", "compression": "Compression, log"}
_AXIS = Key[Axis]("comparison_axis")
PROGRESS_HEIGHT = 60
"""Height in pixels of the progress bar and of the line that replaces it; equal, so that nothing moves at the end."""

_QUEUE = CurveQueue()


def ask_curves(subject: Subject, recipes: Sequence[Recipe]) -> CurveJob:
    """The work on the curves of recipes, begun if it is not; of no amounts where nothing can be measured."""
    if subject.samples is None:
        return CurveJob(subject, [new_curve(recipe, ()) for recipe in recipes])
    # By its name other processes can load a sample; a person's own network stays in this one
    load = load_sample if subject.name in sample_names() else None
    return _QUEUE.ask(subject, recipes, session_id(), load)


def draw_curves(shown: Comparison) -> None:
    """All curves as far as they are measured, and where each recipe stands on its own."""
    if shown.subject.samples is None:
        explain_not_runnable(shown.subject, "neither quality nor drift can be measured")
        return
    st.segmented_control(
        "Axis",
        list(AXES),
        key=_AXIS,
        default="sparsity",
        format_func=AXES.__getitem__,
        required=True,
        help=help_with_glossary_link(
            "What the curves run over: the share of all weights that is gone, or how many times fewer are left.",
            "sparsity",
            "compression",
        ),
        persist_state="session",
    )
    waiting = is_waited_for(shown.job)
    # While points come in, only this part of the page is drawn anew
    draw_as_it_comes([shown.job], lambda: _draw(shown, waiting), "curves_part")
    save_table("curves", lambda: with_labels(shown.curves, shown.names))


def _draw(shown: Comparison, waiting: bool) -> bool:
    job = shown.job
    send_all_curves(shown)
    chart = curves_chart(shown, _AXIS.get())
    show_chart(chart, "comparison_curves", on_click=_take_click)
    draw_progress(_QUEUE, job, "curves_progress", PROGRESS_HEIGHT, _progress(shown))
    letters = [recipe_look(i).letter for i in range(len(job.curves))]
    deciding = draw_decision(job, [entry.recipe.amount for entry in shown.entries], columns.set_amount, letters)
    for name, problem, told in zip(shown.names, job.problems, shown.failures, strict=True):
        if problem and not told:
            st.warning(f"The curve of {plain(name)} stops: {plain(problem)}", icon=":material/warning:")
    if (waiting and not is_waited_for(job)) or session.OPEN_IN_EXPLORE.get():
        st.rerun()  # the rest of the page has a use for all of them
    return deciding


def _progress(shown: Comparison) -> Progress:
    job = shown.job
    slow = ", ".join(recipe_look(i).letter for i, e in enumerate(shown.entries) if not e.recipe.nested)
    steps = f"; {slow} in steps, which takes long" if slow else ""
    return Progress(
        job.progress,
        f"Measuring all curves{steps}: {job.progress:.0%}",
        f"Cancelled at {job.measured} of {job.planned} points.",
        "Click a point to open that recipe in Explore." if job.done else "",
        "Measure the rest",
    )


def _take_click() -> None:
    point = clicked_point("comparison_curves")
    if point is None or "customdata" not in point:
        return
    words = point["customdata"]
    position, seed, amount = (words if isinstance(words, str) else words[0]).split("|")
    if int(position) < len(columns.columns()):
        recipe = columns.columns()[int(position)].recipe
        session.OPEN_IN_EXPLORE.set(replace(recipe, seed=int(seed), amount=float(amount)))
