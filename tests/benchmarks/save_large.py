"""A checkpoint of 2 GiB goes out of a terminal: how much memory that takes, and how long, each in a process of its own.

Run it by ``python -m tests.benchmarks.save_large [MIB]`` from the repository's root; it takes some minutes, and three
times so many MiB in the folder for temporary files.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

WIDTH = 4096
LAYER = 4 * WIDTH * WIDTH
EMBEDDING = 4 * LAYER

RUN = """
import sys
from pathlib import Path
from pruning_explorer.cli import main
code = main(sys.argv[1:])
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(peak.split()[1], file=sys.stderr)
sys.exit(code)
"""


def make_checkpoint(folder: Path, mib: int) -> Path:
    """In two parts with an index: square layers, and one table of four times their size."""
    generator = torch.Generator().manual_seed(0)
    names = [f"blocks.{place}.fc.weight" for place in range(((mib << 20) - EMBEDDING) // LAYER)]
    index: dict[str, str] = {}
    for part in range(2):
        tensors = {name: torch.randn(WIDTH, WIDTH, generator=generator) for name in names[part::2]}
        if part == 0:
            tensors["embedding.weight"] = torch.randn(4 * WIDTH, WIDTH, generator=generator)
        file = f"part-{part}.safetensors"
        save_file(tensors, folder / file, {"format": "pt"})
        index |= dict.fromkeys(tensors, file)
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": index}))
    return path


def measured(*arguments: str) -> tuple[float, float]:
    """Peak of the process's resident memory in MiB, mapped files among it; seconds."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return int(done.stderr.split()[-1]) / 1024, time.perf_counter() - start


def main() -> None:
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 2048
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = str(make_checkpoint(folder, mib))
        alone, _ = measured("export", "tutorial-mlp", "--out", str(folder / "small.pt"))
        opened, _ = measured("subjects", checkpoint)
        print(f"{mib:,} MiB, the largest layer {EMBEDDING >> 20}, others {LAYER >> 20}; peak resident MiB, seconds")
        print(f"{'a small network saved':<44}{alone:8,.0f}")
        print(f"{'this one opened and listed':<44}{opened:8,.0f}")
        ways = [("weights", ".safetensors"), ("weights", ".pt"), ("masks", ".safetensors"), ("prune", ".pt")]
        for what, ending in ways:
            for how in ([], ["--embeddings"], ["--scope", "global"]):
                if how and (what, ending) != ("weights", ".safetensors"):
                    continue
                out = folder / f"out{ending}"
                peak, seconds = measured("export", checkpoint, *how, "--as", what, "--out", str(out), "--overwrite")
                said = f"{what} {ending} {' '.join(how)}".strip()
                print(
                    f"{said:<44}{peak:8,.0f}{seconds:8.0f} s   {(peak - alone) / (EMBEDDING >> 20):.2f} largest layers",
                    flush=True,
                )
                out.unlink()


if __name__ == "__main__":
    main()
