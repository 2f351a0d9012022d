"""Rank once, cut often: what a slider move costs, beside the library doing the same.

Run it by ``python -m tests.benchmarks.ranking`` from the repository's root; it takes about two minutes and
prints one table.
"""

import copy
import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import prune

from pruning_explorer.prune.engine import RANKINGS, compute_masks, rank_targets
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.recipe_settings import Scope
from pruning_explorer.prune.subject import Subject

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

AMOUNT = 0.5
LIBRARY_ROUNDS = 3
MOVES_PER_ROUND = 8


class VisionTransformer(nn.Module):
    """The shape of ViT-B/16: 86 M weights in 50 layers. Only its weights matter here; it is never run."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 768, 16, 16)
        self.blocks = nn.Sequential(*(nn.TransformerEncoderLayer(768, 12, 3072) for _ in range(12)))
        self.head = nn.Linear(768, 1000)


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def library_by_layer(model: nn.Module, names: list[str]) -> None:
    pruned = copy.deepcopy(model)
    for name in names:
        path, _, leaf = name.rpartition(".")
        prune.l1_unstructured(pruned.get_submodule(path), leaf, amount=AMOUNT)


def library_globally(model: nn.Module, names: list[str]) -> None:
    pruned = copy.deepcopy(model)
    parameters = [(pruned.get_submodule(path), leaf) for path, _, leaf in (name.rpartition(".") for name in names)]
    prune.global_unstructured(parameters, pruning_method=prune.L1Unstructured, amount=AMOUNT)


def plain_compare(weights: list[FloatArray], buffers: list[BoolArray]) -> None:
    """One pass over the weights' bytes, into memory that is already there: the floor of any mask."""
    for weight, buffer in zip(weights, buffers, strict=True):
        np.greater_equal(weight, np.float32(0.01), out=buffer)


def bytes_while_ranking(subject: Subject) -> tuple[int, int, int]:
    """Bytes at the peak of a ranking and bytes then held; and bytes held where the limit is half of that."""
    RANKINGS.clear()
    tracemalloc.start()
    rank_targets(subject, Recipe())
    peak, held = tracemalloc.get_traced_memory()[1], RANKINGS.nbytes
    tracemalloc.stop()
    RANKINGS.clear()
    limit, RANKINGS.limit = RANKINGS.limit, held // 2
    rank_targets(subject, Recipe())
    halved, RANKINGS.limit = RANKINGS.nbytes, limit
    return peak, held, halved


def measure(model: nn.Module, subject: Subject) -> dict[str, list[float]]:
    """Milliseconds of each kind of work, taken in turns so that a busy machine slows all alike."""
    names = [target.name for target in Recipe().chosen(subject)]
    weights = [subject.weight(name).numpy() for name in names]
    buffers = [np.empty(weight.shape, dtype=np.bool_) for weight in weights]
    plain_compare(weights, buffers)

    def move(scope: Scope, step: int) -> float:
        recipe = Recipe(scope=scope, amount=AMOUNT + step / 1000)  # no amount twice: nothing of a mask is cached
        return milliseconds(lambda: compute_masks(subject, recipe))

    times: dict[str, list[float]] = {key: [] for key in ("l1", "global", "ranking", "move", "global move", "compare")}
    for _ in range(LIBRARY_ROUNDS):
        times["l1"].append(milliseconds(lambda: library_by_layer(model, names)))
        times["global"].append(milliseconds(lambda: library_globally(model, names)))
        RANKINGS.clear()
        times["ranking"].append(milliseconds(lambda: rank_targets(subject, Recipe())))
        for step in range(MOVES_PER_ROUND):
            times["compare"].append(milliseconds(lambda: plain_compare(weights, buffers)))
            times["move"].append(move("layer", step))
            times["global move"].append(move("global", step))
    print(f"{len(names)} layers, {sum(weight.size for weight in weights) / 1e6:.1f} M weights, amount {AMOUNT}")
    return times


def main() -> None:
    torch.manual_seed(0)
    model = VisionTransformer()
    subject = Subject.from_module(model, name="vit-b-shape")
    times = measure(model, subject)
    of = {key: statistics.median(values) for key, values in times.items()}
    rows = [
        ("prune.l1_unstructured on each layer", of["l1"], "", ""),
        ("prune.global_unstructured", of["global"], "", ""),
        ("one plain compare over the same bytes", of["compare"], "", ""),
        ("ranking, once (cold cache)", of["ranking"], f"{of['ranking'] / of['l1']:.2f} of l1", "<= 2"),
        ("slider move, scope layer", of["move"], f"{of['l1'] / of['move']:.0f}x faster", ">= 100"),
        ("", of["move"], f"{of['move'] / of['compare']:.2f} compares", "<= 2"),
        (
            "slider move, scope global",
            of["global move"],
            f"{of['global'] / of['global move']:.0f}x faster",
            ">= 300",
        ),
        ("", of["global move"], f"{of['global move'] / of['compare']:.2f} compares", "<= 2"),
    ]
    print(f"{'median of several interleaved runs':<40} {'ms':>9}  {'ratio':<28} {'target':>7}  {'fastest ms':>10}")
    keys = ("l1", "global", "compare", "ranking", "move", "move", "global move", "global move")
    for (what, ms, ratio, target), key in zip(rows, keys, strict=True):
        print(f"{what:<40} {ms:>9.1f}  {ratio:<28} {target:>7}  {min(times[key]):>10.1f}")
    peak, held, halved = (size / 2**20 for size in bytes_while_ranking(subject))
    print(
        f"ranking cache: {held:.0f} MiB held of at most {RANKINGS.limit / 2**20:.0f}; {peak:.0f} MiB at the peak of "
        f"ranking; with a limit of {held / 2:.0f} MiB it holds {halved:.0f}"
    )


if __name__ == "__main__":
    main()
