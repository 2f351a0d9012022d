"""The pages of the app, and what they share."""

from contextlib import nullcontext
from urllib.parse import quote

import streamlit as st

from pruning_explorer.figures.colours import KEPT, REMOVED
from pruning_explorer.trace import step, tracing
from pruning_explorer.ui.address_bar import draw_address_bar
from pruning_explorer.ui.compare.page import compare
from pruning_explorer.ui.controlled_widget import hide_replaced_widgets
from pruning_explorer.ui.controls import SIDEBAR_STYLE
from pruning_explorer.ui.explore.page import EXPLORE_STYLE, explore
from pruning_explorer.ui.glossary_link import reach_words
from pruning_explorer.ui.learn.page import learn
from pruning_explorer.ui.models.page import models
from pruning_explorer.ui.phone_sidebar import PHONE_SIDEBAR_STYLE, label_sidebar_buttons, name_sidebar_door
from pruning_explorer.ui.run_trace import draw_trace, wants_trace
from pruning_explorer.ui.session import PAGES, arriving

# Drawn here: Streamlit would fetch a named icon from a server far away
ICON = "data:image/svg+xml," + quote(
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path fill="{KEPT}" d="M0 0h4v4H0z"/>'
    f'<path fill="{REMOVED}" d="M1 0h1v1H1zM3 1h1v2H3zM0 2h1v1H0zM2 3h1v1H2z"/></svg>'
)

STYLE = """<style>
/* Streamlit's fixed colours of code are too pale to read (2.3:1); plain text on the code's own background passes */
.stCode .token, [data-testid=stMarkdownContainer] code, [data-testid=stCaptionContainer] code {
  color: inherit !important;
}
/* So is a link in the paler text of a caption (2.9:1); its line tells it from the rest */
[data-testid=stCaptionContainer] a { color: inherit !important; }
/* So is white on the dark theme's main colour (2:1): main buttons are outlined instead */
.stButton [kind=primary], .stDownloadButton [kind=primary], .stFormSubmitButton [kind=primaryFormSubmit] {
  background: transparent !important; color: inherit !important; box-shadow: inset 0 0 0 1px currentColor;
}
/* The pages' names stand above: the room that is left for them would else be empty, and so would that at the end */
[data-testid=stMainBlockContainer] { padding: 3.75rem clamp(1rem, 2.5vw, 3rem) 2rem; }
[data-testid=stMain] h1 { padding: 0.25rem 0; }
/* What shows nothing takes no room between what does */
.st-key-address_bar, .st-key-glossary_reach, .st-key-sidebar_labels { position: absolute; width: 0; }
/* Answers come in without moving what stands below them; a phone needs more lines for each */
[class*=st-key-decision_answers] { --lines: 5.2rem; min-height: calc(var(--lines) * var(--recipes)); }
.st-key-decision_answers_2 { --recipes: 2; }
.st-key-decision_answers_3 { --recipes: 3; } .st-key-decision_answers_4 { --recipes: 4; }
@media (max-width: 640px) { [class*=st-key-decision_answers] { --lines: 11.5rem; } }
/* What asks again shows nothing, and takes no room */
[class*=st-key-look_again] { position: absolute; width: 0; }
/* Room is kept for words that wrap; on a wide page they need less of it */
@media (min-width: 1200px) {
  [data-testid=stLayoutWrapper]:has(> .st-key-comparison_status),
  [data-testid=stLayoutWrapper]:has(> .st-key-curves_progress) { flex-basis: 3rem; }
}
</style>"""

st.set_page_config(page_title="Pruning Explorer", page_icon=ICON, layout="wide")
st.html(STYLE + EXPLORE_STYLE + SIDEBAR_STYLE + PHONE_SIDEBAR_STYLE)
hide_replaced_widgets()
explore_page = st.Page(explore, title="Explore", default=True)
compare_page = st.Page(compare, title="Compare", url_path="compare")
learn_page = st.Page(learn, title="Learn", url_path="learn")
models_page = st.Page(models, title="Models", url_path="models")
PAGES.set({"explore": explore_page, "compare": compare_page})
page = st.navigation([explore_page, compare_page, learn_page, models_page], position="top")
arriving(page.url_path)
name_sidebar_door(page.url_path)
with tracing() if wants_trace() else nullcontext() as trace, step(f"page {page.title}"):
    page.run()
draw_address_bar()
reach_words()
label_sidebar_buttons(page.url_path)
if trace is not None:
    draw_trace(trace)
