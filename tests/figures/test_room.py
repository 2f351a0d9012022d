"""The room stands by itself."""

import subprocess
import sys
from pathlib import Path

import pruning_explorer.figures as room


def test_figures_load_neither_torch_nor_streamlit() -> None:
    modules = [f"pruning_explorer.figures.{path.stem}" for path in Path(room.__path__[0]).glob("*.py")]
    script = (
        f"import sys, {', '.join(modules)}; print([name for name in ('torch', 'streamlit') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
