"""The comparison as one file, and each recipe by itself."""

import shlex

import streamlit as st

from pruning_explorer.comparison_file import comparison_html
from pruning_explorer.figures.recipe_names import recipe_label
from pruning_explorer.lab.comparison import Comparison
from pruning_explorer.sources.words import names_a_library
from pruning_explorer.ui.file_names import file_name
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.save_result import draw_save
from pruning_explorer.ui.subjects import is_own, words_in_terminal


def draw_take_along(shown: Comparison) -> None:
    """One HTML file with live charts; the recipes as JSON."""
    name = shown.subject.name
    name_only = is_own(name) and not names_a_library(name)
    st.caption(
        (
            "The address of this page carries every recipe, and of the network its name: your own is your session's "
            "alone, so whoever you send it to brings the file first. "
            if name_only
            else "The address of this page carries network and recipes: send it, and the other sees the same. "
        )
        + "The file below needs no server and no network; its charts are live. It holds the curves as far as they "
        "stand."
    )
    st.download_button(
        "Save all as one HTML file",
        lambda: comparison_html(shown),
        file_name(name, "comparison", ending=".html"),
        "text/html",
        key="comparison_html",
        on_click="ignore",
        type="primary",
        icon=":material/download:",
    )
    with st.container(horizontal=True):
        for position, entry in enumerate(shown.entries):
            st.download_button(
                f"Recipe {recipe_label(position, entry.name)} (JSON)",
                entry.recipe.to_json(),
                file_name(name, entry.recipe.id, ending=".json"),
                "application/json",
                key=f"recipe_json_{position}",
                on_click="ignore",
            )
    st.caption("In a terminal these files make the same comparison:")
    files = " ".join(
        f"--recipe {shlex.quote(file_name(name, entry.recipe.id, ending='.json'))}" for entry in shown.entries
    )
    st.code(
        f"python -m pruning_explorer compare {words_in_terminal(name)} {files} --html comparison.html",
        language="sh",
        wrap_lines=True,
    )
    _draw_save(shown)


def _draw_save(shown: Comparison) -> None:
    """What one of the recipes makes of the network, as a file."""
    st.markdown("##### Save a pruned network")
    places = [place for place, report in enumerate(shown.reports) if report is not None]
    place = st.segmented_control(
        "Pruned by recipe",
        places,
        default=places[0],
        key="saved_recipe",
        format_func=lambda each: recipe_label(each, shown.entries[each].name),
        required=True,
        help=help_with_glossary_link("Whose masks the file below is made with.", "recipe"),
    )
    report = shown.reports[place if place in places else places[0]]
    if report is not None:
        draw_save(report, "compare_save")
