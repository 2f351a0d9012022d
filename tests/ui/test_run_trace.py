"""``?trace=1``: where the last run's time went, in the words of what was done."""

from collections.abc import Callable

import pandas as pd

from pruning_explorer.trace import Step, Trace
from pruning_explorer.ui.run_trace import INDENT, trace_frame
from tests.ui.page import Page


def tables(page: Page) -> list[pd.DataFrame]:
    frames = [each.value for each in page.app.dataframe if "milliseconds" in each.value]
    return [frame.assign(step=frame["step"].str.strip()).set_index("step") for frame in frames]


def test_a_move_ranks_nothing_anew_and_runs_the_pruned_network_alone(open_page: Callable[..., Page]) -> None:
    page = open_page(subject="digits-cnn", trace="1")
    page.set_amount(61.3)
    (steps,) = tables(page)
    assert steps.loc["rankings × 7", "value"] == "from a cache"
    assert steps.loc["masks", "value"] == "computed"
    assert steps.loc["output drift", "value"] == "computed"
    assert steps.loc["dense outputs", "value"] == "from a cache"
    assert steps.loc["forward pass under the masks", "milliseconds"] > 0
    assert {"the cliff and what can go", "the list of layers"} <= set(steps.index)
    assert steps.loc["page Explore", "milliseconds"] == steps["milliseconds"].max()
    assert page.warnings == []


def test_nobody_sees_it_who_did_not_ask(open_page: Callable[..., Page]) -> None:
    page = open_page(subject="digits-cnn")
    assert tables(page) == []


def test_equal_steps_in_a_row_are_one_row() -> None:
    trace = Trace(
        [
            Step("page", 0, 0.01),
            *(Step("rankings", 1, seconds, "cache") for seconds in (0.002, 0.001)),
            Step("rankings", 1, 0.004, "computed"),
            Step("", 1, 0.5, "cache"),
        ]
    )
    assert trace_frame(trace).values.tolist() == [
        ["page", 10.0, ""],
        [f"{INDENT}rankings × 2", 3.0, "from a cache"],
        [f"{INDENT}rankings", 4.0, "computed"],
    ]
