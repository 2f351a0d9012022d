"""The package as a wheel, installed elsewhere: the samples come along, and the command opens the app."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pruning_explorer import Recipe, build_report, compute_masks, load_subject
from pruning_explorer.cli import main
from pruning_explorer.cli.open_app import split_flags

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    pip("install", str(wheel), "--no-deps", "--target", str(folder))
    return folder


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def environment(site: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(site)}


def test_the_wheel_holds_every_file_that_git_has_of_the_package_and_of_the_samples(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    scripts = {"sample_models/train.py", "sample_models/make_data.py"}
    meant = {
        re.sub("^sample_models/", "pruning_explorer/sample_models/", name)
        for name in listed
        if name.startswith(("pruning_explorer/", "sample_models/")) and name not in scripts and (ROOT / name).exists()
    }
    assert meant
    assert meant <= set(zipfile.ZipFile(wheel).namelist())


def test_an_installed_package_prunes_a_sample_from_any_folder(site: Path, tmp_path: Path) -> None:
    command = [str(site / "bin" / "pruning-explorer"), "report", "digits-cnn", "--amount", "0.8", "--json"]
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=environment(site), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    subject = load_subject("digits-cnn")
    here = build_report(subject, compute_masks(subject, Recipe(amount=0.8))).to_dict()
    there = json.loads(done.stdout)
    assert there["layers"] == json.loads(json.dumps(here["layers"]))
    assert there["totals"]["quality"]["pruned"] == here["totals"]["quality"]["pruned"] < 0.5
    code = "import pruning_explorer as p; print(p.__file__); print(*p.sample_names())"
    seen = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(site), capture_output=True, text=True, check=True
    )
    file, names = seen.stdout.splitlines()
    assert Path(file).is_relative_to(site)
    assert "digits-cnn" in names.split()


def test_the_command_alone_opens_the_app(site: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = ["--server.port", str(port), "--server.headless=true", "--cache-mib", "64"]
    with running([sys.executable, str(site / "bin" / "pruning-explorer"), *flags], site, tmp_path) as server:
        assert answer_of(server, f"http://localhost:{port}/_stcore/health") == b"ok"
        with socket.socket() as elsewhere, pytest.raises(OSError, match="refused"):
            elsewhere.connect(("127.0.0.2", port))  # the packaged configuration: this machine's own name alone


@contextmanager
def running(command: list[str], site: Path, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment(site), stdout=log, stderr=log)
    try:
        yield server
    finally:
        server.terminate()
        server.wait(20)


def answer_of(server: "subprocess.Popen[bytes]", address: str) -> bytes:
    for _ in range(600):
        assert server.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                content: bytes = answer.read()
                return content
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer in two minutes")


@pytest.mark.parametrize(
    ("arguments", "server", "ours"),
    [
        ([], [], []),
        (["--subject", "a.pt"], [], ["--subject", "a.pt"]),
        (["--server.port", "80", "--cache-mib", "9"], ["--server.port", "80"], ["--cache-mib", "9"]),
        (["--subject=a.b.pt", "--server.allowedHosts=*"], ["--server.allowedHosts=*"], ["--subject=a.b.pt"]),
        (["--theme.base"], ["--theme.base"], []),
        (["--server.port", "80", "--", "--subject", "a.pt"], ["--server.port", "80"], ["--subject", "a.pt"]),
    ],
)
def test_flags_with_a_dot_are_the_servers(arguments: list[str], server: list[str], ours: list[str]) -> None:
    assert split_flags(arguments) == (server, ours)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["open", "--help"], 0, "Flags with a dot are the server's"),
        (["--subjects", "a.pt"], 2, "unrecognized arguments: --subjects"),
    ],
)
def test_help_and_complaints_start_no_server(
    arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == code
    printed = "".join(capsys.readouterr())
    assert told in printed
    assert printed.startswith("usage: pruning-explorer open")


def test_every_pin_lies_in_the_range_that_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ranges = {each.name: each.specifier for each in map(Requirement, project["dependencies"])}
    pins = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().splitlines())
    assert ranges.keys() == pins.keys()
    assert not [name for name, pin in pins.items() if pin not in ranges[name]]
    assert all(any(each.operator == ">=" for each in specifier) for specifier in ranges.values())
