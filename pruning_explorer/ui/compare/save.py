"""Take a table along."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pruning_explorer.ui import state


def save_table(name: str, make: Callable[[], pd.DataFrame]) -> None:
    """A button that downloads a table as CSV; it is written only when asked for."""
    st.download_button(
        f"Save {name.replace('-', ' ')} as CSV",
        lambda: make().to_csv(index=False),
        f"{state.subject().name}-{name}.csv",
        "text/csv",
        key=f"csv_{name}",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
