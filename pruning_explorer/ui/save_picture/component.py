"""Two buttons on every chart of a page that save it as a picture.

One component serves the whole page: Streamlit repeats a component's code in every message about it, so ten of them
would send it ten times at every rerun. It draws nothing itself; it puts the buttons onto the charts that Streamlit
drew, and again whenever Streamlit draws them anew.
"""

from collections.abc import Mapping
from pathlib import Path

from pruning_explorer.ui.browser import declare_component

_HERE = Path(__file__).parent
_PAGE = declare_component(
    "save_pictures", _HERE / "js/main.js", css=(_HERE / "save_picture.css",), isolate_styles=False
)


def save_pictures(charts: Mapping[str, str], *, key: str = "page") -> None:
    """Put the buttons "PNG" and "SVG" into the upper right corner of Plotly charts.

    A click saves the chart as it stands at that moment, in its size on the page and on the page's background, without
    asking the server; the script does not run again. A PNG has two pixels per CSS pixel. What lies over a chart but
    is no part of it (hover labels, Streamlit's own elements) is left out. Call it once, at the end of the page; a
    chart that is not on the page, or not yet, is no error.

    Args:
        charts: key of ``st.plotly_chart`` -> name; the file's name without its ending, and what the buttons say.
        key: tells calls apart where there are several, as in fragments; each has charts of its own.
    """
    _PAGE(key=f"px_save_pictures_{key}", data={"charts": dict(charts)})
