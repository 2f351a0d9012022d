"""One declaration of each parameter a person can set: its range, unit and help.

Pages make widgets of it, the command line makes flags, a recipe checks itself against it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

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
        labels: values that are common, and what a page calls them; any other in the range may be given as well.
        word: of the glossary, that explains it; empty where it is explained by what it is a setting of.
        of_scores: it says how scores are put together, of which a criterion that draws has none.
    """

    name: str
    label: str
    help: str
    default: Value
    low: float = -math.inf
    high: float = math.inf
    step: float | None = None
    unit: str = ""
    labels: Mapping[Value, str] = field(default_factory=dict)
    word: str = ""
    of_scores: bool = False

    def check(self, value: object) -> Value:
        """Return ``value`` as this setting's type.

        Raises:
            RecipeError: it is of another type, not finite, or out of range.
        """
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(self.default, bool):
            if isinstance(value, bool):
                return value
            raise RecipeError(f"{self.name} must be true or false, not {value!r}")
        if isinstance(self.default, str):
            if isinstance(value, str):
                return value
            raise RecipeError(f"{self.name} must be a word, not {value!r}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not self._is_whole_if_need_be(value):
            raise RecipeError(self._no_number(value))
        if not self.low <= value <= self.high:
            raise RecipeError(self._out_of_range(value))
        return int(value) if isinstance(self.default, int) else float(value) + 0.0  # which makes 0 of -0

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
            raise RecipeError(self._no_number(text)) from None

    def _is_whole_if_need_be(self, value: float) -> bool:
        if isinstance(self.default, int):
            return isinstance(value, int) or value.is_integer()
        return not math.isnan(value)

    def _no_number(self, value: object) -> str:
        return f"{self.name} must be a {'whole ' * isinstance(self.default, int)}number, not {value!r}"

    def _out_of_range(self, value: float) -> str:
        low, high = format_value(self.low), format_value(self.high)
        message = f"{self.name} {format_value(value)} is outside [{low}, {high}]"
        if self.unit == "fraction" and 1 < value <= 100:
            return f"{message}; {value / 100:g} removes {value:g} %"
        return message


@dataclass(frozen=True)
class Choice:
    """One of several ways to do a thing, and what a person is told about it.

    Attributes:
        name: as it is written.
        title: as a page shows it, two or three words.
        help: one sentence on what it does.
        settings: what can be set in ``name:key=value,...``.
    """

    name: str
    title: str
    help: str
    settings: tuple[Setting, ...] = ()


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
    values: dict[str, Value] = {}
    for part in filter(None, map(str.strip, rest.split(","))):
        key, equals, value = part.partition("=")
        key = key.strip()
        if key not in settings or not equals:
            choices = ", ".join(settings) or "none"
            raise RecipeError(f"{what} {name!r} has no setting {part!r}; its settings: {choices}")
        if key in values:
            raise RecipeError(f"{what} {name!r} has {key} twice; write it once")
        values[key] = settings[key].parse(value)
    return name, {key: values.get(key, setting.default) for key, setting in settings.items()}


def canonical_choice(text: str, known: Mapping[str, tuple[Setting, ...]], what: str, *, defaults: bool = True) -> str:
    """Write ``name:key=value,...`` the one way it is written, with or without the settings at their defaults.

    Raises:
        RecipeError: as :func:`read_choice`.
    """
    name, values = read_choice(text, known, what)
    if not defaults:
        standard = {setting.name: setting.default for setting in known[name]}
        values = {key: value for key, value in values.items() if value != standard[key]}
    return write_choice(name, values)
