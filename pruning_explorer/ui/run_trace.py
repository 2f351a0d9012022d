"""Where the last run's time went: a table below the page, for whoever opens it with ``?trace=1``."""

from itertools import groupby

import pandas as pd
import streamlit as st

from pruning_explorer.trace import Trace
from pruning_explorer.ui import session

INDENT = "\u2003"
"""An em space, which a table keeps at the start of a text, unlike an ordinary space."""

ORIGINS = {"": "", "computed": "computed", "cache": "from a cache"}


def wants_trace() -> bool:
    """Whether this session's address asked for it; ``?trace=0`` ends it."""
    if "trace" in st.query_params:
        session.TRACE.set(st.query_params["trace"] not in ("0", "false", ""))
    return session.TRACE.get()


def draw_trace(trace: Trace) -> None:
    """The steps of a run with their milliseconds, and whether each came from a cache."""
    st.markdown("**Where the last run’s time went**")
    st.caption(
        "Milliseconds of the server's thread that ran this page, of each step with all that is indented below it. "
        "What other threads and the browser did beside it is not in here."
    )
    st.dataframe(trace_frame(trace), key="trace_table", hide_index=True, height="content")


def trace_frame(trace: Trace) -> pd.DataFrame:
    """A row per step, in order; equal ones that follow each other are one row.

    Columns:
        step: its name, indented below the step that it is a part of, and how often if more than once.
        milliseconds: with all its parts.
        value: ``computed``, or ``from a cache``; empty where it is no value that is kept.
    """
    named = [step for step in trace.steps if step.name]
    rows = []
    for (name, depth, origin), alike in groupby(named, lambda step: (step.name, step.depth, step.origin)):
        group = list(alike)
        times = f" × {len(group)}" if len(group) > 1 else ""
        milliseconds = round(sum(step.seconds for step in group) * 1000, 2)
        rows.append((f"{INDENT * depth}{name}{times}", milliseconds, ORIGINS[origin]))
    return pd.DataFrame(rows, columns=["step", "milliseconds", "value"])
