"""A comparison of four methods over twenty amounts, beside the loop that a person would write.

``python -m tests.benchmarks.comparison``, from the repository's root: about a minute. Both sides measure accuracy, KL
and agreement of digits-cnn on its 360 held-out samples, and the numbers must be the same. The person's loop runs in a
process of its own, with torch's own threads and the system's allocator, as a script does; ours is tuned as the page's
process is (``tune_process``) and starts each round with nothing ranked, scored or run. They take turns, so that a busy
machine slows both. What the forward passes of all cells take alone, and nothing else, is the floor for both.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pruning_explorer import Recipe, Subject, compute_masks, load_subject
from pruning_explorer.lab.curves import CurveJob, comparison_amounts, new_curve
from pruning_explorer.lab.workers import spread, tune_process, workers_at_once
from pruning_explorer.measure.drift import top1
from pruning_explorer.measure.forward import DENSE_OUTPUTS, masked_outputs
from pruning_explorer.measure.skeletons import borrow_skeleton
from pruning_explorer.prune.criteria.sensitivity import FISHER, GRADIENTS
from pruning_explorer.prune.criteria.watched import ON_CALIBRATION
from pruning_explorer.prune.engine import RANKINGS
from tests.benchmarks.persons_loop import SETS, SUBJECT

ROUNDS = 5
SAME_KL = 1e-5

RECIPES: dict[str, tuple[Recipe, ...]] = {
    "torch": (Recipe(), Recipe("random"), Recipe(granularity="channel:dim=0,n=2"), Recipe(scope="global")),
    "data": (
        Recipe(scope="global"),
        Recipe("gradient", scope="global"),
        Recipe("fisher", scope="global"),
        Recipe("wanda", scope="row"),
    ),
}
ABOUT = {
    "torch": "torch's own four: l1, random, ln channels, global l1",
    "data": "data-free or data-aware: global l1, gradient x weight, Fisher, Wanda by row",
}


def persons_round(which: str) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "found.npz"
        subprocess.run([sys.executable, "-m", "tests.benchmarks.persons_loop", which, str(file)], check=True)
        return dict(np.load(file))


def our_round(subject: Subject, which: str) -> tuple[float, pd.DataFrame]:
    for cache in (RANKINGS, DENSE_OUTPUTS, GRADIENTS, FISHER, ON_CALIBRATION):
        cache.clear()
    start = time.perf_counter()
    job = CurveJob(subject, [new_curve(recipe, comparison_amounts(), seeds=1) for recipe in RECIPES[which]])
    job.run()
    seconds = time.perf_counter() - start
    assert job.problems == (None,) * len(SETS[which]), job.problems
    return seconds, job.frame()


def floor_round(subject: Subject, cells: int) -> float:
    """Seconds that the network takes to be run once for each cell, on as many threads as ours has, and nothing else."""
    start = time.perf_counter()
    list(spread(lambda _: dense_run(subject), range(cells)))
    return time.perf_counter() - start


def dense_run(subject: Subject) -> None:
    with torch.inference_mode(), borrow_skeleton(subject.model) as network:
        network(*subject.samples)


def check_same(subject: Subject, which: str, ours: pd.DataFrame, theirs: dict[str, np.ndarray]) -> float:
    """Right and agreeing samples and top-1 alike in every cell; the largest difference of KL."""
    cells = [(recipe, amount) for recipe in range(len(RECIPES[which])) for amount in comparison_amounts()]
    ours = ours.set_index(["recipe", "amount"]).loc[cells]
    n = subject.sample_count
    for i, (recipe, amount) in enumerate(cells):
        masks = compute_masks(subject, replace(RECIPES[which][recipe], amount=amount))
        assert np.array_equal(top1(masked_outputs(subject, masks)).numpy(), theirs["top1"][i]), cells[i]
    assert np.array_equal((ours["quality"] * n).round(), theirs["right"])
    assert np.array_equal((ours["agreement"] * n).round(), theirs["agreeing"])
    apart = float(np.abs(ours["kl_nats"].to_numpy() - theirs["kl"]).max())
    assert apart < SAME_KL, apart
    return apart


def main() -> None:
    tune_process()
    subject = load_subject(SUBJECT)
    for which, about in ABOUT.items():
        our_round(subject, which)
        ours, theirs, cells_of, floors = [], [], [], []
        for _ in range(ROUNDS):
            found = persons_round(which)
            seconds, frame = our_round(subject, which)
            theirs.append(float(found["all_seconds"]))
            cells_of.append(found["seconds"].reshape(len(SETS[which]), -1).mean(axis=1))
            ours.append(seconds)
            floors.append(floor_round(subject, len(frame)))
        apart = check_same(subject, which, frame, found)
        cells = len(frame)
        print(f"\n{about}; {cells} cells, median of {ROUNDS} rounds in turns")
        for name, times, how in (
            ("a person's loop", theirs, f"a process of its own, torch's {int(found['threads'])} threads"),
            ("ours", ours, f"{workers_at_once()} workers, nothing cached"),
            ("forward passes", floors, f"{workers_at_once()} workers, no pruning, no measuring"),
        ):
            middle = statistics.median(times)
            print(
                f"  {name:<16} {middle * 1000:>7.0f} ms  {middle / cells * 1000:>5.1f} a cell  "
                f"fastest {min(times) * 1000:.0f} ms  ({how})"
            )
        each = zip(SETS[which], np.median(cells_of, axis=0) * 1000, strict=True)
        print(f"  a person's cell: {', '.join(f'{method.__name__} {ms:.1f} ms' for method, ms in each)}")
        most = statistics.median(theirs) / statistics.median(floors)
        print(f"  with all but the forward passes for nothing it would be {most:.1f}x")
        pairs = [theirs[i] / ours[i] for i in range(ROUNDS)]
        print(
            f"  {statistics.median(theirs) / statistics.median(ours):.1f}x faster (single rounds "
            f"{min(pairs):.1f} to {max(pairs):.1f}); same right samples, same top-1, KL within {apart:.0e}"
        )


if __name__ == "__main__":
    main()
