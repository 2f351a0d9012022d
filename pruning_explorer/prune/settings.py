"""One declaration of each parameter a person can set: its range, unit and help.

Pages make widgets of it, the command line makes flags, a recipe checks itself against it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

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

    @property
    def typed(self) -> bool:
        """Whether a person types it: a float without bounds may be ``inf``, for which a box of numbers has no place."""
        return isinstance(self.default, float) and math.isinf(self.high - self.low)

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


@dataclass(frozen=True, eq=False, repr=False)
class Choice:
    """One of several choices, such as one criterion, with its description and the values of its settings.

    Two are equal where the same is written for both.

    Attributes:
        name: as it is written.
        title: as a page shows it, two or three words.
        help: one sentence on what it does.
        settings: what can be set in ``name:key=value,...``.
        given: values of settings, the rest are at their defaults; None of one as it is registered, which nobody chose.
    """

    name: str
    title: str
    help: str
    settings: tuple[Setting, ...] = field(default=(), kw_only=True)
    given: Mapping[str, Value] | None = field(default=None, kw_only=True)

    @property
    def values(self) -> dict[str, Value]:
        """The value of each setting, by name."""
        given = self.given or {}
        return {setting.name: given.get(setting.name, setting.default) for setting in self.settings}

    def under(self, values: Mapping[str, Value]) -> Self:
        """The same with its settings at ``values``; those that are not among them take their defaults.

        Raises:
            RecipeError: a value is of another type or out of range, or two do not go together.
        """
        settings = (setting for setting in self.settings if setting.name in values)
        return replace(self, given={setting.name: setting.check(values[setting.name]) for setting in settings})

    def text(self, *, defaults: bool = True) -> str:
        """Its canonical text, with or without the settings at their defaults.

        >>> Choice("n_m", "N of every M", "", settings=(Setting("n", "N", "", 2), Setting("m", "M", "", 4))).text()
        'n_m:n=2,m=4'
        """
        standard = {setting.name: setting.default for setting in self.settings}
        written = [
            f"{name}={format_value(value)}"
            for name, value in self.values.items()
            if defaults or value != standard[name]
        ]
        return f"{self.name}:{','.join(written)}" if written else self.name

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text()!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash(str(self))


def format_value(value: Value) -> str:
    """A value as canonical text: ``2``, not ``2.0``; ``inf``; ``true``."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
