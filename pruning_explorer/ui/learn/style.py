"""How the Learn page looks: a column that reads well, large type in front of a class, black on white on paper."""

import streamlit as st

_SIDE_BY_SIDE = """
@media screen and (min-width: FROM) {
  .st-key-learn_lesson { display: grid !important; grid-template-columns: minmax(0, min(23rem, 30vw)) minmax(0, 1fr);
    grid-template-rows: auto auto 1fr; grid-auto-flow: column; column-gap: 2.5rem; align-items: start; }
  .st-key-learn_lesson > :has(> .st-key-learn_play), .st-key-learn_lesson > .st-key-learn_play {
    grid-column: 2; grid-row: 1 / span 3; }
}
"""
"""Text and question on the left, the interactive stage on the right; one below the other where the screen is narrow."""

_READING = """
[data-testid=stMainBlockContainer] { max-width: 100rem; }
.st-key-learn_heading, .st-key-learn_lesson { gap: 0.75rem; }
.st-key-learn_words [data-testid=stMarkdownContainer], .st-key-learn_truth [data-testid=stMarkdownContainer] {
  max-width: 46rem;
}
.st-key-learn_words h1 { font-size: 2rem; padding: 0.25rem 0 0.5rem; }
.st-key-learn_question [data-testid=stRadio] p { font-size: 1rem; }
.st-key-learn_asked h2, .st-key-learn_asked h3 { font-size: 1.35rem; padding: 0.5rem 0 0.25rem; }
.st-key-learn_on_paper { display: none; }
.st-key-learn_in_short { max-width: 64rem; }
@media screen and (max-width: 640px) {
  .st-key-learn_turning > :has([class*=st-key-learn_chosen]), .st-key-learn_turning > [class*=st-key-learn_chosen] {
    order: 3; flex: 1 0 100%; }
  .st-key-learn_in_short thead { display: none; }
  .st-key-learn_in_short :is(table, tbody, tr, td) { display: block; border: 0; }
  .st-key-learn_in_short tr { padding: 0.5rem 0; border-bottom: 1px solid rgba(128, 128, 128, 0.4); }
  .st-key-learn_in_short td { padding: 0.1rem 0; }
  .st-key-learn_in_short td:first-child { font-weight: 600; }
  .st-key-learn_in_short td:nth-child(2)::before { content: "Reach for: "; }
  .st-key-learn_in_short td:nth-child(3)::before { content: "Measure: "; }
  .st-key-learn_in_short td:nth-child(4)::before { content: "Lessons "; }
  [class*=st-key-learn_view_chosen] [role=radio] { padding-left: 0.6rem; padding-right: 0.6rem; }
}
@media print {
  @page { margin: 14mm; }
  html { font-size: 11pt !important; }
  html, body, #root, .stApp, .stApp > *, [data-testid=stAppViewContainer], [data-testid=stMain] {
    position: static !important; overflow: visible !important; height: auto !important; display: block !important;
  }
  html, body, #root, .stApp, [data-testid=stAppViewContainer], [data-testid=stMain] { background: #fff !important; }
  .stApp [data-testid=stMarkdownContainer], .stApp [data-testid=stMarkdownContainer] *,
  .stApp h1, .stApp h2, .stApp h3, .stApp [data-testid=stHeading] * { color: #000 !important; }
  .stApp [data-testid=stMarkdownContainer] code { background: #eee !important; }
  header, [data-testid=stHeader], [data-testid=stToolbar], [data-testid=stSidebar], [data-testid=stStatusWidget],
  [data-testid=stSkipLink], .st-key-learn_heading, .st-key-learn_knobs, .st-key-learn_question, .st-key-learn_truth,
  .st-key-learn_ways_on, .st-key-learn_trial_controls, .st-key-learn_trial_status { display: none !important; }
  .st-key-learn_on_paper { display: flex !important; }
  .st-key-learn_lesson { display: block !important; }
  [data-testid=stMainBlockContainer] { padding: 0 !important; max-width: none !important; }
  .st-key-learn_on_paper { break-inside: avoid; }
}
"""

_IN_FRONT = """
@media screen {
  html { font-size: clamp(125%, 1.35vw, 200%) !important; }
  [data-testid=stMainBlockContainer] { max-width: none; padding-left: 2rem; padding-right: 2rem; }
}
@media screen and (min-width: 1200px) {
  .st-key-learn_heading { flex-direction: row !important; flex-wrap: wrap; align-items: center; }
  .st-key-learn_heading > * { flex: 1 1 auto; width: auto !important; }
  .st-key-learn_progress, .st-key-learn_heading > :has(> .st-key-learn_progress) { display: none; }
}
@media screen and (max-width: 640px) { html { font-size: 115% !important; } }
"""


def draw_style(*, in_front: bool) -> None:
    """Put the page's style on it; ``in_front``: large type and all of the width, for a projector."""
    side_by_side = _SIDE_BY_SIDE.replace("FROM", "1200px" if in_front else "1150px")
    st.html(f"<style>{_READING}{_IN_FRONT if in_front else ''}{side_by_side}</style>")
