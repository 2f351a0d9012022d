"""One lesson, top to bottom: its idea, a thing to play with, a question, the truth, and ways on."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.lessons.catalog import built_in_catalog
from pruning_explorer.lessons.lesson import Lesson, fill
from pruning_explorer.lessons.scene import Stage
from pruning_explorer.lessons.stages import stage_of
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.settings import Value
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui.hand_over import hand_over
from pruning_explorer.ui.learn import state
from pruning_explorer.ui.learn.heading import draw_title
from pruning_explorer.ui.learn.in_short import draw_in_short
from pruning_explorer.ui.learn.knobs import draw_knobs
from pruning_explorer.ui.learn.question import draw_on_paper, draw_question
from pruning_explorer.ui.learn.stage import draw_stage, released_stop
from pruning_explorer.ui.learn.trials import draw_trial
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.subjects import find_subject


def draw_lesson(lessons: Mapping[str, Lesson], lesson: Lesson) -> None:
    """The lesson that is open, as it stands."""
    names = list(lessons)
    number = names.index(lesson.name) + 1
    try:
        subject = find_subject(str(state.value_of(lesson, state.NETWORK)))
        values = _knob_values(lesson)
        with st.spinner("Preparing every picture of it once …", show_time=True):
            stage = stage_of(subject, lesson.scene, values)
        _take_release(lesson, subject, stage)
        stop = _stop(lesson, stage)
        say = partial(fill, stage=stage, scene=lesson.scene, stop=stop, plain=plain)
        with st.container(key="learn_lesson"):
            _draw(lesson, number, subject, stage, stop, say)
            _ways_on(lessons[names[number]] if number < len(names) else None, subject, stage.recipe(stop))
        if lesson.name == [*built_in_catalog().lessons][-1]:
            draw_in_short()
    except PruningExplorerError as error:
        st.error(plain(str(error), longest=900), icon=":material/error:")
        if lesson.any_network and state.value_of(lesson, state.NETWORK) != lesson.network:
            st.button(
                f"Back to {lesson.network}",
                key="learn_back_to_network",
                on_click=partial(state.set_value, lesson, state.NETWORK, lesson.network),
            )


def _draw(lesson: Lesson, number: int, subject: Subject, stage: Stage, stop: int, say: "partial[str]") -> None:
    with st.container(key="learn_words"):
        draw_title(lesson, number, say(lesson.idea))
        st.markdown(say(lesson.text))
        st.markdown(f":material/touch_app: **Try it.** {say(lesson.play)}")
        draw_on_paper(lesson, say)
    with st.container(key="learn_play"):
        draw_knobs(lesson)
        _stage(lesson, subject, stage, stop)
        draw_trial(lesson, subject, _knob_values(lesson), stop)
    with st.container(key="learn_asked"):
        draw_question(lesson, say)


def _ways_on(following: Lesson | None, subject: Subject, recipe: Recipe) -> None:
    with st.container(key="learn_ways_on", horizontal=True):
        if st.button("Open this in Explore", key="learn_to_explore", icon=":material/open_in_new:"):
            hand_over("explore", subject.name, recipe)
        if following is not None:
            st.button(
                f"Next: {plain(following.title)}",
                key="learn_onwards",
                icon=":material/arrow_forward:",
                icon_position="right",
                on_click=state.open_at,
                args=(following.name,),
            )


def _stage(lesson: Lesson, subject: Subject, stage: Stage, stop: int) -> None:
    slider = lesson.scene.slider
    start = state.start_of(lesson, stop)
    draw_stage(
        stage,
        key=_stage_key(lesson, subject),
        label=slider.label if slider else "",
        help=slider.help if slider else "",
        start=start.stop,
        turn=start.turn,
        on_release=partial(_take_release, lesson, subject, stage),
    )


def _stage_key(lesson: Lesson, subject: Subject) -> str:
    # Another network may have other stops: its slider begins anew, where this one stands
    return f"learn_stage_{lesson.name}_{subject.name}_{state.EDITION.get()}"


def _take_release(lesson: Lesson, subject: Subject, stage: Stage) -> None:
    """Take where the slider was let go: when the browser says so, and in each run, since nobody says it again where
    that was stopped.
    """
    slider, released = lesson.scene.slider, released_stop(_stage_key(lesson, subject))
    if slider is None or stage.slider is None or released is None:
        return
    if released.stop < len(stage.slider.stops):  # a knob may have given it fewer since
        value = _typed(slider.default, stage.slider.stops[released.stop])
        state.take_release(released.revision, lambda: state.set_value(lesson, slider.name, value))


def _typed(default: Value, value: float) -> Value:
    return int(value) if isinstance(default, int) else value


def _stop(lesson: Lesson, stage: Stage) -> int:
    if lesson.scene.slider is None or stage.slider is None:
        return 0
    return stage.slider.nearest(float(state.value_of(lesson, lesson.scene.slider.name)))


def _knob_values(lesson: Lesson) -> dict[str, Value]:
    return {knob.setting.name: state.value_of(lesson, knob.setting.name) for knob in lesson.scene.knobs}
