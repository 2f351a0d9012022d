"""Thousands of damaged files of each kind, read under a memory limit: each is refused in words, or good."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sources.mutate_files import KINDS

COUNT = 5000


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_are_good_or_refused_in_words(kind: str) -> None:
    command = [sys.executable, "-m", "tests.sources.mutate_files", kind, str(COUNT)]
    # A file that keeps its reader busy for ever would take the server down too
    seen = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300, check=False
    )
    assert seen.returncode == 0, seen.stderr[-3000:]
    found = json.loads(seen.stdout)
    assert found["good"] + found["refused"] >= COUNT
    assert min(found.values()) > COUNT // 100, found
