"""Take a table along."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pruning_explorer.exports.csv_table import write_csv
from pruning_explorer.ui import state
from pruning_explorer.ui.file_names import file_name


def save_table(name: str, make: Callable[[], pd.DataFrame]) -> None:
    """A button that downloads a table as CSV; it is written only when asked for."""
    st.download_button(
        f"Save {name.replace('-', ' ')} as CSV",
        lambda: write_csv(make()),
        file_name(state.subject().name, name, ending=".csv"),
        "text/csv",
        key=f"csv_{name}",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
