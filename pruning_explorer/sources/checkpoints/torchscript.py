"""Tensors of a TorchScript archive: its modules' attributes as they are named there. Its code is left aside unread."""

from typing import Any

from pruning_explorer.sources.checkpoints.networks_inside import StateDict
from pruning_explorer.sources.checkpoints.stored_tensors import (
    Built,
    DamagedPickleError,
    SpecialTensor,
    StoredBytes,
    StoredTensor,
)

DEPTH_MOST = 64
MODULES_MOST = 100_000


def state_dict_of_script(content: Any, constants: Any) -> StateDict:
    """The parameters and buffers of a script, by the paths of its attributes.

    Where these hold no matrix the network was frozen: then its weights are the constants of its code, which have no
    other name than ``CONSTANTS.c0``.

    Args:
        content: what ``data.pkl`` tells.
        constants: what ``constants.pkl`` tells.

    Raises:
        DamagedPickleError: it holds no tensor, or what is no module.
    """
    if not isinstance(content, Built):
        raise DamagedPickleError("is TorchScript without a module in it")
    tensors: dict[str, StoredTensor] = {}
    special: dict[str, str] = {}
    level: list[tuple[str, Any]] = [("", content)]
    seen: set[int] = set()
    for _ in range(DEPTH_MOST):
        below: list[tuple[str, Any]] = []
        for path, module in level:
            if id(module) in seen or len(seen) > MODULES_MOST or not isinstance(module.state, dict):
                continue
            seen.add(id(module))
            for name, each in module.state.items():
                if type(name) is not str:
                    continue
                if isinstance(each, StoredTensor):
                    tensors[path + name] = each
                elif isinstance(each, SpecialTensor):
                    special[path + name] = each.kind
                elif isinstance(each, Built) and len(path) < 500:
                    below.append((f"{path}{name}.", each))
        level = below
    if not any(len(each.shape) > 1 for each in tensors.values()) and isinstance(constants, tuple):
        tensors |= {f"CONSTANTS.c{n}": _among_constants(each) for n, each in enumerate(constants) if _has_dims(each)}
    if not tensors:
        raise DamagedPickleError("is TorchScript that holds no plain tensor; save the state_dict of the network")
    return StateDict((), tensors, special)


def _has_dims(value: Any) -> bool:
    return isinstance(value, StoredTensor) and bool(value.shape)


def _among_constants(tensor: StoredTensor) -> StoredTensor:
    """The same tensor over a storage that is not mistaken for one of ``data.pkl`` of the same key."""
    stored = tensor.storage
    if stored is not None:
        stored = StoredBytes(f"CONSTANTS.{stored.key}", stored.dtype, stored.numel)
    return StoredTensor(stored, tensor.shape, tensor.dtype, tensor.offset, tensor.stride)
