"""The browser's address bar: what it brought, and what it is told.

What a browser reports of its address is older than what the last run has told it, if it has not heard of that yet. So
the address is read where the browser brings one, at the beginning of a session and when somebody goes back or forward,
and nowhere else; and what is written is compared with what was told.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pruning_explorer.ui.browser import declare_component
from pruning_explorer.ui.session import page_shown

Query = dict[str, list[str]]

_COMES, _TOLD, _PAGE, _ARRIVALS = "address_comes", "address_told", "address_page", "address_arrivals"


@dataclass(frozen=True)
class _Arrival:
    """What the address bar of a page is told first, and what stood there."""

    query: Query
    instead_of: Query


_REPLACE = declare_component("address_bar", Path(__file__).with_suffix(".js"))


def brought() -> Query | None:
    """The address that the browser brings; None where the page goes on as it stands.

    To be asked at the top of a page, and answered by :func:`taken` once the page stands as the address says: a run that
    is overtaken before leaves it to the next.
    """
    back = went_back()
    if back:
        st.session_state[_COMES] = True
    if not st.session_state.setdefault(_COMES, True):
        return None
    query = _reported()
    arrival = _arrival()
    # The bare entry, where somebody came and moved on before its address was put there
    return arrival.query if back and not query and arrival else query


def taken() -> None:
    """Note that the page stands as the address said."""
    st.session_state[_COMES] = False


def went_back() -> bool:
    """Whether this run is because somebody went back or forward in the browser's history."""
    return bool(getattr(get_script_run_ctx(suppress_warning=True), "is_history_navigation", False))


def tell(query: Query) -> None:
    """Have the address bar say where one stands.

    It is a step in the browser's history, except on coming to a page: one that leads back to the same page without an
    address would do nothing. See :func:`draw_address_bar`.
    """
    reported, page = _reported(), page_shown()
    if page is not None and page != st.session_state.get(_PAGE):
        if not went_back():
            arrivals = st.session_state.setdefault(_ARRIVALS, {})
            arrivals[page] = _Arrival(query, reported)
        st.session_state[_PAGE] = page
    before = st.session_state.get(_TOLD)
    st.session_state[_TOLD] = query
    if _arrival() != _Arrival(query, reported) and not query == before == reported:
        st.query_params.from_dict(query)


def draw_address_bar() -> None:
    """On coming to a page, put its address in the place of the bare one; to be drawn on every page, at its end."""
    if arrival := _arrival():
        texts = {name: urlencode(query, doseq=True) for name, query in vars(arrival).items()}
        _REPLACE(key="address_bar", data={**texts, "page": page_shown()})


def _arrival() -> _Arrival | None:
    """How somebody came to this page last, other than by going back."""
    arrival: _Arrival | None = st.session_state.get(_ARRIVALS, {}).get(page_shown())
    return arrival


def _reported() -> Query:
    return {name: st.query_params.get_all(name) for name in st.query_params}
