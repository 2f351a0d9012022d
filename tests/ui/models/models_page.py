"""The Models page without a browser, driven as a person drives it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from streamlit.testing.v1 import AppTest

from tests.ui.page import unescaped

SCRIPT = "from pruning_explorer.ui.models.page import models\n\nmodels()\n"


class ModelsPage:
    """One browser session on the Models page; each act is followed by a run, and no run may raise."""

    def __init__(self, address: Mapping[str, str | list[str]] | None = None, **session: object) -> None:
        self.app = AppTest.from_string(SCRIPT, default_timeout=120)
        for name, values in (address or {}).items():
            self.app.query_params[name] = values
        for name, value in session.items():
            self.app.session_state[name] = value
        self.run()

    def run(self) -> None:
        self.app.run()
        self._look()

    def _look(self) -> None:
        assert [(each.message, each.stack_trace) for each in self.app.exception] == []

    @property
    def errors(self) -> list[str]:
        return [unescaped(each.value) for each in self.app.error]

    @property
    def infos(self) -> list[str]:
        return [unescaped(each.value) for each in self.app.info]

    @property
    def loaded(self) -> pd.DataFrame:
        """The table of all networks, by name."""
        return self.app.dataframe[0].value.set_index("name")

    @property
    def layers(self) -> pd.DataFrame:
        """The table of the network that is looked into, by parameter."""
        return self.app.dataframe[1].value.set_index("parameter")

    @property
    def looked_into(self) -> str:
        return str(self.app.selectbox(key="model_looked_at").value)

    def drop(self, *files: tuple[str, bytes]) -> None:
        """Drop files on the box for networks."""
        box = next(each for each in self.app.get("file_uploader") if each.key.startswith("model_files_"))
        self._give(box, *files)

    def drop_samples(self, name: str, content: bytes) -> None:
        box = next(each for each in self.app.get("file_uploader") if each.key.startswith("sample_file_"))
        box.set_value((name, content, "application/octet-stream")).run()
        self._look()

    def drop_calibration(self, name: str, content: bytes) -> None:
        box = next(each for each in self.app.get("file_uploader") if each.key.startswith("calibration_file_"))
        box.set_value((name, content, "application/octet-stream")).run()
        self._look()

    def open_calibration(self) -> None:
        self.app.session_state["calibration_open"] = True
        self.run()

    @property
    def captions(self) -> list[str]:
        return [unescaped(each.value) for each in self.app.caption]

    def _give(self, box: Any, *files: tuple[str, bytes]) -> None:
        box.set_value([(name, content, "application/octet-stream") for name, content in files]).run()
        self._look()

    def look_into(self, name: str) -> None:
        self.app.selectbox(key="model_looked_at").select(name).run()
        self._look()

    def click(self, key: str) -> None:
        self.app.button(key=key).click().run()
        self._look()

    def rename(self, name: str, new: str) -> None:
        self.app.text_input(key=f"own_name_{name}").set_value(new).run()
        self._look()

    def open_way(self, tab: str) -> None:
        self.app.session_state["ways_in"] = tab
        self.run()
