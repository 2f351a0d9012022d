"""A checkpoint of 2 GiB goes out of a terminal: how much memory that takes, and how long, each in a process of its own.

Run it by ``python -m tests.benchmarks.save_large [MIB]`` from the repository's root; it takes some minutes, and three
times so many MiB in the folder for temporary files. Linux alone says what it asks.

The memory is the most that was the process's own (``RssAnon`` in ``/proc/PID/status``, looked at each millisecond)
above what it was when the checkpoint lay open and a small network had been saved, in units of the largest layer's bytes
in the dtype of the file. Pages of mapped files are not in it: they are the system's, which drops them when it needs
room.
"""

import json
import os
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
checkpoint, small, *arguments = sys.argv[1:]
assert main(["export", "tutorial-mlp", "--overwrite", "--out", small]) == 0
assert main(["subjects", checkpoint]) == 0
print("base", flush=True)
sys.stdin.readline()
sys.exit(main(["export", checkpoint, *arguments]))
"""

WAYS: list[list[str]] = [
    *(
        ["--as", what, "--out", f"out{ending}"]
        for what in ("weights", "masks", "prune")
        for ending in (".safetensors", ".pt")
    ),
    ["--as", "weights", "--out", "out.safetensors", "--scope", "global"],
    ["--as", "masks", "--out", "out.safetensors", "--scope", "global"],
    ["--as", "prune", "--out", "out.pt", "--scope", "global"],
    ["--as", "weights", "--out", "out.safetensors", "--scope", "row"],
    ["--as", "weights", "--out", "out.safetensors", "--granularity", "n_m:n=2,m=4"],
    ["--as", "weights", "--out", "out.safetensors", "--granularity", "channel"],
    ["--as", "weights", "--out", "out.safetensors", "--criterion", "random"],
    ["--as", "weights", "--out", "out.safetensors", "--criterion", "lamp", "--scope", "global"],
]
"""What is saved; the embedding, the largest layer, is pruned like all others."""


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


def own_memory(process: int) -> int:
    """Bytes that are the process's own; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except ProcessLookupError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon")), 0)


def measured(folder: Path, checkpoint: Path, arguments: list[str]) -> tuple[int, int, float]:
    """The most bytes that are the process's own above those of its base, those, and seconds."""
    command = [sys.executable, "-c", RUN, str(checkpoint), f"small{Path(arguments[3]).suffix}", *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        while (line := process.stdout.readline()) != "base\n":
            if not line:
                raise RuntimeError(f"{arguments} ended too soon")
        base = peak = own_memory(process.pid)
        start = time.perf_counter()
        print(file=process.stdin, flush=True)
        while process.poll() is None:
            peak = max(peak, own_memory(process.pid))
            time.sleep(0.001)
        seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{arguments} failed")
    return peak - base, base, seconds


def main() -> None:
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 2048
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = make_checkpoint(folder, mib)
        print(
            f"{mib:,} MiB, the largest layer {EMBEDDING >> 20}, others {LAYER >> 20}; above the base, in largest layers"
        )
        for arguments in WAYS:
            above, base, seconds = measured(folder, checkpoint, [*arguments, "--embeddings"])
            out = folder / arguments[3]
            layer = EMBEDDING // 4 if "masks" in arguments else EMBEDDING
            said = " ".join([arguments[1], out.suffix, *arguments[4:]])
            memory = f"{above / layer:6.2f}   {above >> 20:6,} MiB above {base >> 20:,}"
            print(f"{said:<52}{memory}, {seconds:4.0f} s", flush=True)
            out.unlink()


if __name__ == "__main__":
    main()
