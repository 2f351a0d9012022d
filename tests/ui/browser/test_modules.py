"""JavaScript modules as one, and the colours that go with them."""

import re
import tomllib
from pathlib import Path

import pytest

from pruning_explorer.figures import colours
from pruning_explorer.figures.colours import ON_DARK, ON_LIGHT
from pruning_explorer.ui.browser import colour_variables, join_modules

ROOT = Path(__file__).resolve().parents[3]
UI = ROOT / "pruning_explorer" / "ui"


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder / "main.js"


def test_each_module_stands_once_and_before_who_imports_it(tmp_path: Path) -> None:
    entry = write(
        tmp_path,
        main='import { one } from "./one.js";\nimport {\n  two,\n  three,\n} from "./two.js";\n\nexport default one;\n',
        one='import { two } from "./two.js";\n\nexport const one = two + 1;\n',
        two="export const two = 2;\nexport function three() {}\n",
    )
    joined = "const two = 2;\nfunction three() {}\n\nconst one = two + 1;\n\nexport default one;\n"
    assert join_modules(entry) == joined


def test_what_only_a_reader_needs_stays_behind(tmp_path: Path) -> None:
    entry = write(tmp_path, main="/**\n * One.\n */\nfunction one() {\n  /** Two. */\n  return 2; // of it\n}\n")
    assert join_modules(entry) == "function one() {\nreturn 2; // of it\n}\n"


@pytest.mark.parametrize(
    "line", ['import one from "./one.js";', 'import { one as two } from "./one.js";', "export { one };"]
)
def test_what_cannot_be_joined_is_refused_by_name(tmp_path: Path, line: str) -> None:
    entry = write(tmp_path, main=f"{line}\nexport default one;\n", one="export const one = 1;\n")
    with pytest.raises(ValueError, match=r"main\.js: .*write import"):
        join_modules(entry)


def test_every_component_is_declared_in_the_one_way() -> None:
    declaring = [path for path in UI.rglob("*.py") if "components.v2.component(" in path.read_text(encoding="utf-8")]
    assert declaring == [UI / "browser" / "component.py"]


def test_every_colour_is_a_variable_of_its_name() -> None:
    light, dark = colour_variables().split(".themed.dark")
    assert f"--kept: {ON_LIGHT.kept};" in light
    assert f"--removed-text: {ON_DARK.removed_text};" in dark
    assert f"--magnitudes: {', '.join(ON_DARK.magnitudes)};" in dark


def test_on_paper_a_dark_page_is_light() -> None:
    before, screen = colour_variables(light_on_paper=True).split("@media screen {")
    assert ON_LIGHT.kept in before
    assert ON_DARK.kept not in before
    assert ON_DARK.kept in screen


def test_no_component_writes_a_colour_that_is_declared() -> None:
    declared = {colours.KEPT, colours.REMOVED, colours.ACCENT}
    for page in (ON_LIGHT, ON_DARK):
        for value in vars(page).values():
            declared |= {value} if isinstance(value, str) else set(value)
    for path in [*UI.rglob("*.js"), *UI.rglob("*.css"), *UI.rglob("*.py")]:
        written = set(re.findall(r"#[0-9a-f]{6}\b", path.read_text(encoding="utf-8").lower()))
        assert not written & declared, path


def test_every_variable_that_a_style_reads_is_set_somewhere() -> None:
    texts = [path.read_text(encoding="utf-8") for kind in ("css", "js", "py") for path in UI.rglob(f"*.{kind}")]
    whole = "\n".join([*texts, colour_variables()])
    read = set(re.findall(r"var\((--(?!st-)[a-z-]+)\b", whole))
    written = set(re.findall(r"(--[a-z-]+)(?::|\")", whole))
    assert read - written == set()


def test_streamlits_own_widgets_are_in_the_colour_of_what_is_kept() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    assert theme["light"]["primaryColor"] == colours.KEPT
