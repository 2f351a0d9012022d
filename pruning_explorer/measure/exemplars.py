"""Exemplars: the samples on which pruning, or the choice of a recipe, changes the answer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.drift import Drift

COLUMNS = ["sample", "flips", "disagree", "kl", "dense", "answers"]


def exemplars(drifts: Sequence[Drift | None]) -> pd.DataFrame:
    """The samples on which recipes disagree with each other or with the dense network, hardest first.

    They are the pruning-identified exemplars of Hooker et al. (arXiv 1911.05248), whose networks of one method and many
    seeds are here networks of several recipes. Where two recipes disagree, one of them has left the dense answer, so
    those that somebody leaves are all there are.

    Columns:
        - ``sample``: its index.
        - ``flips``: how many recipes leave the dense answer, at least 1.
        - ``disagree``: whether some recipe keeps the dense answer: here the choice of a recipe matters.
        - ``kl``: mean of KL(dense || pruned) over the recipes, in nats; of equal ``flips`` the larger comes first,
          and a sample without a figure last.
        - ``dense``: the dense answer: index of the largest logit, a tuple of them for logits ``[N, T, C]``; -1 for
          no answer.
        - ``answers``: each recipe's answer, a tuple as long as ``drifts``; None where a recipe has none.

    Args:
        drifts: of the same samples from the same dense outputs; None for a recipe that could not be run.

    Raises:
        SubjectError: they are not of the same samples.
    """
    measured = [drift for drift in drifts if drift is not None]
    if not measured or measured[0].single:
        return pd.DataFrame({column: pd.Series(dtype=object) for column in COLUMNS})
    if len({drift.dense_top1.shape for drift in measured}) > 1:
        raise SubjectError("these drifts are of different samples; run all recipes on the same")
    flips = np.sum([~drift.agrees for drift in measured], axis=0)
    kl = np.mean([drift.kl_nats for drift in measured], axis=0)
    chosen = np.flatnonzero(flips)
    # NaN sorts behind every number, and -inf of an infinite one before
    order = chosen[np.lexsort((chosen, -kl[chosen], -flips[chosen]))]
    answers = [
        tuple(None if drift is None else _answer(drift, drift.pruned_top1[i]) for drift in drifts) for i in order
    ]
    return pd.DataFrame(
        {
            "sample": order,
            "flips": flips[order],
            "disagree": flips[order] < len(measured),
            "kl": kl[order],
            "dense": _column([_answer(measured[0], measured[0].dense_top1[i]) for i in order]),
            "answers": _column(answers),
        },
        columns=COLUMNS,
    )


def _answer(drift: Drift, top1: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> int | tuple[int, ...]:
    return tuple(top1.tolist()) if drift.sequence else int(top1[0])


def _column(values: list[Any]) -> "pd.Series[Any]":
    return pd.Series(values, dtype=object)
