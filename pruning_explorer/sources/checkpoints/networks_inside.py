"""Which networks a saved object holds: its ``state_dict``s, by the keys that lead to them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.shards import shown
from pruning_explorer.sources.checkpoints.stored_tensors import Built, Ordered, SpecialTensor, StoredTensor

WEIGHTS = (
    *("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params"),
    *("ema_state_dict", "state_dict_ema", "model_ema", "ema"),
)
"""Keys under which training scripts save a state_dict, the most usual first."""
DEPTH_MOST = 4
NODES_MOST = 2_000_000
"""Most dicts, lists and their entries that are looked into."""
LISTED = 12

_OF_TRAINING = re.compile(r"optim|sched|scaler|exp_avg|momentum|rng_state", re.IGNORECASE)
_LIKE_A_NETWORK = re.compile(r"\.|weight|kernel")

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class StateDict:
    """Tensors by name, under keys of what was saved.

    Attributes:
        keys: empty where they are all of it.
        tensors: the plain ones.
        special: name -> kind, of those that are no plain arrays.
        versions: of the modules by their paths, where the state_dict has kept them.
    """

    keys: Keys
    tensors: dict[str, StoredTensor]
    special: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The keys in one word, as one writes it behind ``FILE#``."""
        return ".".join(map(str, self.keys))

    @property
    def usual(self) -> bool:
        """Whether it is called as a state_dict is."""
        return bool(self.keys) and self.keys[-1] in WEIGHTS and self.has_matrix

    @property
    def has_matrix(self) -> bool:
        return any(len(each.shape) > 1 for each in self.tensors.values())

    @property
    def like_a_network(self) -> bool:
        """Whether its names are a network's, and no means and deviations."""
        return any(len(each.shape) > 1 and _LIKE_A_NETWORK.search(name) for name, each in self.tensors.items())


class SeveralNetworksError(SubjectError):
    """A file holds several networks, and none is the usual one.

    Attributes:
        names: of all, as one writes them behind ``FILE#``.
    """

    def __init__(self, label: str, names: list[str]) -> None:
        self.names = tuple(names)
        listed = ", ".join(repr(shown(name))[:60] for name in names[:LISTED])
        super().__init__(
            f"{label} holds the weights of several networks ({listed}); name one of them behind a #, as in "
            f"{label}#{shown(names[0])}"
        )


def state_dicts_in(content: Any) -> list[StateDict]:
    """Every dict of named tensors, the least deep first, without those of optimizers."""
    found = []
    for keys, each in _walk(content):
        tensors, special = _tensors_of(each)
        if tensors and not any(_OF_TRAINING.search(str(key)) for key in keys):
            found.append(StateDict(keys, tensors, special, _versions(each)))
    return found


def choose(found: list[StateDict], label: str, key: str | None) -> StateDict:
    """The one that is called ``key``; without a key the usual one, or the only one.

    Args:
        found: at least one.
        label: what to call the file.

    Raises:
        SeveralNetworksError: there are several, and none of them has a usual name.
        SubjectError: there is none of that key.
    """
    if key is not None:
        for each in found:
            if each.keys and each.name == key:
                return each
        known = ", ".join(repr(shown(name)) for name in names_of(found)[:LISTED])
        raise SubjectError(
            f"{label} holds no network called {shown(key)!r}; "
            + (f"it holds {known}" if known else "it holds one, which opens without #")
        )
    if usual := sorted((each for each in found if each.usual), key=_likeliness):
        return usual[0]
    top = next((each for each in found if not each.keys), None)
    if top is not None and top.like_a_network and len(top.tensors) >= max(len(each.tensors) for each in found):
        return top
    inner = [each for each in found if each.keys]
    likely = [each for each in inner if each.like_a_network]
    if top is not None and not likely and all(len(top.tensors) >= len(each.tensors) for each in inner):
        return top
    likely = likely or [each for each in inner if each.has_matrix] or inner
    nearest = [each for each in likely if len(each.keys) == len(likely[0].keys)]
    if len(nearest) > 1:
        raise SeveralNetworksError(label, [each.name for each in nearest])
    return nearest[0]


def names_of(found: list[StateDict]) -> list[str]:
    """What one writes behind ``FILE#`` for each that is a network by its looks."""
    return [each.name for each in found if each.keys and (each.like_a_network or each.usual)]


def aside_of(content: Any, chosen: StateDict) -> tuple[str, ...]:
    """What else lies beside, by name, and what it would have been built of where that is not plain."""
    if not chosen.keys:
        used = {*chosen.tensors, *chosen.special}
        return tuple(_called(key, each) for key, each in _entries(content) if key not in used)
    return tuple(_called(key, each) for key, each in _entries(content) if key != chosen.keys[0])


def _called(key: object, value: Any) -> str:
    # A key may be an object that stands for a tuple of tuples of tuples, which nobody wants to read
    name = str(key)[:40] if isinstance(key, str | int) or key is None else "a key that is no text"
    if isinstance(value, SpecialTensor):
        return f"{name} (a {value.kind} tensor)"
    return f"{name} ({value.name[:60]})" if isinstance(value, Built) else name


def _walk(content: Any) -> Iterator[tuple[Keys, Any]]:
    """Dicts and their like with the keys that lead there, the least deep first; one may come twice, or be in itself."""
    level: list[tuple[Keys, Any]] = [((), content)]
    left = NODES_MOST
    for _ in range(DEPTH_MOST):
        below: list[tuple[Keys, Any]] = []
        for keys, each in level:
            entries = list(_entries(each))
            left -= 1 + len(entries)
            if left < 0:
                return
            yield keys, each
            below += [
                ((*keys, key), inner)
                for key, inner in entries
                if type(key) in (str, int) and isinstance(inner, dict | list | tuple | Built)
            ]
        level = below


def _entries(holder: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(holder, Built):
        holder = holder.items
    if isinstance(holder, dict):
        yield from holder.items()
    elif isinstance(holder, list | tuple):
        yield from enumerate(holder)


def _tensors_of(holder: Any) -> tuple[dict[str, StoredTensor], dict[str, str]]:
    if isinstance(holder, list | tuple):
        return {}, {}
    entries = [(key, each) for key, each in _entries(holder) if type(key) is str]
    tensors = {key: each for key, each in entries if isinstance(each, StoredTensor)}
    return tensors, {key: each.kind for key, each in entries if isinstance(each, SpecialTensor)}


def _likeliness(found: StateDict) -> int:
    return min(WEIGHTS.index(key) if key in WEIGHTS else len(WEIGHTS) for key in map(str, found.keys))


def _versions(state: Any) -> dict[str, int]:
    attributes = state.attributes if isinstance(state, Ordered) else None
    told = attributes.get("_metadata") if isinstance(attributes, dict) else None
    if not isinstance(told, Mapping):
        return {}
    versions = {path: each.get("version") for path, each in told.items() if isinstance(each, dict)}
    return {path: each for path, each in versions.items() if type(path) is str and type(each) is int}
