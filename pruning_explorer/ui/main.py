"""The pages of the app, and what they share."""

from urllib.parse import quote

import streamlit as st

from pruning_explorer.ui.explore.page import explore

# Drawn here: Streamlit would fetch a named icon from a server far away
ICON = "data:image/svg+xml," + quote(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path fill="#0b6e75" d="M0 0h4v4H0z"/>'
    '<path fill="#d9822b" d="M1 0h1v1H1zM3 1h1v2H3zM0 2h1v1H0zM2 3h1v1H2z"/></svg>'
)

st.set_page_config(page_title="Pruning Explorer", page_icon=ICON, layout="wide")
# Streamlit's fixed colours of code are too pale to read (2.3:1); plain text on the code's own background passes
st.html("<style>.stCode .token { color: inherit !important; }</style>")
st.navigation([st.Page(explore, title="Explore", default=True)]).run()
