"""A checkpoint of 2 GB with one layer of 32,000 x 4,096: what it takes to open it, and to drag the slider on the layer.

``python -m tests.benchmarks.large_layer [dtype]``: the layer in float32 (524 MB, the default), bfloat16 or float16.
Limits: memory at its peak at most 4 times the layer beyond the app's own, and a move of the slider at most 3 plain
compares over the layer. Each row is what the Explore page has computed for the layer, in the order in which it asks,
in a fresh process; the peak is the kernel's own count (VmHWM), pages of the mapped file among them.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROWS, COLS = 32_000, 4_096
LAYER = "embed.weight"
OTHER_BYTES = 1_480_000_000
MOVES = 15
MOST_LAYERS, MOST_COMPARES = 4.0, 3.0


def write_checkpoint(path: Path, dtype: str) -> None:
    """The large layer, and others of 4,096 x 4,096 until there are 2 GB in float32."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    tensors = {LAYER: torch.randn(ROWS, COLS).mul_(0.02).to(kind)}
    tensors[LAYER][0] = 0  # the row of the padding token
    for layer in range(OTHER_BYTES // (COLS * COLS * 4)):
        tensors[f"layers.{layer}.weight"] = torch.randn(COLS, COLS).mul_(0.02).to(kind)
    save_file(tensors, path)


class Memory:
    """Memory of this process, in bytes, as the kernel counts it."""

    def __init__(self) -> None:
        self.base = self._read("VmRSS")

    def peak(self, work: Callable[[], Any]) -> tuple[float, float, float]:
        """Seconds that some work takes, and bytes beyond the base at its peak and after it."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
        return seconds, self._read("VmHWM") - self.base, self._read("VmRSS") - self.base

    def _read(self, name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])


def explore(path: Path) -> None:
    """Do what the page does, in this process, and print what it takes."""
    import numpy as np

    from pruning_explorer import Recipe, load_subject
    from pruning_explorer.lab.workers import tune_process
    from pruning_explorer.measure.report import report_of
    from pruning_explorer.prune.engine import rank_targets
    from pruning_explorer.prune.subject import Subject
    from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint
    from pruning_explorer.ui.explore import layer, layers, page  # noqa: F401

    def look(subject: Subject, recipe: Recipe, place: tuple[int, int, int, int]) -> None:
        """All of Explore that the amount changes: key figures, the list of layers, the open layer and its window."""
        shown = report_of(subject, recipe)
        shown.measure()
        assert shown.sparsity_by_layer.loc[0, "removed"] == round(recipe.amount * shown.masks.targets[0].numel)
        layers._messages(shown)
        opened = layer._Shown(subject, recipe, shown.masks.targets[0])
        layer._payload(opened)
        layer.window_of(opened, place)

    tune_process()  # as the app does at its start
    small = load_subject("tutorial-mlp")
    look(small, Recipe(targets=("fc1.weight",)), (0, 0, 2, 2))
    memory = Memory()
    found: list[Subject] = []
    rows: list[tuple[str, tuple[float, float, float]]] = []

    def step(what: str, work: Callable[[], Any]) -> None:
        rows.append((what, memory.peak(work)))

    step("open the checkpoint", lambda: found.append(open_checkpoint(path)))
    (subject,) = found
    recipe = Recipe(targets=(LAYER,))
    opened = layer._Shown(subject, recipe, subject.target(LAYER))
    place = (12_000, 1_000, 512, 512)
    size = subject.weight(LAYER).nbytes
    step("rank the layer", lambda: rank_targets(subject, recipe))
    step(
        "mask, table and totals",
        lambda: (report_of(subject, recipe).sparsity_by_layer, report_of(subject, recipe).sparsity),
    )
    step("picture of the layer", lambda: layer._payload(opened))
    step("zoom into 512 x 512 of it", lambda: layer.window_of(opened, place))
    step("zoom elsewhere", lambda: layer.window_of(opened, (20_000, 3_000, 512, 512)))
    ranking = rank_targets(subject, recipe).rankings[0]
    buffer = np.empty(ranking.ranks.shape, dtype=np.bool_)
    np.greater_equal(ranking.ranks, np.int32(0), out=buffer)
    compares: list[float] = []
    moves: list[float] = []
    peaks: list[tuple[float, float, float]] = []
    for move in range(MOVES):
        amount = 0.3 + move / 50
        start = time.perf_counter()
        np.greater_equal(ranking.ranks, np.int32(amount * buffer.size), out=buffer)
        compares.append(time.perf_counter() - start)
        moved = replace(recipe, amount=round(amount, 3))
        peaks.append(memory.peak(lambda moved=moved: look(subject, moved, place)))
        moves.append(peaks[-1][0])
    del buffer
    rows.append(("the slider, moved", (statistics.median(moves), max(p[1] for p in peaks), peaks[-1][2])))

    dtype = str(subject.target(LAYER).dtype).removeprefix("torch.")
    print(f"a layer of {size / 1e6:.0f} MB ({dtype}) in a checkpoint of {path.stat().st_size / 1e9:.2f} GB")
    print(f"{'':<28} {'seconds':>8} {'peak, layers':>13} {'after, layers':>14}")
    for what, (seconds, peak, after) in rows:
        print(f"{what:<28} {seconds:>8.3f} {peak / size:>13.2f} {after / size:>14.2f}")
    most = max(peak for _, (_, peak, _) in rows) / size
    ratio = statistics.median(m / c for m, c in zip(moves, compares, strict=True))
    compare = statistics.median(compares)
    print(f"peak: {most:.2f} layers (at most {MOST_LAYERS:g}); the app itself: {memory.base / 1e6:.0f} MB")
    print(
        f"a move: {statistics.median(moves) * 1000:.0f} ms, {ratio:.2f} plain compares of {compare * 1000:.0f} ms "
        f"(at most {MOST_COMPARES:g}); fastest {min(moves) * 1000:.0f} and {min(compares) * 1000:.0f}"
    )


def main() -> None:
    dtype = sys.argv[1] if len(sys.argv) > 1 else "float32"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.safetensors"
        for call in (f"write_checkpoint(Path({str(path)!r}), {dtype!r})", f"explore(Path({str(path)!r}))"):
            code = f"from pathlib import Path; from tests.benchmarks.large_layer import *; {call}"
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
