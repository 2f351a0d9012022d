"""The pages that the browser benchmarks set side by side, each served as a person would start it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

BARE = """import streamlit as st

amount = st.slider("Amount, %", 0.0, 100.0, 50.0, step=0.1, format="%.1f")
st.write(f"Amount {amount:.1f} %")
"""
BARE_WITH_TORCH = f"import torch\n{BARE}"


@dataclass(frozen=True)
class Served:
    """A Streamlit server that has said that it is up.

    Attributes:
        up: ``time.perf_counter()`` at its first answer.
    """

    url: str
    up: float


@contextmanager
def serve(script: Path) -> Iterator[Served]:
    """``streamlit run`` beside the script, with its own configuration and nothing of ours but a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    command = [sys.executable, "-m", "streamlit", "run", script.name, *options, "--browser.gatherUsageStats=false"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    log = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=script.parent, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        while not is_up(url):
            if process.poll() is not None:
                raise RuntimeError(f"{script} did not start")
            time.sleep(0.005)
        yield Served(url, time.perf_counter())
    finally:
        process.terminate()
        process.wait()


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
