"""Sample outputs at a glance, in one row that follows the hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.figures.numbers import MINUS, percent
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.subject import SampleView, Subject
from pruning_explorer.ui.explore.key_figures import PAGE, without_amount
from pruning_explorer.ui.explore.outputs import flipped_first, spelled, true_labels
from pruning_explorer.ui.output_strip import CARDS, build_inputs, output_strip, send_answers, send_inputs
from pruning_explorer.ui.output_strip.payload import MOST

TAB = "Outputs"
"""The tab with all of them."""
LONGEST = 40
"""Most characters of an answer or an input in a card."""
VALUES = 4
"""Most numbers of an input in a card."""

_INPUTS: ByteBoundedCache[bytes] = ByteBoundedCache(16 << 20, "sample inputs", weigh=len)


def place_output_strip(subject: Subject) -> None:
    """The strip, before its outputs are known."""
    why = "this network has no samples" if subject.runnable else "only the weights of this network are known"
    missing = f"No sample outputs, as {why}." if subject.samples is None else ""
    output_strip(key="output_strip_view", page=PAGE, missing=missing, tab=TAB)


def draw_output_strip(report: Report) -> None:
    """Fill it: flipped samples first, in the order of the tab with all outputs."""
    subject, drift = report.subject, report.output_drift
    if drift is None or report.drift is None:
        return
    send_inputs(PAGE, _INPUTS.get((subject.id,), lambda: _inputs(report)), subject.id)
    ordered = flipped_first(report.drift)
    ordered = ordered[ordered["sample"] < MOST]
    first = ordered.head(CARDS)
    send_answers(
        PAGE,
        amount=report.recipe.amount,
        of=without_amount(subject, report.recipe),
        subject=subject.id,
        order=ordered["sample"].tolist(),
        flipped=int((~report.drift["agrees"]).sum()),
        samples=subject.sample_count,
        answers=[
            {
                "answer": _short(spelled(row["pruned_top1"], subject.output_names)),
                "probability": percent(row["pruned_probability"]),
                "flipped": not row["agrees"],
            }
            for row in first.to_dict("records")
        ],
    )


def _inputs(report: Report) -> bytes:
    subject, samples, labels = report.subject, report.drift, true_labels(report)
    names = subject.output_names
    dense = [] if samples is None else [_short(spelled(each, names)) for each in samples["dense_top1"][:MOST]]
    true = None if labels is None else [_short(spelled(_plain(each), names)) for each in labels[:MOST]]
    return build_inputs(subject.id, dense, true, None if subject.view is None else _shown(subject.view))


def _plain(label: NDArray[np.int64] | np.int64) -> int | Sequence[int]:
    value: int | Sequence[int] = label.tolist()
    return value


def _shown(view: SampleView) -> NDArray[Any] | list[str]:
    if view.kind == "image":
        return np.asarray(view.values)
    if view.kind == "text":
        return [_short(str(text)) for text in view.values[:MOST]]
    rows = np.asarray(view.values)[:MOST]
    more = " …" if rows.shape[1] > VALUES else ""
    texts = (", ".join(f"{value:.2f}" for value in row[:VALUES]) + more for row in rows)
    return [text.replace("-", MINUS) for text in texts]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
