"""Four recipes on a ViT-B-shaped network: masks, their agreement, sparsity; beside one plain pass of the library.

``python -m tests.benchmarks.four_recipes``, from the repository's root: about two minutes. Each of the recipes has a
ranking of its own, and the cache of rankings is cold; the limit is four passes of ``prune.l1_unstructured``.
"""

import statistics
import time

import torch

from pruning_explorer.lab.comparison import layer_table
from pruning_explorer.measure.agreement import mask_agreement
from pruning_explorer.measure.report import Report
from pruning_explorer.prune.engine import RANKINGS, compute_masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from tests.benchmarks.ranking import VisionTransformer, library_by_layer, milliseconds

ROUNDS = 3
LIMIT = 4.0
RECIPES = (
    Recipe(amount=0.5),
    Recipe("lamp", scope="global", amount=0.5),
    Recipe(granularity="n_m:n=2,m=4", amount=0.5),
    Recipe("random", amount=0.5),
)


def compare(subject: Subject) -> dict[str, float]:
    """Seconds of each part; nothing is ranked at the start."""
    RANKINGS.clear()
    parts: dict[str, float] = {}
    start = time.perf_counter()
    reports = []
    for recipe in RECIPES:
        begun = time.perf_counter()
        reports.append(Report(subject, compute_masks(subject, recipe)))
        parts[f"{recipe.criterion} x {recipe.granularity} x {recipe.scope}"] = time.perf_counter() - begun
    begun = time.perf_counter()
    agreement = mask_agreement([report.masks for report in reports])
    parts["agreement of all pairs"] = time.perf_counter() - begun
    begun = time.perf_counter()
    layers, totals = layer_table(reports), [report.sparsity for report in reports]
    parts["sparsity"] = time.perf_counter() - begun
    parts["all"] = time.perf_counter() - start
    targets = len(reports[0].masks)
    assert len(agreement) == 6 * (targets + 1)
    assert len(layers) == 4 * targets
    assert all(abs(each["achieved"] - 0.5) < 0.005 for each in totals)
    return parts


def main() -> None:
    torch.manual_seed(0)
    model = VisionTransformer()
    subject = Subject.from_module(model, name="vit-b-shape")
    names = [target.name for target in Recipe().chosen(subject)]
    compare(subject)
    library, ours = [], []
    for _ in range(ROUNDS):
        library.append(milliseconds(lambda: library_by_layer(model, names)) / 1000)
        ours.append(compare(subject))
    plain = statistics.median(library)
    print(f"prune.l1_unstructured on each of {len(names)} layers: {plain:.2f} s, fastest {min(library):.2f}")
    for part in ours[0]:
        seconds = statistics.median(each[part] for each in ours)
        print(f"{part:<36} {seconds:>6.2f} s  {seconds / plain:>5.2f} passes")
    print(f"limit for all: {LIMIT:g} passes; median of {ROUNDS} rounds in turns")


if __name__ == "__main__":
    main()
