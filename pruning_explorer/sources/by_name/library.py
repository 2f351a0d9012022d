"""Networks of the libraries that people use, by name: ``timm:resnet18``, ``torchvision:resnet18``, ``hf:org/model``.

None of the libraries is imported before a network of it is asked for. Another package may offer one more
(:mod:`pruning_explorer.prune.registry`).
"""

import importlib.util
from dataclasses import dataclass
from typing import Protocol

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.registry import Registry
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.by_name.timm_models import load_timm
from pruning_explorer.sources.by_name.torchvision_models import load_torchvision
from pruning_explorer.sources.by_name.transformers_models import load_transformers


class Load(Protocol):
    """How a library's networks are loaded."""

    def __call__(self, name: str, *, pretrained: bool, browser: bool) -> Subject:
        """The network of that name."""


@dataclass(frozen=True)
class Library:
    """A library that networks can be loaded from, where it is installed.

    Attributes:
        prefix: of the words of its networks: ``"timm"``.
        title: what it is called.
        package: what it is imported and installed as.
        example: words of one of its networks.
        load: gives the network of a name, with its trained weights or random ones, the same each time; ``browser``
            says whether a visitor asks, who may not have folders of this machine read, nor its memory filled. It
            raises SubjectError where there is no such network.
    """

    prefix: str
    title: str
    package: str
    example: str
    load: Load

    @property
    def installed(self) -> bool:
        """Whether it is there; whether it works shows when a network of it is loaded."""
        return importlib.util.find_spec(self.package) is not None


LIBRARIES: Registry[Library] = Registry(
    "pruning_explorer.sources",
    Library,
    (
        Library("timm", "timm", "timm", "timm:resnet18", load_timm),
        Library("torchvision", "torchvision", "torchvision", "torchvision:resnet18", load_torchvision),
        Library("hf", "transformers", "transformers", "hf:bert-base-uncased", load_transformers),
    ),
    name="prefix",
)


def libraries() -> tuple[Library, ...]:
    """The libraries that networks can be loaded from, installed or not; imports none of this package's."""
    return tuple(LIBRARIES.values())


def load_by_name(words: str, *, browser: bool = False) -> Subject:
    """A network of a library, with noise as its inputs, so that drift can be seen at once.

    Args:
        words: ``"timm:NAME"``, ``"torchvision:NAME"``, ``"hf:NAME"`` with a name on the Hugging Face hub, or
            ``"hf:./folder"`` that ``save_pretrained`` wrote. ``,pretrained=false`` after it asks for random weights,
            the same each time.
        browser: whether a visitor asks, who may not have folders of this machine read, nor its memory filled.

    Raises:
        SubjectError: the library cannot be used, has no such network, or its trained weights cannot be had.
    """
    prefix, _, rest = words.strip().partition(":")
    library = _library(prefix)
    name, *options = (part.strip() for part in rest.split(","))
    pretrained = _pretrained(options, words)
    if not name:
        raise SubjectError(f"{words!r} names no network of {library.title}; write its name, as in {library.example}")
    return library.load(name, pretrained=pretrained, browser=browser)


def _library(prefix: str) -> Library:
    if prefix not in LIBRARIES:
        raise SubjectError(f"no library is called {prefix!r} here; the libraries are {', '.join(LIBRARIES)}")
    return LIBRARIES[prefix]


def _pretrained(options: list[str], words: str) -> bool:
    chosen = True
    for option in options:
        key, _, value = option.partition("=")
        if key != "pretrained" or value not in ("true", "false"):
            raise SubjectError(
                f"{words!r} has the option {option!r}; the only one is pretrained=true or pretrained=false"
            )
        chosen = value == "true"
    return chosen
