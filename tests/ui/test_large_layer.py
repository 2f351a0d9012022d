"""What the Explore page computes of a large layer takes four times its memory at most."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import large_layer

ROOT = Path(__file__).resolve().parents[2]

SMALLER = (
    "import tests.benchmarks.large_layer as large; from pathlib import Path; large.MOVES = 3; large.explore(Path({!r}))"
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is told by Linux only")
def test_peak_memory_of_a_large_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 69 MB, in a process of its own, as ``tests/benchmarks/large_layer.py`` does with 524 MB.

    What the pictures take whatever the layer's size, some 40 MB, is half a layer here.
    """
    monkeypatch.setattr(large_layer, "ROWS", 4200)
    monkeypatch.setattr(large_layer, "OTHER_BYTES", 0)
    path = tmp_path / "large.safetensors"
    large_layer.write_checkpoint(path, "float32")
    code = SMALLER.format(str(path))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    peak = re.search(r"^peak: ([\d.]+) layers", done.stdout, re.MULTILINE)
    assert peak is not None, done.stdout
    assert float(peak[1]) <= 4.5, done.stdout
