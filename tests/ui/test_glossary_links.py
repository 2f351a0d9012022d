"""The help of every control of the app leads to a word that the glossary has."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import pruning_explorer
from pruning_explorer.errors import LessonError
from pruning_explorer.lab.curves import CurveQueue
from pruning_explorer.lessons.glossary import glossary
from pruning_explorer.lessons.scene import Scene
from pruning_explorer.lessons.scenes import SCENES
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from tests.ui.compare.comparison import Comparison
from tests.ui.learn.learn_page import LearnPage
from tests.ui.models.models_page import ModelsPage
from tests.ui.page import Page

UI = Path(pruning_explorer.__file__).parent / "ui"
ROOMS = ("controls", "explore", "compare", "models")
LINK = re.compile(r"\[Glossary: [^\]]+\]\(learn\?view=glossary&word=([^)]+)\)")

BUTTONS = {"button", "download_button", "link_button", "page_link", "menu_button"}
"""Their help is no "?" beside them: it covers them while one points at them, and no link in it can be reached."""
WORDS = {"markdown", "caption", "title", "header", "subheader"}
"""They may have a help."""
CONTROLS = {
    "selectbox",
    "multiselect",
    "segmented_control",
    "pills",
    "radio",
    "slider",
    "select_slider",
    "number_input",
    "text_input",
    "text_area",
    "toggle",
    "checkbox",
    "file_uploader",
    "date_input",
    "time_input",
    "color_picker",
    "metric",
}


def helps(app: AppTest) -> Iterator[tuple[str, str]]:
    """Every "?" that there is or should be: what it stands beside, and its text."""
    for node in app._tree:
        proto: Any = getattr(node, "proto", None)
        kind = str(node.type)
        if str(getattr(node, "key", "")) == "explore-exact":
            yield from map(help_of_figure, json.loads(proto.json)["figures"])
        if kind in BUTTONS or not hasattr(proto, "DESCRIPTOR"):
            continue
        fields = proto.DESCRIPTOR.fields_by_name
        if kind in ("arrow_data_frame", "dataframe", "data_editor"):
            columns = json.loads(proto.columns or "{}")
            yield from ((f"{name}, a column", each["help"]) for name, each in columns.items() if each.get("help"))
        elif "help" in fields and "label" in fields:
            yield f"{kind} {proto.label}", proto.help
        elif "help" in fields and proto.help:
            yield f"{kind} {node.value}"[:60], proto.help


def help_of_figure(figure: dict[str, Any]) -> tuple[str, str]:
    links = (f"[Glossary: {each['title']}]({each['address']})" for each in figure["links"])
    return f"figure {figure['label']}", " ".join((figure["help"], *links))


def check(app: AppTest) -> set[str]:
    """What has a help, all of which lead to words that there are."""
    found = list(helps(app))
    assert [beside for beside, text in found if not LINK.search(text)] == []
    assert {word for _, text in found for word in LINK.findall(text)} <= set(glossary().words)
    return {beside for beside, _ in found}


def test_explore(open_page: Callable[..., Page]) -> None:
    page = open_page(subject="digits-cnn", granularity="channel", schedule="linear:steps=2")
    page.open_criteria()
    seen = check(page.app)
    for tab in ("Drift by layer", "By class", "Numbers", "Code and recipe"):
        page.open(tab)
        seen |= check(page.app)
    for granularity in ("n_m", "block"):
        page.pick("granularity", granularity)
        seen |= check(page.app)
    page.pick("subject", "tutorial-mlp")
    page.open("Outputs")
    seen |= check(page.app)
    assert {"number_input Steps", "slider Cap per layer, %", "toggle Recalibrate BatchNorm", "number_input M"} <= seen
    assert {"file_uploader Upload a recipe", "file_uploader Tensors by parameter name", "figure Sparsity"} <= seen
    assert {"dead_channels, a column", "flipped, a column", "amount, a column"} <= seen
    assert len(seen) >= 40


def test_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pruning_explorer.ui.compare.curves._QUEUE", CurveQueue(lambda: (0.0, 0.8), seeds=1))
    page = Comparison({"subject": "spirals-mlp"}, presets_open=True, more_1=True)
    page.settle()
    seen = check(page.app)
    for tab in ("Agreement", "Sparsity by layer", "Behaviour", "Take it along"):
        page.open(tab)
        seen |= check(page.app)
    assert {"text_input Recipe A", "number_input Amount of A, %", "button_group The recipe to edit"} <= seen
    assert {"button_group Axis", "button_group Samples", "selectbox Layer"} <= seen


def test_models() -> None:
    page = ModelsPage()
    seen = check(page.app)
    for tab in ("By name", "Your code"):
        page.open_way(tab)
        seen |= check(page.app)
    assert {"selectbox Library", "text_input Name", "toggle Trained weights", "selectbox Look into"} <= seen
    assert any(each.startswith("file_uploader A checkpoint") for each in seen)
    assert any(each.startswith("file_uploader Samples of your own") for each in seen)


def test_learn() -> None:
    """Its ways about and the question of a lesson explain themselves; what can be set has a help."""
    seen: dict[str, str] = {}
    for page in (LearnPage("again-and-again"), LearnPage("getting-it-back"), LearnPage(view="add")):
        question = f"radio {page.app.radio[0].label}" if page.app.radio else ""
        ways = {"button_group Part of the page", "selectbox Lesson", question}
        seen |= {beside: text for beside, text in helps(page.app) if beside not in ways}
    assert [beside for beside, text in seen.items() if not LINK.search(text)] == []
    assert {"toggle Large type", "button_group Amount of each call", "selectbox Network"} <= set(seen)
    assert "file_uploader A lesson's file" in seen


@pytest.mark.parametrize("scene", SCENES.values(), ids=lambda scene: scene.name)
def test_every_knob_of_a_lesson_leads_to_a_word(scene: Scene) -> None:
    for knob in scene.knobs:
        assert set(knob.words or (knob.setting.name,)) <= set(glossary().words)


def test_a_control_without_a_link_is_found() -> None:
    def script() -> None:
        import streamlit as st

        from pruning_explorer.ui.glossary_link import help_with_glossary_link

        st.slider("Linked", help=help_with_glossary_link("Drag.", "amount"))
        st.slider("Without a help")
        st.metric("Without a link", 1, help="A number.")
        st.caption("Words", help="About them.")
        st.caption("Words that need none")
        st.button("A button")

    found = list(helps(AppTest.from_function(script).run()))
    wrong = ["slider Without a help", "metric Without a link", "caption Words"]
    assert [beside for beside, text in found if not LINK.search(text)] == wrong
    assert len(found) == 4


def calls(room: str) -> Iterator[tuple[str, ast.Call]]:
    for file in sorted((UI / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield f"{file.relative_to(UI)}:{node.lineno} {node.func.attr}", node


@pytest.mark.parametrize("room", ROOMS)
def test_no_control_is_written_without_a_link(room: str) -> None:
    """What only some networks show, too, and what nobody has drawn yet."""
    without, controls = [], 0
    for place, call in calls(room):
        kind = place.split()[-1]
        said = next((each.value for each in call.keywords if each.arg == "help"), None)
        controls += kind in CONTROLS
        if kind in CONTROLS or (said is not None and (kind in WORDS or kind.endswith("Column"))):
            # A name stands for a help that was put together above
            linked = said is not None and (isinstance(said, ast.Name) or "help_with_glossary_link" in ast.dump(said))
            without += [] if linked else [place]
    assert without == []
    assert controls


def test_a_link_to_no_word_is_an_error() -> None:
    assert help_with_glossary_link("Drag.", "amount", "kl") == (
        "Drag.\n\n[Glossary: Amount](learn?view=glossary&word=amount) · "
        "[Glossary: KL divergence](learn?view=glossary&word=kl)"
    )
    with pytest.raises(LessonError, match="the glossary has no word 'amuont'; did you mean amount"):
        help_with_glossary_link("Drag.", "amuont")
