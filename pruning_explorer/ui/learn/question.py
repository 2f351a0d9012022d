"""The question of a lesson: first one answers, then one is told."""

from collections.abc import Callable

import streamlit as st

from pruning_explorer.lessons.lesson import Lesson
from pruning_explorer.ui.learn import state
from pruning_explorer.ui.learn.knobs import said


def draw_question(lesson: Lesson, say: Callable[[str], str]) -> None:
    """Ask; once it is answered, say of every answer why it is right or wrong, and the truth.

    Args:
        say: puts the facts into a text.
    """
    given = state.ANSWERS.get().get(lesson.name)
    texts = [say(answer.text) for answer in lesson.answers]
    with st.container(key="learn_question"):
        st.subheader("Your guess first", anchor=False)
        chosen = st.radio(
            say(lesson.question),
            range(len(texts)),
            index=given,
            key=f"learn_answer_{lesson.name}_{state.EDITION.get()}",
            format_func=lambda number: texts[number],
        )
        st.button(
            "Show the truth" if given is None else "Answer again",
            key="learn_check",
            type="primary",
            disabled=chosen is None,
            on_click=_give,
            args=(lesson, chosen),
        )
        if given is None:
            st.caption("Choose one, then the truth is shown with why each answer is right or wrong.")
    if given is not None:
        _truth(lesson, given, texts, say)


def draw_on_paper(lesson: Lesson, say: Callable[[str], str]) -> None:
    """The question as a hand-out asks it, whether somebody has answered or not; a screen does not show it."""
    with st.container(key="learn_on_paper"):
        st.subheader("Question", anchor=False)
        st.markdown("\n\n".join([say(lesson.question), *(f"☐ {say(answer.text)}" for answer in lesson.answers)]))
        if set_to := said(lesson):
            st.markdown(f"In the pictures: {set_to}.")


def _give(lesson: Lesson, chosen: int) -> None:
    state.ANSWERS.setdefault()[lesson.name] = chosen


def _truth(lesson: Lesson, given: int, texts: list[str], say: Callable[[str], str]) -> None:
    with st.container(key="learn_truth"):
        if lesson.answers[given].right:
            st.success("Right.", icon=":material/check:")
        else:
            st.info("Not this one.", icon=":material/close:")
        for number, answer in enumerate(lesson.answers):
            mark = ":material/check_circle:" if answer.right else ":material/cancel:"
            yours = " · your answer" if number == given else ""
            verdict = "Right" if answer.right else "Wrong"
            st.markdown(f"{mark} **{texts[number]}**  \n{verdict}{yours}. {say(answer.why)}")
        st.markdown(say(lesson.truth))
