"""Skeletons that are reused where a call has not changed them."""

import threading
import types
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.targets import RecordedLayer

VALUES = frozenset(
    {type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.layout, torch.memory_format}
)
CONTAINERS = frozenset({dict, OrderedDict, list, tuple, set})
MOST_UNUSED = 8
"""Most unused skeletons kept for one network: about as many as threads that work on it at once."""

SHARED = (Tensor, type, types.FunctionType, types.BuiltinFunctionType, weakref.ref)
"""Types of which a skeleton shares the dense network's object instead of a copy."""


class _Skeletons:
    """The unused skeletons of each living network. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unused: WeakKeyDictionary[nn.Module, list[_Kept]] = WeakKeyDictionary()

    def take(self, model: nn.Module) -> "_Kept | None":
        with self._lock:
            unused = self._unused.get(model)
            return unused.pop() if unused else None

    def give_back(self, model: nn.Module, kept: "_Kept") -> None:
        with self._lock:
            unused = self._unused.setdefault(model, [])
            if len(unused) < MOST_UNUSED:
                unused.append(kept)


@contextmanager
def borrow_skeleton(model: nn.Module) -> Iterator[nn.Module]:
    """A skeleton of ``model`` that nobody else uses, and in which no earlier call has left anything.

    Copying the module tree takes long compared with a small network's forward pass. So some skeletons are kept for
    the next call, in any thread, unless a call has changed them, or they hold objects whose changes cannot be seen.
    """
    kept = _SKELETONS.take(model)
    if kept is None:
        frame = skeleton(model)
        kept = frame, [_Memory(module) for module in frame.modules() if not _is_torchs(module)]
    frame, memories = kept
    yield frame
    if all(memory.is_as_it_was() for memory in memories):
        _SKELETONS.give_back(model, kept)


def _is_torchs(module: nn.Module) -> bool:
    """Whether it is a layer of torch itself or a recorded one: in eval mode all that these remember is in buffers."""
    return type(module).__module__.startswith("torch.nn.modules.") or isinstance(module, RecordedLayer)


class _Memory:
    """The attributes of a module before its first call."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._children = dict(module.named_children())
        self._attributes = _copy(self._now())

    def is_as_it_was(self) -> bool:
        children = dict(self._module.named_children())
        return (
            children.keys() == self._children.keys()
            and all(children[name] is child for name, child in self._children.items())
            and _same(self._attributes, self._now())
        )

    def _now(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self._module).items() if name != "_modules"}


def _copy(value: Any) -> Any:
    """A value to be compared with later: containers are copied, all else is kept."""
    if type(value) in (dict, OrderedDict):
        return type(value)((key, _copy(each)) for key, each in value.items())
    return type(value)(map(_copy, value)) if type(value) in (list, tuple, set) else value


def _same(before: Any, now: Any) -> bool:
    """Whether a value is surely as it was when it was copied."""
    kind = type(now)
    if kind in VALUES:
        return before is now or (type(before) is kind and bool(before == now))
    if isinstance(now, SHARED):
        return before is now
    if type(before) is not kind:
        return False
    if kind in CONTAINERS and not now:
        return not before
    if kind in (dict, OrderedDict):
        return bool(before.keys() == now.keys()) and all(_same(before[key], each) for key, each in now.items())
    if kind in (list, tuple):
        return len(before) == len(now) and all(map(_same, before, now))
    return kind is set and bool(before == now) and all(type(each) in VALUES for each in now)


_Kept = tuple[nn.Module, list[_Memory]]

_SKELETONS = _Skeletons()
