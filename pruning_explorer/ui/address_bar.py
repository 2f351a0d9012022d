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
from pruning_explorer.ui.query import Query
from pruning_explorer.ui.session import Key, page_shown


@dataclass(frozen=True)
class _Arrival:
    """What the address bar of a page is told first, and what stood there."""

    query: Query
    instead_of: Query


_COMES = Key[bool]("address_comes", True)
_TOLD = Key[Query | None]("address_told", None)
_PAGE = Key[str | None]("address_page", None)
_ARRIVALS = Key[dict[str | None, _Arrival]]("address_arrivals", {})

_REPLACE = declare_component("address_bar", Path(__file__).with_suffix(".js"))


def brought() -> Query | None:
    """The address that the browser brings; None where the page goes on as it stands.

    To be asked at the top of a page, and answered by :func:`taken` once the page stands as the address says: a run that
    is overtaken before leaves it to the next.
    """
    back = went_back()
    if back:
        _COMES.set(True)
    if not _COMES.setdefault():
        return None
    query = _reported()
    arrival = _arrival()
    # The bare entry, where somebody came and moved on before its address was put there
    return arrival.query if back and not query and arrival else query


def taken() -> None:
    """Note that the page stands as the address said."""
    _COMES.set(False)


def went_back() -> bool:
    """Whether this run is because somebody went back or forward in the browser's history."""
    return bool(getattr(get_script_run_ctx(suppress_warning=True), "is_history_navigation", False))


def tell(query: Query) -> None:
    """Have the address bar say where one stands.

    It is a step in the browser's history, except on coming to a page: one that leads back to the same page without an
    address would do nothing. See :func:`draw_address_bar`.
    """
    reported, page = _reported(), page_shown()
    if page is not None and page != _PAGE.get():
        if not went_back():
            _ARRIVALS.setdefault()[page] = _Arrival(query, reported)
        _PAGE.set(page)
    before = _TOLD.get()
    _TOLD.set(query)
    if _arrival() != _Arrival(query, reported) and not query == before == reported:
        st.query_params.from_dict(query)


def draw_address_bar() -> None:
    """On coming to a page, put its address in the place of the bare one; to be drawn on every page, at its end."""
    if arrival := _arrival():
        texts = {name: urlencode(query, doseq=True) for name, query in vars(arrival).items()}
        _REPLACE(key="address_bar", data={**texts, "page": page_shown()})


def _arrival() -> _Arrival | None:
    """How somebody came to this page last, other than by going back."""
    return _ARRIVALS.get().get(page_shown())


def _reported() -> Query:
    return {name: st.query_params.get_all(name) for name in st.query_params}
