"""Ids made of content: the same weights and samples give the same id, wherever they come from."""

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pruning_explorer.prune.targets import is_lazy

Digest = hashlib.blake2b


def network_id(name: str, model: nn.Module, identity: bytes | None = None) -> str:
    """An id of a network: its modules and their settings, and every value of its tensors.

    Args:
        identity: what stands for the values, where reading them all would take long.
    """
    digest = Digest(_bytes(name), digest_size=8)
    # Equal weights under another activation are another network
    for path, module in model.named_modules():
        digest.update(_bytes(f"{path} {type(module).__module__}.{type(module).__qualname__} {module.extra_repr()}"))
    for key, tensor in model.state_dict(keep_vars=True).items():
        digest.update(_bytes(key))
        if identity is None:
            _add_values(digest, tensor)
    digest.update(identity or b"")
    return digest.hexdigest()


def extended_id(start: str, *parts: Tensor | Sequence[Tensor] | None) -> str:
    """An id of the content behind ``start``, another id, together with tensors."""
    digest = Digest(start.encode(), digest_size=8)
    for part in parts:
        tensors = () if part is None else (part,) if isinstance(part, Tensor) else tuple(part)
        digest.update(f"{'none' if part is None else len(tensors)} ".encode())
        for tensor in tensors:
            _add_values(digest, tensor)
    return digest.hexdigest()


def _bytes(text: str) -> bytes:
    # A name may hold half of a surrogate pair, which UTF-8 has no bytes for
    return text.encode(errors="backslashreplace")


def _add_values(digest: Digest, tensor: object) -> None:
    if not isinstance(tensor, Tensor):
        _add_other(digest, tensor)
        return
    if is_lazy(tensor):
        return
    if tensor.is_quantized:  # its scale counts
        tensor = tensor.dequantize()
    digest.update(f"{tuple(tensor.shape)} {tensor.dtype}".encode())
    if tensor.is_meta or tensor.numel() == 0:
        return
    digest.update(tensor.detach().contiguous().cpu().flatten().view(torch.uint8).numpy().data)


def _add_other(digest: Digest, value: object) -> None:
    """What a module of its own kind keeps in its ``state_dict``: a quantised one packs its tensors."""
    digest.update(f" {type(value).__name__} ".encode())
    if isinstance(value, Mapping):
        for key in value:
            digest.update(str(key).encode())
            _add_values(digest, value[key])
    elif isinstance(value, tuple | list):
        for each in value:
            _add_values(digest, each)
    elif isinstance(value, bytes | bytearray):
        digest.update(value)
    elif value is None or isinstance(value, bool | int | float | complex | str | torch.dtype):
        digest.update(str(value).encode())
