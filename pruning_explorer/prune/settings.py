"""One declaration of each parameter a person can set: its range, unit and help.

Pages make widgets of it, the command line makes flags, a recipe checks itself against it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pruning_explorer.errors import RecipeError

Value = bool | int | float | str


@dataclass(frozen=True)
class Setting:
    """A parameter that a person can set.

    Attributes:
        name: as it is written in JSON, ``"amount"``.
        label: as a page shows it.
        help: one line on what it does.
        default: also fixes the type of the value.
        low, high: inclusive range of a number.
        step: of a slider.
        unit: ``"fraction"``, or empty.
    """

    name: str
    label: str
    help: str
    default: Value
    low: float = -math.inf
    high: float = math.inf
    step: float | None = None
    unit: str = ""

    def check(self, value: object) -> Value:
        """Return ``value`` as this setting's type.

        Raises:
            RecipeError: it is of another type, not finite, or out of range.
        """
        if isinstance(self.default, bool):
            if isinstance(value, bool):
                return value
            raise RecipeError(f"{self.name} must be true or false, not {value!r}")
        if isinstance(self.default, str):
            if isinstance(value, str):
                return value
            raise RecipeError(f"{self.name} must be a word, not {value!r}")
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise RecipeError(f"{self.name} must be a number, not {value!r}")
        if isinstance(self.default, int) and value != int(value):
            raise RecipeError(f"{self.name} must be a whole number, not {value!r}")
        if not self.low <= value <= self.high:
            raise RecipeError(self._out_of_range(value))
        return int(value) if isinstance(self.default, int) else float(value)

    def parse(self, text: str) -> Value:
        """Read ``text`` as a person writes it, in an address or on a command line.

        Raises:
            RecipeError: it cannot be read, or is out of range.
        """
        text = text.strip()
        if isinstance(self.default, bool):
            words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
            return self.check(words.get(text.lower(), text))
        if isinstance(self.default, str):
            return text
        try:
            return self.check(int(text) if isinstance(self.default, int) else float(text))
        except ValueError:
            raise RecipeError(f"{self.name} must be a number, not {text!r}") from None

    def _out_of_range(self, value: float) -> str:
        message = f"{self.name} {value:g} is outside [{self.low:g}, {self.high:g}]"
        if self.unit == "fraction" and 1 < value <= 100:
            return f"{message}; {value / 100:g} removes {value:g} %"
        return message


def format_value(value: Value) -> str:
    """Write a value the one way it is written everywhere: ``2``, not ``2.0``; ``inf``; ``true``."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def write_choice(name: str, settings: Mapping[str, Value]) -> str:
    """``write_choice("channel", {"dim": 0})`` is ``"channel:dim=0"``."""
    if not settings:
        return name
    return name + ":" + ",".join(f"{key}={format_value(value)}" for key, value in settings.items())


def read_choice(text: str, known: Mapping[str, tuple[Setting, ...]], what: str) -> tuple[str, dict[str, Value]]:
    """Read ``name:key=value,...``; settings that are not written take their defaults.

    Args:
        known: the settings of each name there is.
        what: of what kind the names are, for the error message: ``"criterion"``.

    Raises:
        RecipeError: an unknown name or key, or a bad value.
    """
    name, _, rest = text.partition(":")
    if name not in known:
        raise RecipeError(f"unknown {what} {name!r}; choose one of {', '.join(known)}")
    settings = {setting.name: setting for setting in known[name]}
    values: dict[str, Value] = {setting.name: setting.default for setting in known[name]}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if key not in settings or not equals:
            choices = ", ".join(settings) or "none"
            raise RecipeError(f"{what} {name!r} has no setting {part!r}; its settings: {choices}")
        values[key] = settings[key].parse(value)
    return name, values
