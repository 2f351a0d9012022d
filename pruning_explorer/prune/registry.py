"""Registries of choices: this package's own, and those that other installed packages offer.

A package offers a criterion by two lines of its ``pyproject.toml``; it is found wherever it is installed::

    [project.entry-points."pruning_explorer.criteria"]
    age = "my_package.criteria:AGE"
"""

import re
import threading
import warnings
from collections.abc import Iterable, Iterator, MutableMapping
from importlib.metadata import EntryPoint, entry_points
from operator import attrgetter
from typing import Generic, TypeVar, overload

from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.settings import Choice, Value

T = TypeVar("T")
C = TypeVar("C", bound=Choice)

NAME = re.compile(r"[a-z][a-z0-9_-]*")
"""Pattern of a name, so that it can be written as ``name:key=value,...`` in addresses and on command lines."""


class Registry(MutableMapping[str, T]):
    """Choices of one kind by name, in order.

    What other packages offer is loaded when somebody first asks, never while this package is being imported: such a
    package imports this one. What cannot be used is left out with a warning that names its package.

    Args:
        group: of entry points, ``"pruning_explorer.criteria"``; empty where other packages offer none.
        kind: what each entry point must be.
        built_in: of this package.
        name: which attribute of a choice is its name.
    """

    def __init__(self, group: str, kind: type[T], built_in: Iterable[T], name: str = "name") -> None:
        self.group = group
        self._kind = kind
        self._name_of = attrgetter(name)
        self._choices: dict[str, T] = {self._name_of(each): each for each in built_in}
        self.built_in = tuple(self._choices)
        self._lock = threading.RLock()
        self._begun = self._complete = False

    def __getitem__(self, name: str) -> T:
        # A name that is known needs no other package
        return self._choices[name] if name in self._choices else self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __setitem__(self, name: str, choice: T) -> None:
        self._all()[name] = choice

    def __delitem__(self, name: str) -> None:
        del self._all()[name]

    def _all(self) -> dict[str, T]:
        if not self._complete:
            with self._lock:  # others wait; a package that asks while it is loaded sees what is there by then
                if not self._begun:
                    self._begun = True
                    if self.group:
                        self._load()
                    self._complete = True
        return self._choices

    def _load(self) -> None:
        for entry in sorted(entry_points(group=self.group), key=lambda entry: entry.name):
            problem = self._take(entry)
            if problem:
                owner = entry.dist.name if entry.dist else entry.value
                warnings.warn(f"{entry.name} of {owner} is left out of {self.group}: {problem}", stacklevel=4)

    def _take(self, entry: EntryPoint) -> str | None:
        try:
            choice = entry.load()
        except Exception as error:
            return f"{entry.value} cannot be imported: {type(error).__name__}: {error}"
        if not isinstance(choice, self._kind):
            return f"{entry.value} is {type(choice).__name__}; let it be {self._kind.__name__}"
        name = self._name_of(choice)
        if not isinstance(name, str) or not NAME.fullmatch(name):
            return f"it is called {name!r}; let its name be lower-case letters, digits, - and _"
        if name in self._choices:
            return f"there is one called {name!r} already"
        self._choices[name] = choice
        return None


class Choices(Registry[C]):
    """Choices that a person writes as ``name:key=value,...``.

    Args:
        what: what one of them is called, for error messages: ``"criterion"``.
        kind, built_in, group: as of :class:`Registry`.
    """

    def __init__(self, what: str, kind: type[C], built_in: Iterable[C], group: str = "") -> None:
        super().__init__(group, kind, built_in)
        self.what = what

    def find(self, name: object) -> C:
        """The choice of that name, as it is registered.

        Raises:
            RecipeError: there is none.
        """
        if not isinstance(name, str):
            raise RecipeError(f"{self.what} must be a word, not {name!r}")
        if name not in self:
            raise RecipeError(f"unknown {self.what} {name!r}; choose one of {', '.join(self)}")
        return self[name]

    def read(self, written: str | C) -> C:
        """The choice that a person wrote, under its settings; one that was read already is taken as it is.

        Raises:
            RecipeError: there is no such choice or setting, a value is bad, or two do not go together.
        """
        if isinstance(written, self._kind):
            return written if written.given is not None else written.under({})
        name, _, rest = written.partition(":") if isinstance(written, str) else (written, "", "")
        choice = self.find(name)
        settings = {setting.name: setting for setting in choice.settings}
        values: dict[str, Value] = {}
        for part in filter(None, map(str.strip, rest.split(","))):
            key, equals, value = part.partition("=")
            key = key.strip()
            if key not in settings or not equals:
                known = ", ".join(settings) or "none"
                raise RecipeError(f"{self.what} {name!r} has no setting {part!r}; its settings: {known}")
            if key in values:
                raise RecipeError(f"{self.what} {name!r} has {key} twice; write it once")
            values[key] = settings[key].parse(value)
        return choice.under(values)


class Chosen(Generic[C]):
    """A dataclass field that accepts a choice as text or as a parsed object, and holds the parsed object."""

    def __init__(self, choices: Choices[C], default: str) -> None:
        self.choices, self.default = choices, default

    @overload
    def __get__(self, holder: None, owner: type) -> str: ...
    @overload
    def __get__(self, holder: object, owner: type) -> C: ...
    def __get__(self, holder: object, owner: type) -> str | C:
        if holder is None:
            return self.default
        chosen: C = vars(holder)[self.choices.what]
        return chosen

    def __set__(self, holder: object, written: str | C) -> None:
        vars(holder)[self.choices.what] = self.choices.read(written)
