"""How a component of ours is declared to Streamlit."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from pruning_explorer.ui.browser.modules import join_modules


def declare_component(
    name: str,
    js: Path,
    *,
    html: str | Path | None = None,
    css: Sequence[str | Path] = (),
    isolate_styles: bool = True,
) -> ComponentRenderer:
    """Declare a component, once, when its module is imported.

    Args:
        name: by which Streamlit tells components apart.
        js: the module whose default export Streamlit calls; what it imports goes with it.
        html: what stands in the component before that.
        css: in this order.
        isolate_styles: whether neither the page's styles reach the component nor its styles the page.
    """
    return st.components.v2.component(
        f"pruning_explorer_{name}",
        html=None if html is None else _text(html),
        css="\n".join(map(_text, css)) or None,
        js=join_modules(js),
        isolate_styles=isolate_styles,
    )


def _text(part: str | Path) -> str:
    return part.read_text(encoding="utf-8") if isinstance(part, Path) else part
