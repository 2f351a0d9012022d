"""The pages of the app, and what they share."""

import streamlit as st

from pruning_explorer.ui.explore.page import explore

st.set_page_config(page_title="Pruning Explorer", page_icon=":material/content_cut:", layout="wide")
# Streamlit's fixed colours of code are too pale to read (2.3:1); plain text on the code's own background passes
st.html("<style>.stCode .token { color: inherit !important; }</style>")
st.navigation([st.Page(explore, title="Explore", icon=":material/tune:", default=True)]).run()
