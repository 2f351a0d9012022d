"""Which classes and functions ``torch.load(weights_only=True)`` builds, and what a pickle would build with them."""

from collections.abc import Callable
from typing import Any

import torch

from pruning_explorer.sources.checkpoints.stored_tensors import (
    DIMS_MOST,
    ELSEWHERE,
    STORAGES,
    Built,
    DamagedPickleError,
    Named,
    Ordered,
    SpecialTensor,
    StoredTensor,
    checked_layout,
    dtype_called,
    rebuilt_tensor,
)

SPECIAL = {
    "_rebuild_sparse_tensor": "sparse",
    "_rebuild_qtensor": "quantised",
    "_rebuild_nested_tensor": "nested",
    "_rebuild_wrapper_subclass": "wrapped",
    "_rebuild_device_tensor_from_numpy": ELSEWHERE,
}
PLAIN_CLASSES = ("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer")
KNOWN = frozenset(
    (
        *("collections.OrderedDict", "collections.Counter", "builtins.set", "builtins.complex", "builtins.bytearray"),
        *("_codecs.encode", "torch.Size", "torch.device", "torch.serialization._get_layout", "torch.Tensor"),
        *("torch.nn.parameter.Parameter", "torch._tensor._rebuild_from_type_v2", "torch.storage.UntypedStorage"),
        *("torch.storage.TypedStorage", "torch._utils._rebuild_parameter", "torch._utils._rebuild_tensor"),
        *("torch._utils._rebuild_parameter_with_state", "torch._utils._rebuild_meta_tensor_no_storage"),
        *("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3"),
        "torch._utils._rebuild_device_tensor_from_cpu_tensor",
        *(f"torch._utils.{name}" for name in SPECIAL),
    )
)
"""What torch builds where it may execute nothing, besides dtypes, storages and tensor classes."""
PAIRS_MOST = 2_000_000
"""Most pairs of all ordered dicts that are made of lists, which may be one list, often."""


def is_known(name: str) -> bool:
    """Whether torch builds it where it may execute nothing."""
    module, _, leaf = name.rpartition(".")
    if name in KNOWN:
        return True
    if module in ("torch", "torch.cuda", "torch.sparse", "torch.cuda.sparse"):
        kind = leaf.removesuffix("Storage").removesuffix("Tensor")
        return kind in STORAGES or isinstance(vars(torch).get(leaf), torch.dtype | torch.qscheme)
    return False


class Caller:
    """Says what calls of a pickle would give; nothing is called."""

    def __init__(self) -> None:
        self._pairs = 0
        self._made: dict[str, Callable[[str, tuple[Any, ...]], Any]] = {
            "_rebuild_tensor": rebuilt_tensor,
            "_rebuild_tensor_v2": rebuilt_tensor,
            "_rebuild_tensor_v3": rebuilt_tensor,
            "_rebuild_parameter": _first,
            "_rebuild_parameter_with_state": _first,
            "_rebuild_device_tensor_from_cpu_tensor": _first,
            "_rebuild_meta_tensor_no_storage": _on_meta,
            "_rebuild_from_type_v2": self._of_a_type,
        }

    def call(self, function: Any, arguments: Any) -> Any:
        """The tensor, dict or size that it would give, or a :class:`Built` for whatever else.

        Raises:
            DamagedPickleError: it is no call.
        """
        if not isinstance(function, Named | Built) or type(arguments) is not tuple:
            raise DamagedPickleError("calls what is no function")
        name = function.name if isinstance(function, Named) else f"{function.name[:200]}()"
        module, _, leaf = name.rpartition(".")
        if module in ("torch._utils", "torch._tensor"):
            if leaf in SPECIAL:
                return SpecialTensor(SPECIAL[leaf])
            if leaf in self._made:
                return self._made[leaf](leaf, arguments)
        if name == "collections.OrderedDict":
            return self._ordered(arguments)
        if name == "collections.defaultdict":
            return Ordered()
        if name == "torch.Size" and len(arguments) == 1 and type(arguments[0]) is tuple:
            return arguments[0] if len(arguments[0]) <= DIMS_MOST else Built(name)
        return Built(name, arguments)

    def _ordered(self, arguments: tuple[Any, ...]) -> Ordered:
        found = Ordered()
        for pairs in arguments:
            if type(pairs) is not list:
                raise DamagedPickleError("makes an ordered dict of what is no list")
            self._pairs += len(pairs)
            if self._pairs > PAIRS_MOST:
                raise DamagedPickleError(f"holds more than {PAIRS_MOST:,} pairs; save the state_dict alone")
            for key, value in pairs:
                found[hashable(key)] = value
        return found

    def _of_a_type(self, _function: str, arguments: tuple[Any, ...]) -> Any:
        """A tensor with attributes, or of a class of its own, of which the values do not say what it is."""
        function, kind, inner, _ = arguments
        if not isinstance(function, Named) or function.name == "torch._tensor._rebuild_from_type_v2":
            raise DamagedPickleError("holds a tensor that nothing rebuilds")
        made = self.call(function, inner)
        if isinstance(made, SpecialTensor) or (isinstance(kind, Named) and kind.name in PLAIN_CLASSES):
            return made
        return SpecialTensor("subclassed")


def hashable(key: Any) -> Any:
    """A key by its value where that is text or a small number, else a new object that stands for it.

    Hashing a tuple of tuples of tuples takes for ever, and numbers can be chosen so that all of them collide.
    """
    if key is None or type(key) in (str, bool) or (type(key) is int and -(1 << 60) < key < 1 << 60):
        return key
    return key if isinstance(key, Built) else Built("a key", (key,))


def _first(_function: str, arguments: tuple[Any, ...]) -> Any:
    if not isinstance(arguments[0], StoredTensor | SpecialTensor):
        raise DamagedPickleError("holds a parameter that is no tensor")
    return arguments[0]


def _on_meta(_function: str, arguments: tuple[Any, ...]) -> StoredTensor:
    dtype, shape, stride, _ = arguments
    shape, stride = checked_layout(shape, stride)
    return StoredTensor(None, shape, dtype_called(dtype), 0, stride)
