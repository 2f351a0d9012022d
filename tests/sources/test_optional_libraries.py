"""Whether weights are within reach is asked once, and not again and again for half a minute."""

import http.server
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.by_name.library import load_by_name
from pruning_explorer.sources.by_name.optional_libraries import hub_answers

ROOT = Path(__file__).resolve().parents[2]


class Nothing(http.server.BaseHTTPRequestHandler):
    """Answers as the hub does where it has nothing, or nothing for everybody."""

    def do_HEAD(self) -> None:
        gated = "gated" in self.path
        self.send_response(403 if gated else 404)
        self.send_header("X-Error-Code", "GatedRepo" if gated else "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def empty_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[http.server.ThreadingHTTPServer]:
    """A hub on this machine that answers and has no network at all."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    huggingface_hub.close_session()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
    huggingface_hub.close_session()


def test_a_hub_answers_until_it_does_not(
    empty_hub: http.server.ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert hub_answers()
    with monkeypatch.context() as offline:
        offline.setattr(constants, "HF_HUB_OFFLINE", True)
        assert not hub_answers()
    empty_hub.shutdown()
    empty_hub.server_close()
    assert not hub_answers()
    logging.getLogger("huggingface_hub").addHandler(caplog.handler)
    try:
        with pytest.raises(SubjectError, match="is not in the cache, and the Hugging Face hub cannot be reached"):
            load_by_name("hf:nobody/has-this-one")
    finally:
        logging.getLogger("huggingface_hub").removeHandler(caplog.handler)
    assert "Retrying" not in caplog.text


NAMES = """
from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.by_name.library import load_by_name
for name in ("nobody/has-this-one", "somebody/gated"):
    try:
        load_by_name(f"hf:{name}")
    except SubjectError as error:
        print(error)
"""


def test_a_name_that_the_hub_does_not_know(empty_hub: http.server.ThreadingHTTPServer) -> None:
    """In a process of its own: where the hub is, its client reads once."""
    place = f"http://127.0.0.1:{empty_hub.server_port}"
    done = subprocess.run(
        [sys.executable, "-c", NAMES],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": place, "HF_HUB_OFFLINE": "0", "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    unknown, gated = done.stdout.splitlines()
    assert unknown.startswith("hf:nobody/has-this-one cannot be opened: nobody/has-this-one is not a local folder and")
    assert unknown.endswith("; check the name")
    assert gated.startswith("hf:somebody/gated cannot be opened: You are trying to access a gated repo; ")
