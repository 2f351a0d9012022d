"""Common errors of tutorials: each is a fold, and what is in it is computed when it is opened."""

from collections.abc import Callable

import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.lessons.catalog import built_in_catalog
from pruning_explorer.lessons.mistakes import MISTAKES, Mistake, find_out
from pruning_explorer.ui.hand_over import hand_over
from pruning_explorer.ui.learn.stage import draw_panels
from pruning_explorer.ui.plain_text import plain


def draw_mistakes(open_lesson: Callable[[str], None]) -> None:
    """Every common error as a fold, with the check that shows what is so.

    Args:
        open_lesson: leaves for a lesson by its name; called in a run, not in a callback.
    """
    st.title("Common errors", anchor=False)
    st.markdown(
        "Sentences that stand in many tutorials and are not so. Open one: its check runs here and now, by the same "
        "engine as the other pages."
    )
    for mistake in MISTAKES:
        key = f"learn_mistake_{mistake.name}"
        fold = st.expander(mistake.claim, key=key, on_change="rerun")
        if fold.open:
            with fold:
                _draw(mistake, key, open_lesson)


def _draw(mistake: Mistake, key: str, open_lesson: Callable[[str], None]) -> None:
    try:
        finding = find_out(mistake)
    except PruningExplorerError as error:
        st.error(plain(str(error), longest=900), icon=":material/error:")
        return
    st.markdown(mistake.tell(finding))
    draw_panels(finding.panels, key=f"{key}_panels")
    with st.container(key=f"{key}_ways_on", horizontal=True):
        if st.button("Open in Explore", key=f"{key}_explore", icon=":material/open_in_new:"):
            hand_over("explore", mistake.network, mistake.recipe)
        lesson = built_in_catalog().lessons.get(mistake.lesson)
        if lesson is not None and st.button(
            f"Lesson: {plain(lesson.title)}", key=f"{key}_lesson", type="tertiary", icon=":material/school:"
        ):
            open_lesson(lesson.name)
