"""Learn: lessons that are live, on networks that one can see whole."""

import streamlit as st

from pruning_explorer.ui import session
from pruning_explorer.ui.address_problems import tell_problems
from pruning_explorer.ui.learn import catalogs, state
from pruning_explorer.ui.learn.address import take_address, write_address
from pruning_explorer.ui.learn.glossary import draw_glossary
from pruning_explorer.ui.learn.heading import draw_turning, draw_views
from pruning_explorer.ui.learn.mistakes import draw_mistakes
from pruning_explorer.ui.learn.own_lessons import draw_own_lessons
from pruning_explorer.ui.learn.reading import draw_lesson
from pruning_explorer.ui.learn.style import draw_style


def learn() -> None:
    """The Learn page, top to bottom."""
    catalog = catalogs.catalog()
    if session.just_arrived():
        state.restore_position()
    take_address(catalog.lessons)
    lesson = state.lesson_open(catalog.lessons)
    draw_style(in_front=session.LEARN_PRESENT.get())
    with st.container(key="learn_heading"):
        draw_views(lesson)
        if state.OPEN_VIEW.get() == "lessons":
            draw_turning(catalog.lessons, lesson)
        tell_problems(session.LEARN_PROBLEMS)
        if catalog.problems and state.OPEN_VIEW.get() == "lessons":
            st.caption(f":material/warning: Not every lesson's file could be read; “{state.VIEWS['add']}” says which.")
    match state.OPEN_VIEW.get():
        case "glossary":
            draw_glossary(session.LEARN_WORD.get(), state.open_at)
        case "mistakes":
            draw_mistakes(_turn_to)
        case "add":
            draw_own_lessons()
        case _:
            draw_lesson(catalog.lessons, lesson)
    write_address(lesson)


def _turn_to(name: str) -> None:
    state.open_at(name)
    st.rerun()
