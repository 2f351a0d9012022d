"""How the network behaves under each recipe: class by class, and on the samples where recipes disagree."""

import streamlit as st

from pruning_explorer.figures.chart import CONFIG
from pruning_explorer.figures.class_changes import class_changes as changes_chart
from pruning_explorer.figures.exemplar_gallery import exemplar_gallery
from pruning_explorer.figures.numbers import count
from pruning_explorer.lab.comparison import class_changes
from pruning_explorer.measure.exemplars import exemplars
from pruning_explorer.ui.compare.save import save_table
from pruning_explorer.ui.compare.side_by_side import SideBySide

CARDS = 12


def draw_behaviour(shown: SideBySide) -> None:
    """Change of quality by class, then the samples whose answer depends on the recipe, hardest first."""
    subject = shown.subject
    if subject.samples is None:
        st.info("This network has no sample inputs, so there is no behaviour to compare.")
        return
    changes = class_changes(shown.studies)
    if len(changes) and changes["group"].nunique() > 1:
        chart = changes_chart(changes, shown.names, subject.quality_name)
        st.plotly_chart(chart.figure, key="class_changes", alt=chart.alt, config=CONFIG)
        save_table("quality-by-class", lambda: changes)
    else:
        st.info("This network's samples have no classes to split the quality by.")
    st.subheader("Samples on which the choice matters", anchor=False)
    found = exemplars([None if study is None else study.drift for study in shown.studies])
    st.caption(
        f"{count(len(found))} of {count(subject.sample_count)} samples are answered differently from the dense network "
        "by at least one recipe. Those that most recipes change come first, then those that drift furthest: "
        "pruning-identified exemplars (arXiv 1911.05248)."
    )
    if found.empty:
        return
    cards = st.session_state.setdefault("exemplar_cards", CARDS)
    view = subject.view
    st.html(
        exemplar_gallery(
            found.head(cards),
            shown.names,
            subject.output_names,
            labels=None if subject.labels is None else subject.labels.numpy(),
            view=None if view is None else (view.kind, view.values),
        )
    )
    if cards < len(found):
        st.button(
            f"Show {CARDS} more of {count(len(found))}",
            key="more_exemplars",
            on_click=lambda: st.session_state.update(exemplar_cards=cards + CARDS),
        )
    save_table("samples", lambda: found)
