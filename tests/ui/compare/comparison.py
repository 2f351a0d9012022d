"""The Compare page without a browser, driven as a person drives it."""

import json
import time
from typing import Any

from streamlit.testing.v1 import AppTest

from pruning_explorer import Recipe
from pruning_explorer.ui.compare.address import read_comparison
from tests.ui.hands import amount_shown, choose_layers, controlled, layers_shown, release_amount

SCRIPT = "from pruning_explorer.ui.compare.page import compare\n\ncompare()\n"
PATIENCE = 180


class Comparison:
    """One browser session on the Compare page; each act is followed by a run, and no run may raise."""

    def __init__(self, address: dict[str, str | list[str]], **session: object) -> None:
        self.app = AppTest.from_string(SCRIPT, default_timeout=120)
        for name, values in address.items():
            self.app.query_params[name] = values
        for name, value in session.items():
            self.app.session_state[name] = value
        self.run()

    def run(self) -> None:
        self.app.run()
        self._look()

    def settle(self) -> None:
        """Look again until every recipe and every curve stands."""
        end = time.monotonic() + PATIENCE
        while self.waiting and time.monotonic() < end:
            time.sleep(0.05)
            self.run()
        assert not self.waiting

    @property
    def waiting(self) -> bool:
        said = [each.value for each in self.app.caption if each.value.startswith("Measuring ")]
        return bool(said) or len(self.app.get("progress")) > 0

    def _look(self) -> None:
        assert [(each.message, each.stack_trace) for each in self.app.exception] == []

    # What is shown

    @property
    def address(self) -> dict[str, list[str]]:
        query = self.app.query_params
        return {name: [values] if isinstance(values, str) else list(values) for name, values in query.items()}

    @property
    def recipes(self) -> list[Recipe]:
        """What the address says, which is what the page shows."""
        read = read_comparison(self.address)
        assert read.problems == ()
        return [recipe for _, recipe in read.recipes]

    @property
    def numbers(self) -> list[int]:
        """Of the columns, from left to right."""
        return [column.number for column in self.app.session_state["columns"]]

    @property
    def names(self) -> list[str]:
        return [controlled(self.app.text_input, f"name_{number}").value for number in self.numbers]

    @property
    def errors(self) -> list[str]:
        return [each.value.replace("\\", "") for each in self.app.error]

    @property
    def warnings(self) -> list[str]:
        return [each.value.replace("\\", "") for each in self.app.warning]

    @property
    def table(self) -> str:
        """The HTML of the table; empty where there is none."""
        pages = [each.proto.body for each in self.app.get("html") if "<table" in each.proto.body]
        return pages[0] if pages else ""

    def chart(self, key: str) -> dict[str, Any]:
        """The Plotly figure of that key."""
        spec = next(each for each in self.app.get("plotly_chart") if each.key == key).proto.spec
        figure: dict[str, Any] = json.loads(spec)
        return figure

    # What a person does

    def edit(self, place: int) -> None:
        self.click(f"edit_{self.numbers[place]}")

    def act(self, place: int, what: str) -> None:
        """Open a card's list and take one of what it offers."""
        number = self.numbers[place]
        self.app.session_state[f"more_{number}"] = True
        self.run()
        self.click(f"{what}_{number}")

    def call(self, place: int, name: str) -> None:
        controlled(self.app.text_input, f"name_{self.numbers[place]}").set_value(name).run()
        self._look()

    def preset(self, number: int) -> None:
        self.app.session_state["presets_open"] = True
        self.run()
        self.click(f"preset_{number}")

    def pick(self, key: str, value: object) -> None:
        controlled([*self.app.selectbox, *self.app.button_group], key).set_value(value).run()
        self._look()

    @property
    def amounts(self) -> list[float]:
        """In percent, as the cards show them."""
        return [controlled(self.app.number_input, f"amount_{number}").value for number in self.numbers]

    @property
    def amount_of_all(self) -> float | None:
        """In percent, where the handle on the curves stands; None while the amounts differ."""
        return amount_shown(self.app, "amount_of_all-state")

    def set_amount_of_all(self, percent: float) -> None:
        """Let go of the handle on the curves, or type into its box."""
        release_amount(self.app, percent, "amount_of_all-view")
        self._look()

    def set_amount(self, place: int, percent: float) -> None:
        """Type into a card."""
        self.enter(f"amount_{self.numbers[place]}", percent)

    def choose_layers(self, names: list[str]) -> None:
        choose_layers(self.app, names)
        self._look()

    def choose_all_layers(self) -> None:
        self.choose_layers([*layers_shown(self.app)])

    def enter(self, key: str, value: float) -> None:
        controlled(self.app.number_input, key).set_value(value).run()
        self._look()

    def click(self, key: str) -> None:
        self.app.button(key=key).click().run()
        self._look()

    def open(self, tab: str) -> None:
        self.app.session_state["comparison_tab"] = tab
        self.run()
