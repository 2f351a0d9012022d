"""Where each layer is cut at each position of the slider, which several parts of the page draw from."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pruning_explorer.prune.cache import ByteBoundedCache
from pruning_explorer.prune.engine import Ranked
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui.live_mask.payload import POSITIONS

_CUTS: ByteBoundedCache[NDArray[np.int64]] = ByteBoundedCache(32 << 20, "cuts at each position of the slider")


def removed_at_positions(subject: Subject, ranked: Ranked) -> NDArray[np.int64]:
    """Ranks that each of a recipe's targets loses at 0.0 %, 0.1 % ... 100.0 %, int64 ``[1001, T]``; not to be changed.

    One ranking over many layers takes about a second for it.
    """
    recipe = ranked.recipe
    # A schedule that scores anew ranks for its own amount
    key = (subject.id, (replace(recipe, amount=0.0) if recipe.nested else recipe).id)
    return _CUTS.get(key, lambda: ranked.removed_at(np.arange(POSITIONS) / (POSITIONS - 1)))
