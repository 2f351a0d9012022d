"""The house holds what its README promises."""

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch

from pruning_explorer import Recipe, compute_masks, load_subject
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.patterns import best_of_each
from tests.__main__ import CHECKS

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {
    *("app.py", "pruning_explorer", "tests", "sample_models", "docs", "findings"),
    *("requirements.txt", "pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"),
}


WRITTEN = (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "sample_models" / "README.md")
DOCUMENTS = sorted(str(path.relative_to(ROOT)) for path in WRITTEN)
OF_ELSEWHERE = (
    r"\bissues? #?\d",
    r"(?<![\w/])#\d+",
    r"(?<![\w.])/(?:work|home|tmp|root|Users)/",
    r"\bTODO\b",
    r"\bFIXME\b",
)
"""Numbers of a tracker, folders on somebody's machine, work that is still to be done."""


def readme_commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_ci_runs_the_readmes_test_command_and_nothing_else() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    commands = [line for line in script.splitlines() if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == [line for line in readme_commands() if line.endswith("-m tests")]


def test_each_readme_command_sets_itself_up() -> None:
    opens, tests = (line for line in readme_commands() if "venv .venv" in line)
    assert opens.endswith("streamlit run app.py")
    assert tests.endswith("python -m tests")
    for line in (opens, tests):
        assert (ROOT / re.findall(r"-r (\S+)", line)[0]).is_file()


def headings(text: str) -> set[str]:
    """What a link may end in behind #, as GitHub makes it of headings."""
    found = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_of_a_document_leads_somewhere(name: str) -> None:
    document = ROOT / name
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)
    for link in links:
        path, _, heading = link.partition("#")
        aim = document.parent / path if path else document
        assert aim.exists(), link
        assert not heading or heading in headings(aim.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_that_a_document_names_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:pruning_explorer|tests|sample_models|findings|docs)/[\w./-]+)`", text))
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_document_can_be_found_from_the_readme_and_by_who_contributes() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text(encoding="utf-8"))
        assert {each for each in DOCUMENTS if each.startswith("docs/")} <= set(links), name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_speaks_of_this_project_alone(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [word for word in OF_ELSEWHERE if re.search(word, text)] == []


def test_the_docstring_that_style_shows_is_one_of_ours() -> None:
    shown = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "STYLE.md").read_text(), flags=re.DOTALL)
    assert shown is not None
    assert inspect.getsource(best_of_each).startswith(shown[1].rstrip())


def test_design_tells_the_rooms_as_the_imports_are_checked() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    checked = [sorted(re.findall(r"pruning_explorer\.(\w+)", line)) for line in layers]
    table = (ROOT / "docs" / "DESIGN.md").read_text().partition("## Rooms")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| \d \| (.*) \|$", table, flags=re.MULTILINE)
    assert [sorted(re.findall(r"`pruning_explorer/(\w+)(?:\.py)?`", line)) for line in lines] == checked


def test_top_level_holds_only_what_belongs_there() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    # A copy without git is looked at as it lies there
    names = listed.stdout.splitlines() or [path.name for path in ROOT.iterdir() if path.name != "__pycache__"]
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.startswith(".")} <= ALLOWED


def test_requirements_are_exact() -> None:
    for name in ("requirements.txt", "tests/requirements.txt"):
        for line in (ROOT / name).read_text().splitlines():
            assert line.startswith("-r ") or re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line), line


def test_readme_lets_a_class_in_by_name_and_says_what_a_star_opens() -> None:
    listening = [line for line in readme_commands() if "server.address" in line]
    assert listening
    assert all("server.allowedHosts" in line and "*" not in line for line in listening)
    assert "DNS rebinding" in (ROOT / "README.md").read_text()


def test_importing_the_package_waits_for_no_heavy_library() -> None:
    code = (
        "import sys, pruning_explorer, pruning_explorer.cli;"
        "print(sorted({'torch', 'streamlit', 'plotly', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    seen = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


def test_everything_public_can_be_had() -> None:
    import pruning_explorer

    assert all(getattr(pruning_explorer, name) is not None for name in pruning_explorer.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Pruner'"):
        pruning_explorer.Pruner  # noqa: B018


def test_the_app_is_private() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "localhost"
    assert config["server"]["allowedHosts"] == ["localhost", "127.0.0.1"]
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"


def test_streamlit_knows_every_option_we_set() -> None:
    from streamlit import config as streamlit_config

    known = streamlit_config.get_config_options()
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    options = {
        f"{section}.{key}" + (f".{inner}" if isinstance(value, dict) else "")
        for section, values in config.items()
        for key, value in values.items()
        for inner in (value if isinstance(value, dict) else [""])
    }
    assert options <= set(known)


def test_the_workflow_runs_the_readmes_test_command() -> None:
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    commands = re.findall(r"- run: (.*)", workflow)
    assert commands == [line for line in readme_commands() if line.endswith("-m tests")]


def test_lint_before_a_commit_is_the_lint_of_the_tests() -> None:
    pins = re.findall(r"(?:ruff|oxlint|oxfmt)==[0-9.]+", (ROOT / ".pre-commit-config.yaml").read_text())
    assert len(pins) == 4
    assert set(pins) <= set((ROOT / "tests" / "requirements.txt").read_text().splitlines())


def test_every_file_and_check_that_contributors_are_pointed_at_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    paths = set(re.findall(r"`?((?:pruning_explorer|tests|sample_models)/[\w./-]+)", text))
    assert len(paths) > 10
    example = "pruning_explorer/prune/criteria/squared.py"
    assert [path for path in paths if path != example and not (ROOT / path.rstrip(".")).exists()] == []
    listed = re.search(r"-m tests lint +# and: (.*)", text)
    assert listed is not None
    assert {"lint", *listed[1].split(", ")} == set(CHECKS)


def test_the_criterion_that_contributors_are_shown_works(monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL)
    assert code is not None
    shown: dict[str, Any] = {}
    exec(code[1], shown)
    monkeypatch.setitem(CRITERIA, "squared", shown["SQUARED"])
    subject = load_subject("tutorial-mlp")
    masks, plain = (compute_masks(subject, Recipe(criterion)) for criterion in ("squared", "magnitude"))
    assert all(torch.equal(masks[name], plain[name]) for name in plain)
