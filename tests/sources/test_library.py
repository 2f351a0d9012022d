"""Networks by name: what may be written, and that no library is imported before it is asked for."""

import http.server
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.by_name.library import libraries, load_by_name
from pruning_explorer.sources.by_name.optional_libraries import can_load, import_library

ROOT = Path(__file__).parents[2]


def test_no_library_is_imported_to_say_which_there_are() -> None:
    code = (
        "import sys; from pruning_explorer.sources.by_name.library import libraries;"
        "found = [library.installed for library in libraries()];"
        "print(sorted({'timm', 'torchvision', 'transformers', 'huggingface_hub'} & set(sys.modules)), len(found))"
    )
    seen = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[] 3"


def test_each_library_has_an_example_of_its_own() -> None:
    assert [library.prefix for library in libraries()] == ["timm", "torchvision", "hf"]
    assert all(library.example.startswith(f"{library.prefix}:") for library in libraries())


BAD = {
    "keras:resnet18": "no library is called 'keras' here; the libraries are timm, torchvision, hf",
    "timm": "names no network of timm; write its name, as in timm:resnet18",
    "hf:": "names no network of transformers",
    "timm:resnet18,pretrained": "has the option 'pretrained'; the only one is pretrained=true or pretrained=false",
    "timm:resnet18,pretrained=no": "has the option 'pretrained=no'",
    "timm:resnet18,weights=x": "has the option 'weights=x'",
}


@pytest.mark.parametrize(("words", "message"), BAD.items(), ids=BAD.keys())
def test_what_cannot_be_meant_is_refused_before_anything_is_imported(words: str, message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        load_by_name(words)


def test_a_library_that_is_not_there_is_told() -> None:
    with pytest.raises(SubjectError, match="not_there_at_all is not installed here; `pip install not_there_at_all`"):
        import_library("not_there_at_all")
    with pytest.raises(SubjectError, match="no library is called 'keras'"):
        load_by_name("keras:net")


BROKEN = {
    "raise RuntimeError('first\\nthe operator is missing')": r"imported \(the operator is missing\)",
    "import not_there_at_all": r"imported \(No module named 'not_there_at_all'\)",
    "1 / 0": r"imported \(division by zero\)",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ImportError('see above') from error": "division by",
}


@pytest.mark.parametrize(("text", "message"), BROKEN.items())
def test_a_library_that_does_not_work_says_why(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library_of_a_test.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SubjectError, match=message) as caught:
        import_library("broken_library_of_a_test")
    assert "\n" not in str(caught.value)


def test_a_host_that_does_not_answer_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    assert not can_load("https://nowhere.invalid/weights.pth")
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:  # which says 501
        answers = threading.Thread(target=server.handle_request)
        answers.start()
        assert can_load(f"http://127.0.0.1:{server.server_port}/weights.pth")
        answers.join()
    assert not can_load(f"http://127.0.0.1:{server.server_port}/weights.pth")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "weights.pth").touch()
    assert can_load("https://nowhere.invalid/weights.pth")
