"""What a pickle says, told without building any of it.

Nothing that it names is imported or called: tensors come out as descriptions that were checked, and what is none of
torch's as the name of what would have been called. So tensors can be read beside what only its author's code could
build.
"""

import pickletools
from typing import Any, BinaryIO

from pruning_explorer.sources.checkpoints.pickle_classes import Caller, hashable, is_known
from pruning_explorer.sources.checkpoints.stored_tensors import (
    NUMBERS_MOST,
    Built,
    DamagedPickleError,
    Named,
    Ordered,
    SpecialTensor,
    StoredBytes,
    StoredTensor,
    brief,
    dtype_of_storage,
)

PICKLE_MOST = 64 << 20
"""Most bytes that are read of one pickle."""
OPERATIONS_MOST = 1_000_000
"""Most operations that are read of one pickle; a tensor takes about 35."""
NAMES_MOST = 1000
"""Most names of others' classes that are kept of one file."""
NAME_MOST = 200
PROTOCOLS = range(2, 6)

_PLAIN = frozenset(
    (
        *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    )
)
_CONSTANTS = {"NEWTRUE": True, "NEWFALSE": False}
_STRANGE = (IndexError, KeyError, TypeError, ValueError, AttributeError, RecursionError, AssertionError, OverflowError)


class Outline:
    """Reads pickles one after the other, and remembers which storages they speak of.

    Dicts, lists, tuples, text and numbers come out as they are, everything else as one of the classes of
    ``stored_tensors``.

    Attributes:
        storages: by their keys.
        foreign: full names of classes and functions that torch would not build, in the order of the file.
        plain: whether ``torch.load(weights_only=True)`` reads it: no such names, and the protocol that torch writes.
    """

    def __init__(self) -> None:
        self.storages: dict[str, StoredBytes] = {}
        self.foreign: dict[str, None] = {}
        self.plain = True

    def read(self, file: BinaryIO) -> Any:
        """The next pickle.

        Raises:
            DamagedPickleError: it is broken, or lies.
        """
        try:
            return _Machine(self).run(file)
        except _STRANGE as error:
            raise DamagedPickleError(f"is damaged ({str(error)[:100] or type(error).__name__})") from None

    def named(self, name: str) -> Named:
        """A class or function by its full name."""
        name = name.replace("__builtin__.", "builtins.", 1) if name.startswith("__builtin__.") else name
        if not is_known(name):
            self.plain = False
            if len(self.foreign) < NAMES_MOST:
                self.foreign["".join(c if c.isprintable() else "?" for c in name[:80])] = None
        return Named(name)

    def storage(self, claimed: StoredBytes) -> StoredBytes:
        """The storage of that key.

        Raises:
            DamagedPickleError: it was of another dtype or size before.
        """
        known = self.storages.setdefault(claimed.key, claimed)
        if known != claimed:
            raise DamagedPickleError(f"says two things of its storage {claimed.key[:40]!r}")
        return known


class _Machine:
    """The stack on which a pickle is put together."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.caller = Caller()
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, file: BinaryIO) -> Any:
        for count, (operation, argument, _) in enumerate(pickletools.genops(file)):
            if count > OPERATIONS_MOST:
                raise DamagedPickleError(
                    f"takes more than {OPERATIONS_MOST:,} steps to read; save the state_dict alone"
                )
            self._step(operation.name, argument)
        return self.stack.pop()

    def _step(self, name: str, argument: Any) -> None:
        stack = self.stack
        match name:
            case _ if name in _PLAIN:
                stack.append(_CONSTANTS.get(name, argument))
            case "BINGET" | "LONG_BINGET":
                stack.append(self.memo[argument])
            case "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "MARK":
                self.below.append(stack)
                self.stack = []
            case "EMPTY_DICT" | "EMPTY_LIST" | "EMPTY_TUPLE":
                stack.append({} if name == "EMPTY_DICT" else [] if name == "EMPTY_LIST" else ())
            case "EMPTY_SET":
                stack.append(Built("builtins.set"))
            case "TUPLE":
                items = self._marked()
                self.stack.append(tuple(items))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(name[-1])
                stack[-size:] = [tuple(stack[-size:])]
            case "APPEND":
                _extend(stack[-2], [stack.pop()])
            case "APPENDS" | "ADDITEMS":
                items = self._marked()
                _extend(self.stack[-1], items)
            case "FROZENSET":
                self._marked()
                self.stack.append(Built("builtins.frozenset"))
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                _set(stack[-1], (key, value))
            case "SETITEMS":
                items = self._marked()
                _set(self.stack[-1], *zip(items[::2], items[1::2], strict=True))
            case "GLOBAL":
                stack.append(self.outline.named(argument.replace(" ", ".", 1)))
            case "BINPERSID":
                stack.append(self._storage(stack.pop()))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(self.caller.call(function, arguments))
            case "BUILD":
                state = stack.pop()
                _set_attributes(stack[-1], state)
            case "PROTO":
                if argument not in PROTOCOLS:
                    raise DamagedPickleError(f"is of pickle protocol {argument}, which is not read; save it again")
                self.outline.plain &= argument == 2
            case "FRAME" | "STOP":
                pass
            case "POP":
                stack.pop()
            case "POP_MARK":
                self._marked()
            case _:
                self._of_others(name, argument)

    def _of_others(self, name: str, argument: Any) -> None:
        """What only pickles of their authors' classes use."""
        stack = self.stack
        match name:
            case "STACK_GLOBAL":
                leaf, module = stack.pop(), stack.pop()
                if type(leaf) is not str or type(module) is not str:
                    raise DamagedPickleError("names a class by what is no text")
                stack.append(self.outline.named(f"{module[:NAME_MOST]}.{leaf[:NAME_MOST]}"))
            case "INST":
                made = Built(self.outline.named(argument.replace(" ", ".", 1)).name, tuple(self._marked()))
                self.stack.append(made)
            case "OBJ":
                kind, *arguments = self._marked()
                self.stack.append(_new(kind, tuple(arguments)))
            case "NEWOBJ":
                given, kind = stack.pop(), stack.pop()
                stack.append(_new(kind, given))
            case "NEWOBJ_EX":
                _, given, kind = stack.pop(), stack.pop(), stack.pop()
                stack.append(_new(kind, given))
            case "EXT1" | "EXT2" | "EXT4":
                stack.append(self.outline.named(f"extension {argument}"))
            case _:
                raise DamagedPickleError(f"uses {name}, which torch.save never writes")

    def _marked(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def _storage(self, words: Any) -> StoredBytes | SpecialTensor | Named:
        if type(words) is not tuple:
            raise DamagedPickleError("points at what is no storage")
        if words[:1] == ("module",) and len(words) == 4 and isinstance(words[1], Named):
            return words[1]  # the old format keeps the text of a class beside its name
        # The old format adds where a view of the storage begins; no torch of this decade writes that
        if len(words) not in (5, 6) or words[0] != "storage" or words[5:] not in ((), (None,)):
            raise DamagedPickleError("points at what is no storage")
        kind, key, _, numel = words[1:5]
        if type(key) is not str or type(numel) is not int or not 0 <= numel <= NUMBERS_MOST:
            raise DamagedPickleError(f"claims a storage of {brief(numel)} numbers")
        dtype = dtype_of_storage(kind.name)
        if dtype is None:
            return SpecialTensor(f"{kind.name[:40]!r}")
        return self.outline.storage(StoredBytes(key, dtype, numel))


def _new(kind: Any, arguments: Any) -> Built:
    if not isinstance(kind, Named | Built) or type(arguments) is not tuple:
        raise DamagedPickleError("makes an object of what is no class")
    return Built(kind.name, arguments)


def _extend(target: Any, items: list[Any]) -> None:
    if type(target) is list:
        target.extend(items)
    elif not isinstance(target, Built):
        raise DamagedPickleError("appends to what is no list")


def _set(target: Any, *items: tuple[Any, Any]) -> None:
    into = target.items if isinstance(target, Built) else target
    if not isinstance(into, dict):
        raise DamagedPickleError("sets items of what is no dict")
    for key, value in items:
        into[hashable(key)] = value


def _set_attributes(target: Any, state: Any) -> None:
    if isinstance(target, Built):
        target.state = state
    elif isinstance(target, Ordered):
        target.attributes = state
    elif not isinstance(target, StoredTensor | SpecialTensor | Named):
        raise DamagedPickleError("sets attributes of what has none")
