"""The pages of the app, and what they share."""

from contextlib import nullcontext
from urllib.parse import quote

import streamlit as st

from pruning_explorer.figures.colours import KEPT, REMOVED
from pruning_explorer.trace import step, tracing
from pruning_explorer.ui.address_bar import draw_address_bar
from pruning_explorer.ui.compare.page import compare
from pruning_explorer.ui.controlled_widget import hide_replaced_widgets
from pruning_explorer.ui.explore.page import explore
from pruning_explorer.ui.glossary_link import reach_words
from pruning_explorer.ui.learn.page import learn
from pruning_explorer.ui.models.page import models
from pruning_explorer.ui.phone_sidebar import label_sidebar_buttons, name_sidebar_door
from pruning_explorer.ui.run_trace import draw_trace, wants_trace
from pruning_explorer.ui.session import PAGES, arriving

# Drawn here: Streamlit would fetch a named icon from a server far away
ICON = "data:image/svg+xml," + quote(
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path fill="{KEPT}" d="M0 0h4v4H0z"/>'
    f'<path fill="{REMOVED}" d="M1 0h1v1H1zM3 1h1v2H3zM0 2h1v1H0zM2 3h1v1H2z"/></svg>'
)

st.set_page_config(page_title="Pruning Explorer", page_icon=ICON, layout="wide")
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
    with st.container(key="run_trace"):
        draw_trace(trace)
