"""A lesson of one's own: one file, dropped here for a session, or in a folder for everybody."""

import streamlit as st

from pruning_explorer.errors import LessonError
from pruning_explorer.lessons.catalog import ENDING, FILES
from pruning_explorer.lessons.lesson import settings_of
from pruning_explorer.lessons.scene import Scene
from pruning_explorer.lessons.scenes import SCENES
from pruning_explorer.prune.settings import Setting, format_value
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.learn import catalogs, state
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.session import Key

PROBLEM = Key[str]("learn_file_problem", "")
EDITION = Key[int]("learn_file_edition", 0)

FORM = """
A lesson is one text file in [TOML](https://toml.io), and only data: nothing in it is executed. It picks a **scene** to
play with, says where its slider begins, and brings the words. Numbers are never typed: `{removed}` is filled with what
was computed where the slider stands, `{removed@0.2}` with what it is where the slider's value is 0.2, which is how an
address writes it. A fact brings its unit: `{sparsity}` is written 20.0 %. Braces that are no fact are doubled:
`\\frac{{a}}{{b}}`. Pictures are not fetched.

| part | what it says |
|---|---|
| `title`, `idea` | what it is called, and its one idea in a sentence |
| `scene` | one of those below |
| `network` | which network; left out, the one that the scene is made for |
| `any_network` | `true` lets one choose another network |
| `text`, `play` | what to read first, and what to try; Markdown |
| `[values]` | where the slider and the knobs begin |
| `question`, `[[answers]]` | each answer has `text` and `why`; the right one has `right = true` |
| `truth` | what is said once the question is answered |
"""


def draw_own_lessons() -> None:
    """How to write one, the box for a file, and those that this session brought."""
    st.title("Add a lesson", anchor=False)
    st.markdown(FORM)
    example = next(iter(sorted(FILES.glob(f"*{ENDING}"))))
    with st.expander("A whole lesson: the first of this page"):
        st.code(example.read_text(encoding="utf-8"), language="toml", wrap_lines=True)
    st.download_button(
        "Download it, to begin with",
        example.read_text(encoding="utf-8"),
        file_name=f"my-lesson{ENDING}",
        mime="application/toml",
        on_click="ignore",
        key="learn_example",
        icon=":material/download:",
    )
    st.subheader("Show it", anchor=False)
    _drop()
    st.caption("To show lessons to everybody who opens this app, name their folder when it is started:")
    st.code("streamlit run app.py -- --lessons my_lessons", language="sh", wrap_lines=True)
    st.caption(
        "The files are read anew at each click, in order of name; one that is broken for a moment stays as it was."
    )
    for problem in catalogs.catalog().problems:
        st.warning(plain(problem, longest=600), icon=":material/warning:")
    st.subheader("The scenes", anchor=False)
    for scene in SCENES.values():
        with st.expander(scene.name):
            st.markdown(_told(scene))


def _drop() -> None:
    edition = EDITION.get()
    file = st.file_uploader(
        "A lesson's file",
        type=[ENDING.removeprefix(".")],
        key=f"learn_file_{edition}",
        max_upload_size=1,
        help=help_with_glossary_link("It is shown in this browser session alone, and gone with it.", "lesson"),
        on_change=PROBLEM.forget,
    )
    if file is not None:
        try:
            lesson = catalogs.bring(file.name, file.getvalue())
        except LessonError as error:
            PROBLEM.set(str(error))
        else:
            state.open_at(lesson.name)
        EDITION.set(edition + 1)
        st.rerun()
    if problem := PROBLEM.get():
        st.error(f"Not used, and nothing has changed: {plain(problem, longest=900)}", icon=":material/error:")
    for name, lesson in catalogs.catalog().lessons.items():
        if catalogs.is_brought(name):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"“{plain(lesson.title)}” is the last in the list of lessons.")
                st.button("Open it", key=f"learn_open_{name}", on_click=state.open_at, args=(name,))
                st.button("Take it away", key=f"learn_away_{name}", on_click=catalogs.take_away, args=(name,))


def _told(scene: Scene) -> str:
    lines = [plain(scene.help, longest=600), "", f"Made for `{scene.network}`."]
    if settings := settings_of(scene):
        choices = {knob.setting.name: knob.choices for knob in scene.knobs}
        lines += ["", "**`[values]`**", ""]
        lines += [f"- `{name}`: {_range(setting, [*choices.get(name, ())])}" for name, setting in settings.items()]
    lines += ["", "**Facts**", ""]
    return "\n".join([*lines, *(f"- `{{{name}}}`: {plain(what)}" for name, what in scene.facts.items())])


def _range(setting: Setting, choices: list[str]) -> str:
    among = f"one of {', '.join(f'`{choice}`' for choice in choices)}; " if choices else ""
    return f"{plain(setting.help)} {among}It begins at `{format_value(setting.default)}`."
