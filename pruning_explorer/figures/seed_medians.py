"""Measured points of recipes prepared for a chart: several seeds become a median, and equal points become one."""

import numpy as np
import pandas as pd

MEASURED = ("achieved", "sparsity", "compression", "quality", "quality_low", "quality_high", "kl_nats", "agreement")
BANDS = ("quality", "kl_nats", "agreement")


def seed_medians(frame: pd.DataFrame, middle: str, front: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per recipe and sparsity, ascending in both.

    Rows of one recipe and amount that differ in their seed become their median. Amounts at which a recipe stands at
    the same sparsity (N:M goes no further than its pattern) are one point, under the smallest of them.

    Args:
        frame: rows with ``recipe``, ``seed``, ``amount`` and the columns ``MEASURED``.
        middle: the column by which the seed of a median is chosen, ``"quality"`` or ``"agreement"``.
        front: ``recipe`` and ``amount`` of the points on the Pareto front, if known.

    Returns:
        ``recipe``, ``amount``, the medians of ``MEASURED``; ``seeds``, how many; ``seed``, of the row nearest to the
        median; the smallest and largest of each of ``BANDS`` as ``..._min`` and ``..._max``; ``pareto``, whether the
        point is on the front.
    """
    cells = frame.groupby(["recipe", "amount"], sort=True)
    away = (frame[middle] - cells[middle].transform("median")).abs().fillna(np.inf)
    nearest = frame.assign(away=away).sort_values(["away", "seed"], kind="stable").groupby(["recipe", "amount"])
    points = pd.concat(
        [
            cells[list(MEASURED)].median(),
            cells[list(BANDS)].min().add_suffix("_min"),
            cells[list(BANDS)].max().add_suffix("_max"),
            cells.size().rename("seeds"),
            nearest["seed"].first(),
        ],
        axis=1,
    ).reset_index()
    points = points[points["sparsity"].notna()]
    known = set() if front is None else set(zip(front["recipe"], front["amount"], strict=True))
    on_front = [pair in known for pair in zip(points["recipe"], points["amount"], strict=True)]
    points = points.assign(place=points["sparsity"].round(9), pareto=np.array(on_front, dtype=bool))
    points["pareto"] = points.groupby(["recipe", "place"])["pareto"].transform("any")
    once = points.drop_duplicates(["recipe", "place"]).drop(columns="place")
    return once.sort_values(["recipe", "sparsity"], kind="stable", ignore_index=True)
