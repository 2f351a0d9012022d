"""The Learn page without a browser, driven as a person drives it."""

import base64
import io
import json
from typing import Any

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.ui.hands import controlled
from tests.ui.page import unescaped

SCRIPT = "from pruning_explorer.ui.learn.page import learn\n\nlearn()\n"
KINDS = ("markdown", "caption", "error", "warning", "info", "success", "title", "header", "subheader", "code")


class LearnPage:
    """One browser session at a lesson's address; each act is followed by a run, and no run may raise."""

    def __init__(self, lesson: str | None = None, **address: str | list[str]) -> None:
        self.app = AppTest.from_string(SCRIPT, default_timeout=120)
        query: dict[str, str | list[str]] = {**({} if lesson is None else {"lesson": lesson}), **address}
        for name, value in query.items():
            self.app.query_params[name] = value
        self.run()

    def run(self) -> None:
        self.app.run()
        assert [(each.message, each.stack_trace) for each in self.app.exception] == []

    @property
    def text(self) -> str:
        """All words on the page, as they are read."""
        return "\n".join(unescaped(str(each.value)) for kind in KINDS for each in getattr(self.app, kind))

    @property
    def errors(self) -> list[str]:
        return [unescaped(each.value) for each in self.app.error]

    @property
    def warnings(self) -> list[str]:
        return [unescaped(each.value) for each in self.app.warning]

    @property
    def address(self) -> dict[str, str]:
        """The query as a browser shows it."""
        query = self.app.query_params
        return {name: values if isinstance(values, str) else values[-1] for name, values in query.items()}

    @property
    def panels(self) -> list[dict[str, Any]]:
        """Every panel as it was sent to the browser: its kind, and the fields of its class."""
        found = []
        for each in self.app.get("bidi_component"):
            data = json.loads(each.proto.json) if each.proto.json else {}
            found += [_decoded(panel) for panel in data.get("panels", ())]
        return found

    def panel(self, title: str) -> dict[str, Any]:
        """The panel of that title."""
        return next(panel for panel in self.panels if panel["title"] == title)

    def figure(self, label: str, stop: int) -> str:
        """A key figure of the stage as it is written at a stop."""
        values = next(
            figure["values"]
            for panel in self.panels
            if panel["kind"] == "figures"
            for figure in panel["figures"]
            if figure["label"] == label
        )
        return str(values[stop if len(values) > 1 else 0])

    def answer(self, number: int) -> None:
        """Choose an answer, from 0, and have the truth shown."""
        radio = self.app.radio[0]
        radio.set_value(number)
        self.run()
        self.click("learn_check")

    def set(self, **knobs: Any) -> None:
        """Turn knobs of the lesson that is open."""
        lesson = self.address["lesson"]
        for name, value in knobs.items():
            key = f"learn_{name}_{lesson}"
            widgets = [*self.app.selectbox, *self.app.button_group, *self.app.toggle, *self.app.number_input]
            controlled(widgets, key).set_value(value)
            self.run()

    def click(self, key: str) -> None:
        self.app.button(key=key).click()
        self.run()


def _decoded(panel: dict[str, Any]) -> dict[str, Any]:
    """Answers all over the plane come as colours of one picture; here they are what they stand for again."""
    if panel["kind"] != "regions":
        return panel
    picture = Image.open(io.BytesIO(base64.b64decode(panel["sprite"].partition(",")[2])))
    answers = np.asarray(picture).reshape(panel["size"])
    return {**panel, "answers": answers}
