"""The slider that most scenes have: the amount, from nothing to all, in steps of 1 %."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pruning_explorer.lessons.panels import Stops, leaves_of
from pruning_explorer.lessons.scene import Slider
from pruning_explorer.prune.engine import Ranked
from pruning_explorer.prune.recipe_settings import SETTINGS

AMOUNT = replace(SETTINGS["amount"], step=0.01)
AMOUNTS = tuple(round(step / 100, 2) for step in range(101))
AMOUNT_SLIDER = Slider(AMOUNTS, tuple(f"{step} %" for step in range(101)))


def leaves_by_amount(ranked: Ranked, amounts: Sequence[float] = AMOUNTS) -> tuple[Stops, ...]:
    """The stop of the amount at which each weight leaves: of every target, shaped as its weight.

    A rank of scope ``row`` is one weight of each row.
    """
    counts = ranked.removed_at(amounts)
    leaves = []
    for column, target in enumerate(ranked.targets):
        ranks = ranked.per_weight(column, ranked.rankings[column].ranks).reshape(target.shape)
        leaves.append(leaves_of(counts[:, column].tolist(), np.asarray(ranks)))
    return tuple(leaves)
