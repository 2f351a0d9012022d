"""The top of the Learn page: which part of it, which lesson, and what a teacher needs."""

from collections.abc import Mapping

import streamlit as st

from pruning_explorer.lessons.lesson import Lesson
from pruning_explorer.ui.controlled_widget import controlled_widget
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.learn import state
from pruning_explorer.ui.learn.front import draw_front
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.session import LEARN_PRESENT


def draw_views(lesson: Lesson) -> None:
    """Choose among lessons, glossary and errors; large type; the hand-out."""
    with st.container(key="learn_heading_views", horizontal=True, vertical_alignment="center"):
        view = controlled_widget("learn_view_chosen", state.OPEN_VIEW.get())
        st.segmented_control(
            "Part of the page",
            list(state.VIEWS),
            default=view.value,
            key=view.key,
            format_func=lambda view: state.VIEWS[view],
            required=True,
            label_visibility="collapsed",
            on_change=view.on_change(state.OPEN_VIEW.set),
        )
        st.toggle(
            "Large type",
            key=LEARN_PRESENT,
            persist_state="session",
            help=help_with_glossary_link(
                "For a projector: large type, all of the width, and a clicker's PageDown and PageUp turn the lessons.",
                "lesson",
            ),
        )
        if state.OPEN_VIEW.get() == "lessons":
            draw_front(
                leaf=lesson.name,
                label="Print a hand-out",
                help="The pictures as they stand, the question, and no answer; or save it as PDF",
                clicker=LEARN_PRESENT.get(),
            )


def draw_turning(lessons: Mapping[str, Lesson], lesson: Lesson) -> None:
    """Previous, the list of all, next, and how far one is."""
    names = list(lessons)
    at = names.index(lesson.name)
    given = state.ANSWERS.get()
    with st.container(key="learn_turning", horizontal=True, vertical_alignment="bottom"):
        _turn("Previous", "learn_previous", names, -1, "P", ":material/arrow_back:", end=not at)
        labels = {_listed(lessons, name): name for name in names}
        # By its label, which is what the browser reports: one that has changed is another choice
        chosen = controlled_widget("learn_chosen", _listed(lessons, lesson.name))
        st.selectbox(
            "Lesson",
            list(labels),
            index=at,
            key=chosen.key,
            label_visibility="collapsed",
            filter_mode=None,
            on_change=chosen.on_change(lambda label: state.open_at(labels[label])),
        )
        _turn("Next", "learn_next", names, 1, "N", ":material/arrow_forward:", end=at + 1 == len(names))
    answered = [name for name in names if name in given]
    right = sum(lessons[name].answers[given[name]].right for name in answered)
    with st.container(key="learn_progress", horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Lesson {at + 1} of {len(names)} · {len(answered)} answered, {right} right. "
            "Answers stay in this tab until it is reloaded, and go nowhere else."
        )
        st.button("Start over", key="learn_start_over", type="tertiary", on_click=state.start_over)


def _turn(label: str, key: str, names: list[str], by: int, shortcut: str, icon: str, end: bool) -> None:
    st.button(
        label,
        key=key,
        icon=icon,
        icon_position="right" if label == "Next" else "left",
        disabled=end,
        shortcut=shortcut,
        # From where one is by then: of two quick presses the second comes before the first is shown
        on_click=state.turn,
        args=(names, by),
    )


def _listed(lessons: Mapping[str, Lesson], name: str) -> str:
    number = list(lessons).index(name) + 1
    return f"{number} · {lessons[name].title}{' ✓' if name in state.ANSWERS.get() else ''}"


def draw_title(lesson: Lesson, number: int, idea: str) -> None:
    """What it is called and its one idea."""
    st.title(f"{number}. {plain(lesson.title)}", anchor=False)
    st.markdown(f"**{idea}**")
