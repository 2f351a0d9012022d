"""Two thousand broken exported programs under a limit of memory: each opens or is refused in words."""

import json
import subprocess
import sys
from pathlib import Path

TIMES = 2000


def test_broken_programs_are_opened_or_refused() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.sources.exported_fuzz", str(TIMES)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    counts = json.loads(ran.stdout.splitlines()[-1])
    assert counts["opened"] + counts["refused"] >= TIMES
    # Most are broken where it matters, and some are not
    assert counts["refused"] > TIMES / 2
    assert counts["opened"] > TIMES / 20
