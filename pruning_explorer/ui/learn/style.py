"""How the Learn page looks: a column that reads well, large type in front of a class, black on white on paper."""

import streamlit as st

_READING = """<style>
[data-testid=stMainBlockContainer] { max-width: 72rem; }
.st-key-learn_words [data-testid=stMarkdownContainer] { max-width: 46rem; font-size: 1.0625rem; }
.st-key-learn_on_paper { display: none; }
@media print {
  @page { margin: 14mm; }
  html { font-size: 11pt !important; }
  html, body, #root, .stApp, .stApp > *, [data-testid=stAppViewContainer], [data-testid=stMain] {
    position: static !important; overflow: visible !important; height: auto !important; display: block !important;
  }
  .stApp, [data-testid=stAppViewContainer], [data-testid=stMain] { background: #fff !important; }
  .stApp [data-testid=stMarkdownContainer], .stApp [data-testid=stMarkdownContainer] *,
  .stApp h1, .stApp h2, .stApp h3, .stApp [data-testid=stHeading] * { color: #000 !important; }
  .stApp [data-testid=stMarkdownContainer] code { background: #eee !important; }
  header, [data-testid=stHeader], [data-testid=stToolbar], [data-testid=stSidebar], [data-testid=stStatusWidget],
  [data-testid=stSkipLink], .st-key-learn_heading, .st-key-learn_knobs, .st-key-learn_question, .st-key-learn_truth,
  .st-key-learn_ways_on, .st-key-learn_trial_controls { display: none !important; }
  .st-key-learn_on_paper { display: flex !important; }
  [data-testid=stMainBlockContainer] { padding: 0 !important; max-width: none !important; }
  [data-testid=stElementContainer] { break-inside: avoid; }
}
</style>"""

_IN_FRONT = """<style>
html { font-size: 150% !important; }
[data-testid=stMainBlockContainer] { max-width: none; padding-left: 2rem; padding-right: 2rem; }
.st-key-learn_words [data-testid=stMarkdownContainer] { max-width: 60rem; }
@media (max-width: 640px) { html { font-size: 115% !important; } }
</style>"""


def draw_style(*, in_front: bool) -> None:
    """Put the page's style on it; ``in_front``: large type and all of the width, for a projector."""
    st.html(_READING + (_IN_FRONT if in_front else ""))
