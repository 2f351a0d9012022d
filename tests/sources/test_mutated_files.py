"""Thousands of damaged files of each kind, read under a memory limit: each is refused in words, or good."""

import pytest

from tests.apart import run_apart
from tests.sources import mutate_files

COUNT = 5000


@pytest.mark.parametrize("kind", mutate_files.KINDS)
def test_mutated_files_are_good_or_refused_in_words(kind: str) -> None:
    # A file that keeps its reader busy for ever would take the server down too
    found = run_apart(mutate_files.main, kind, COUNT, seconds=300)
    assert found["good"] + found["refused"] == COUNT
    assert min(found.values()) > COUNT // 100, found
