"""The comparison as one file, and each recipe by itself."""

import streamlit as st

from pruning_explorer.lab.comparison import Entry, compare
from pruning_explorer.sources.samples import load_subject
from pruning_explorer.ui.compare import columns as shelf
from pruning_explorer.ui.compare.side_by_side import SideBySide


def draw_take_along(shown: SideBySide) -> None:
    """One HTML file with live charts; the recipes as JSON."""
    subject, drawn = shown.subject, shown.names
    st.caption(
        "The address of this page carries the network and every recipe: send it, and the other sees the same. "
        "The file below needs no server and no network; its charts are live."
    )

    def page() -> str:
        from pruning_explorer.comparison_report import comparison_html

        entries = [Entry(name, each.recipe) for name, each in zip(drawn, shelf_now, strict=True)]
        return comparison_html(compare(subject, entries, load=load_subject))

    shelf_now = shelf.columns()
    st.download_button(
        "Save all as one HTML file",
        page,
        f"{subject.name}-comparison.html",
        "text/html",
        key="comparison_html",
        on_click="ignore",
        type="primary",
        icon=":material/download:",
    )
    with st.container(horizontal=True):
        for letter, each in zip(shelf.LETTERS, shelf_now, strict=False):
            st.download_button(
                f"Recipe {letter} as JSON",
                each.recipe.to_json(),
                f"{subject.name}-{each.recipe.id}.json",
                "application/json",
                key=f"recipe_json_{each.number}",
                on_click="ignore",
            )
    st.caption("In a terminal: `python -m pruning_explorer compare SUBJECT --recipe a.json --recipe b.json`.")
