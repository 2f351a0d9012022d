"""What a pickle of torch says, told without building any of it.

torch's own reader (``weights_only=True``) executes nothing either, but it trusts sizes: nested tuples as a key keep it
busy for ever, and a tensor may claim more than its storage holds. So a file is judged by its outline first.
"""

import pickletools
from io import BytesIO
from typing import Any

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.checkpoints.pickle_classes import (
    CALLS,
    UnknownClassError,
    known_class,
    named_classes,
    refuse_whole_objects,
)
from pruning_explorer.sources.checkpoints.stored_tensors import (
    DIMS_MOST,
    NUMBERS_MOST,
    DamagedPickleError,
    Named,
    SpecialTensorError,
    StoredBytes,
    StoredTensor,
    checked_layout,
    dtype_called,
    dtype_of_storage,
    rebuilt_tensor,
)

PICKLE_MOST = 32 << 20
"""Most bytes that are read of one pickle."""
OPERATIONS_MOST = 1_000_000
"""Most operations that are read of one pickle; a tensor takes about 35."""
_PLAIN = frozenset(
    (
        "NONE",
        "NEWTRUE",
        "NEWFALSE",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "BINFLOAT",
        "BINUNICODE",
        "SHORT_BINSTRING",
    )
)
_CONSTANTS = {"NEWTRUE": True, "NEWFALSE": False}


class Outline:
    """Reads pickles one after the other, and remembers which storages they speak of.

    Dicts, lists, tuples, text and numbers come out as they are, everything else as one of the classes above.
    """

    def __init__(self, label: str) -> None:
        self.storages: dict[str, StoredBytes] = {}
        self._label = label

    def read(self, file: BytesIO) -> Any:
        """The next pickle.

        Raises:
            SubjectError: it names classes that torch would not build, or tensors that are not plain.
            DamagedPickleError: it is broken, or lies.
        """
        start = file.tell()
        try:
            return _Machine(self).run(file)
        except UnknownClassError:
            raise SubjectError(refuse_whole_objects(self._label, named_classes(file, start))) from None
        except SpecialTensorError as error:
            raise SubjectError(
                f"{self._label} holds {error} tensors, which have no plain weights; save the state_dict of the "
                "network before it is made so"
            ) from None
        except (IndexError, KeyError, TypeError, ValueError, AttributeError, RecursionError, AssertionError) as error:
            raise DamagedPickleError(f"is damaged ({str(error)[:100] or type(error).__name__})") from None

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
    """The stack on which a pickle is put together, as torch's reader does it."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, file: BytesIO) -> Any:
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
            case "MARK":
                self.below.append(stack)
                self.stack = []
            case "EMPTY_DICT" | "EMPTY_LIST" | "EMPTY_TUPLE":
                stack.append({} if name == "EMPTY_DICT" else [] if name == "EMPTY_LIST" else ())
            case "TUPLE":
                items = self._marked()
                self.stack.append(tuple(items))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(name[-1])
                stack[-size:] = [tuple(stack[-size:])]
            case "APPEND":
                _list(stack[-2]).append(stack.pop())
            case "APPENDS":
                items = self._marked()
                _list(self.stack[-1]).extend(items)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                _set(stack[-1], (key, value))
            case "SETITEMS":
                items = self._marked()
                _set(self.stack[-1], *zip(items[::2], items[1::2], strict=True))
            case "GLOBAL":
                stack.append(known_class(argument.replace(" ", ".", 1)))
            case "BINPERSID":
                stack.append(self._storage(stack.pop()))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_call(function, arguments))
            case "BUILD":
                state = stack.pop()
                # Attributes of a state_dict; anything else would stand in front of the dict's own methods
                if type(stack[-1]) is not dict or type(state) is not dict or not state.keys() <= {"_metadata"}:
                    raise DamagedPickleError("sets attributes of what has none")
            case "PROTO":
                if argument != 2:
                    raise DamagedPickleError(
                        f"is of pickle protocol {argument}, which torch reads only where it may execute it; call "
                        "torch.save without pickle_protocol"
                    )
            case "STOP":
                pass
            case "STACK_GLOBAL" | "INST" | "OBJ" | "NEWOBJ" | "NEWOBJ_EX" | "EXT1" | "EXT2" | "EXT4" | "PERSID":
                raise UnknownClassError
            case _:
                raise DamagedPickleError(f"uses {name}, which torch.save never writes")

    def _marked(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def _storage(self, words: Any) -> StoredBytes:
        # The old format adds where a view of the storage begins; no torch of this decade writes that
        if (
            type(words) is not tuple
            or len(words) not in (5, 6)
            or words[0] != "storage"
            or words[5:] not in ((), (None,))
        ):
            raise DamagedPickleError("points at what is no storage")
        kind, key, _, numel = words[1:5]
        dtype = dtype_of_storage(kind.name)
        if type(key) is not str or type(numel) is not int or not 0 <= numel <= NUMBERS_MOST:
            raise DamagedPickleError(f"claims a storage of {str(numel)[:40]} numbers")
        return self.outline.storage(StoredBytes(key, dtype, numel))


def _call(function: Any, arguments: Any) -> Any:
    if not isinstance(function, Named) or type(arguments) is not tuple or function.name not in CALLS:
        raise DamagedPickleError("calls what is no function")
    name = function.name
    leaf = name.rpartition(".")[2]
    if leaf.startswith("_rebuild_tensor"):
        return rebuilt_tensor(leaf, arguments)
    if leaf == "_rebuild_parameter":
        tensor, trained, hooks = arguments
        if not isinstance(tensor, StoredTensor) or type(trained) is not bool or hooks != {}:
            raise DamagedPickleError("holds a parameter that is no tensor")
        return tensor
    if leaf == "_rebuild_meta_tensor_no_storage":
        dtype, shape, stride, _ = arguments
        return StoredTensor(None, checked_layout(shape, stride)[0], dtype_called(dtype))
    if name == "collections.OrderedDict":
        return _ordered(arguments)
    # Of what else may be in a training checkpoint nothing is used, so it need only be harmless to build
    harmless = {
        "collections.Counter": all(type(each) is dict for each in arguments),
        "_codecs.encode": len(arguments) == 2 and type(arguments[0]) is str and arguments[1] == "latin1",
        "torch.Size": all(type(each) is tuple and len(each) <= DIMS_MOST for each in arguments),
        "torch.device": all(type(each) in (str, int) for each in arguments),
    }
    items = arguments[0] if len(arguments) == 1 else None
    plain_set = leaf == "set" and type(items) is list and all(_plain(each) for each in items)
    if not harmless.get(name, plain_set):
        raise DamagedPickleError(f"calls {name} as torch.save never does")
    return Named(name)


def _ordered(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for pairs in arguments:
        for key, value in _list(pairs):
            _set(found, (key, value))
    return found


def _plain(value: Any) -> bool:
    return value is None or type(value) in (str, int, float, bool)


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise DamagedPickleError("appends to what is no list")
    return value


def _set(target: Any, *items: tuple[Any, Any]) -> None:
    if type(target) is not dict:
        raise DamagedPickleError("sets items of what is no dict")
    for key, value in items:
        # torch would hash any key, and a tuple of tuples of tuples takes for ever
        if not _plain(key):
            raise DamagedPickleError("has a key that is neither a name nor a number")
        target[key] = value
