"""The curves of all recipes, which are the slider of all their amounts at once."""

from collections.abc import Sequence

import pandas as pd

from pruning_explorer.figures.colours import recipe_look
from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.lab.curve_points import Point
from pruning_explorer.measure.quality import dense_level, quality_label
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui import session, state
from pruning_explorer.ui.amount_curve import amount_curve, released_on_curve, send_curves
from pruning_explorer.ui.compare import columns
from pruning_explorer.ui.not_runnable import why_not_runnable
from pruning_explorer.ui.progress import is_waited_for

KEY = "amount_of_all"
PAGE = "compare"
"""The store of what is about the whole page, in the browser."""
FIGURES = ["quality", "quality_low", "quality_high", "agreement", "kl_nats"]


def draw_amount_of_all(subject: Subject, recipes: Sequence[Recipe]) -> None:
    """The slider, on which the curves appear once :func:`send_all_curves` sends them."""
    amounts = [recipe.amount for recipe in recipes]
    same = len(set(amounts)) == 1
    looks = [recipe_look(i) for i in range(len(amounts))]
    amount_curve(
        key=KEY,
        page=PAGE,
        label="Amount of all",
        exact="Amount of all, exact, %",
        amount=amounts[0] if same else None,
        own=[] if same else [(look.letter, look.colour, each) for look, each in zip(looks, amounts, strict=True)],
        revision=session.LAST_RELEASE.get(),
        group=state.SHARED_AMOUNT,
        note=why_not_runnable(subject) if subject.samples is None else "",
        on_release=take_amount_of_all,
    )


def take_amount_of_all() -> None:
    """Give every recipe what the handle was let go at, unless that is taken already."""
    if columns.COLUMNS.is_set():
        state.take_release(released_on_curve(KEY), columns.set_amount_of_all)


def send_all_curves(shown: Comparison) -> None:
    """Send the curves as far as they are measured; of a recipe with several seeds the median."""
    subject, job = shown.subject, shown.job
    points = _medians(shown)
    send_curves(
        PAGE,
        [(recipe_look(i), points.get(i, [])) for i in range(len(shown.entries))],
        planned=job.planned,
        measured=job.measured,
        quality_name=quality_label(subject),
        dense_quality=dense_level(subject) if points else None,
        samples=subject.sample_count,
        done=job.done,
        note="Measuring what each amount costs …" if is_waited_for(job) else "",
    )


def _medians(shown: Comparison) -> dict[int, list[Point]]:
    """The points of each recipe by its position, with what the page itself has measured where the recipes stand."""
    measured = shown.job.frame()
    if measured.empty:
        return {}
    frame = pd.concat([measured, shown.current_points]).drop_duplicates(["recipe", "seed", "amount"])
    found: dict[int, list[Point]] = {}
    for row in frame.groupby(["recipe", "amount"])[FIGURES].median().reset_index().to_dict("records"):
        found.setdefault(int(row["recipe"]), []).append({str(name): value for name, value in row.items()})
    return found
