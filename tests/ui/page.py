"""The Explore page without a browser, driven as a person drives it."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Tab

import pruning_explorer
from pruning_explorer import Recipe, Subject
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.sources.samples import load_sample
from pruning_explorer.ui.address import read_address
from tests.ui.hands import amount_shown, choose_layers, component, controlled, layers_shown, release_amount

MAIN = Path(pruning_explorer.__file__).parent / "ui" / "main.py"


class KeyFigure(NamedTuple):
    """What one of the key figures says; ``words`` are those of the glossary that its help leads to."""

    value: str
    below: str
    help: str
    words: tuple[str, ...]


class Page:
    """One browser session on the Explore page; each act is followed by a run, and no run may raise."""

    def __init__(self, address: Mapping[str, str | list[str]]) -> None:
        self.app = AppTest.from_file(str(MAIN), default_timeout=120)
        for name, values in address.items():
            self.app.query_params[name] = values
        for fold in ("amounts_open", "more_open"):
            self.app.session_state[fold] = True  # only what is open is drawn
        self.run()

    def run(self) -> None:
        self.app.run()
        self._look()

    def _look(self) -> None:
        assert [(each.message, each.stack_trace) for each in self.app.exception] == []

    # What is shown

    @property
    def errors(self) -> list[str]:
        return [unescaped(each.value) for each in self.app.error]

    @property
    def warnings(self) -> list[str]:
        return [unescaped(each.value) for each in self.app.warning]

    @property
    def address(self) -> dict[str, list[str]]:
        """The query as a browser shows it: on coming to a page it is not a step in its history."""
        return dict(self.app.session_state["address_told"])

    @property
    def recipe(self) -> Recipe:
        """What the address says, which is what the page shows where it stands."""
        read = read_address(self.address)
        assert read.problems == ()
        return read.recipe

    @property
    def subject(self) -> Subject:
        return load_sample(self.app.selectbox(key="subject").value)

    @property
    def metrics(self) -> dict[str, KeyFigure]:
        """The key figures as they were sent to the browser, by label; none where there is nothing to measure."""
        sent = next((each.proto.json for each in self.app.get("bidi_component") if each.key == "explore-exact"), "{}")
        figures = json.loads(sent).get("figures", ())
        return {
            each["label"]: KeyFigure(each["value"], each["below"], each["help"], tuple(each["words"]))
            for each in figures
        }

    @property
    def layers(self) -> list[str]:
        return [name for name, chosen in layers_shown(self.app).items() if chosen]

    @property
    def amount(self) -> float | None:
        """In percent, where the handle on the curve and its box stand."""
        return amount_shown(self.app)

    @property
    def own_amounts(self) -> dict[str, float]:
        """What the table of amounts per layer starts from, in percent."""
        table = self.app.data_editor[0].value
        return {row.layer: float(row.amount) for row in table.dropna().itertuples()}

    @property
    def open_tab(self) -> str:
        """The one tab with anything in it."""
        drawn = [each.label for each in self.app.tabs if each.children]
        assert len(drawn) == 1
        return drawn[0]

    def tab(self, label: str) -> Tab:
        return next(each for each in self.app.tabs if each.label == label)

    def chart(self, key: str) -> dict[str, Any]:
        """The Plotly figure of that key."""
        spec = next(each for each in self.app.get("plotly_chart") if each.key == key).proto.spec
        figure: dict[str, Any] = json.loads(spec)
        return figure

    @property
    def criterion(self) -> str:
        """What the closed list says below its button."""
        return next(each.value for each in self.app.sidebar.caption if each.value.startswith(self._criterion_help()))

    def _criterion_help(self) -> str:
        return CRITERIA.read(self.app.session_state["criterion"]).help

    @property
    def curve(self) -> dict[str, Any]:
        """What the browser is told of the curve; nothing before it is told."""
        try:
            told: dict[str, Any] = json.loads(component(self.app, "explore-points").json)
        except StopIteration:
            return {}
        return told

    def has_chart(self, key: str) -> bool:
        return any(each.key == key for each in self.app.get("plotly_chart"))

    def every_text(self) -> str:
        """All words on the page that Streamlit reads as markdown."""
        kinds = ("markdown", "caption", "error", "warning", "info", "success", "title", "subheader")
        return "\n".join(str(each.value) for kind in kinds for each in getattr(self.app, kind))

    # What a person does

    def pick(self, key: str, value: object) -> None:
        """Choose in a box or a row of segments."""
        controlled([*self.app.selectbox, *self.app.button_group], key).set_value(value).run()
        self._look()

    def type_into_box(self, key: str, text: str) -> None:
        """Write an entry of one's own into a box that takes such."""
        box = controlled(self.app.selectbox, key)
        box.options.append(text)  # which is how the browser sends it
        box.set_value(text).run()
        self._look()

    def open_criteria(self) -> None:
        self.app.session_state["criterion_open"] = True
        self.run()

    def choose_criterion(self, name: str) -> None:
        """Open the list of criteria and take one, which closes the list."""
        self.open_criteria()
        self.click(f"criterion_{name}")
        assert not self.app.session_state["criterion_open"]

    def upload_scores(self, name: str, content: bytes) -> None:
        """Into the open list of criteria."""
        self.app.file_uploader(key="score_file").set_value((name, content, "application/octet-stream")).run()
        self._look()

    def drag(self, key: str, value: float) -> None:
        controlled(self.app.slider, key).set_value(value).run()
        self._look()

    def set_amount(self, percent: float) -> None:
        """Let go of the handle on the curve, or type into its box."""
        release_amount(self.app, percent)
        self._look()

    def enter(self, key: str, value: float) -> None:
        controlled(self.app.number_input, key).set_value(value).run()
        self._look()

    def switch(self, key: str, on: bool) -> None:
        controlled(self.app.toggle, key).set_value(on).run()
        self._look()

    def click(self, key: str) -> None:
        self.app.button(key=key).click().run()
        self._look()

    def choose_layers(self, names: list[str]) -> None:
        choose_layers(self.app, names)
        self._look()

    def choose_all_layers(self) -> None:
        self.choose_layers([*layers_shown(self.app)])

    def set_own_amount(self, layer: str, percent: float | None) -> None:
        """Type into a cell of the table; the edits of a table add up until it starts anew."""
        table = self.app.data_editor[0]
        edits = self._edits_of(table.key or "")
        row = list(table.value["layer"]).index(layer)
        edits["edited_rows"][str(row)] = {"amount": percent}
        states: WidgetStates = self.app._tree.get_widget_states()
        states.widgets.append(WidgetState(id=table.proto.id, string_value=json.dumps(edits)))
        self.app._run(states)
        self._look()

    def _edits_of(self, key: str) -> dict[str, Any]:
        edited = self.app.session_state[key]["edited_rows"] if key in self.app.session_state else {}
        return {"edited_rows": {str(row): edit for row, edit in edited.items()}, "added_rows": [], "deleted_rows": []}

    def upload(self, content: bytes) -> None:
        self.app.file_uploader(key="recipe_file").set_value(("recipe.json", content, "application/json")).run()
        self._look()

    def open(self, tab: str) -> None:
        self.app.session_state["details"] = tab
        self.run()


def unescaped(markdown: str) -> str:
    """What a person reads where every mark was escaped."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace("\N{WORD JOINER}", "")
