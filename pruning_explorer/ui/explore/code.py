"""The recipe as torch code and as JSON, out and in."""

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pruning_explorer.errors import PruningExplorerError, RecipeError
from pruning_explorer.exports.torch_script import write_script
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.recipe import LARGEST, Recipe, too_large
from pruning_explorer.ui import state
from pruning_explorer.ui.file_names import file_name
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.session import Key

_FILE = Key[UploadedFile | None]("recipe_file")
_PROBLEM = Key[str]("recipe_problem", "")
_TAKEN = Key[tuple[str, tuple[str, ...]]]("recipe_taken", ("", ()))
"""The id of the recipe that the last file set, and messages about settings that no control could show as they were."""


def draw_code(report: Report) -> None:
    """The exact script, to copy or download; the recipe to download, and to upload."""
    code = write_script(report.subject, report.recipe)
    script, recipe = (file_name(report.subject.name, report.recipe.id, ending=each) for each in (".py", ".json"))
    st.caption(
        "This script puts the same masks on with `torch.nn.utils.prune`: bit for bit, unless equal scores meet at the "
        "cut; then just as many go, and a comment in it says how many meet. "
        "For a network of your own, bind it to `model` in place of the lines that load this one."
    )
    st.code(code, language="python", wrap_lines=True)
    with st.container(horizontal=True):
        st.download_button("Download script", code, script, "text/x-python", key="get_code", on_click="ignore")
        st.download_button(
            "Download recipe",
            report.recipe.to_json(),
            recipe,
            "application/json",
            key="get_recipe",
            on_click="ignore",
        )
    with st.expander("The recipe as JSON"):
        st.code(report.recipe.to_json(), language="json", wrap_lines=True)
    st.file_uploader(
        "Upload a recipe",
        type="json",
        key=_FILE,
        max_upload_size=LARGEST >> 20,
        help=help_with_glossary_link(
            "A .json file that “Download recipe” wrote. It sets every control; the network stays.", "recipe"
        ),
        on_change=_take_recipe,
    )
    if problem := _PROBLEM.get():
        st.error(f"This file was not used, and nothing has changed: {plain(problem)}", icon=":material/error:")
    taken, rounded = _TAKEN.get()
    if taken == report.recipe.id:
        notes = "".join(f" Its {plain(note)}." for note in rounded)
        st.success(f"Every control is set as this recipe says.{notes}", icon=":material/check:")


def _take_recipe() -> None:
    uploaded = _FILE.get()
    _PROBLEM.forget()
    _TAKEN.forget()
    if uploaded is None:
        return
    subject = state.subject()
    try:
        if uploaded.size > LARGEST:  # the browser's own bound is a courtesy, and no bound
            raise RecipeError(too_large(uploaded.size))
        recipe = Recipe.from_json(uploaded.getvalue().decode("utf-8-sig"))
        if missing := recipe.criterion.missing(subject):
            raise RecipeError(f"criterion {recipe.criterion} cannot judge {subject.name}: {missing}.")
        if not recipe.chosen(subject):
            raise RecipeError(f"it chooses no layer of {subject.name}.")
        rounded = state.show(subject, recipe)
        _TAKEN.set((state.recipe().id, rounded))
    except UnicodeDecodeError:
        _PROBLEM.set("it is not text in UTF-8, which JSON must be.")
    except PruningExplorerError as error:
        _PROBLEM.set(str(error))
