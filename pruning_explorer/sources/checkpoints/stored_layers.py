"""A module tree for tensors whose network is not known: the names of a state_dict, and what they most likely are."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.experts import expert_layout, stored_inputs_first
from pruning_explorer.prune.targets import EMBEDDING_NAME, STATISTICS, StoredLayer

TENSORS_MOST = 20_000
MODULES_MOST = 50_000
"""Most modules built for one file; each takes 5 kB and a third of a millisecond, whatever it holds."""
NAME_MOST = 512
DEPTH_MOST = 64

_BUFFER = re.compile(
    r"^masked_bias$|^(cos|sin)_cached$|^attn_mask$"
    r"|^(q?zeros|scales|g_idx|SCB|absmax|quant_map|zero_point|(weight|input|output)_scale(_inv)?)$"
)
"""Names of masks and tables that networks keep as buffers, and of what quantised weights are read with."""
_WHOLE = (torch.bool, torch.int16, torch.int32, torch.int64)
"""Integer dtypes by which a tensor is recognised as no parameter; int8 and uint8 are not among them, since quantised
weights have these."""
_TAKEN = frozenset(dir(nn.Module()))

_FUSED = re.compile(r"(^|\.)experts(\.\w+)?$|(^|\.)(input|output)_linear$")
"""Paths of layers whose weights of three dims are those of experts, and no kernels."""

_PAIRS = (("fc1", "fc2"), ("input_linear", "output_linear"))

Leaves = Mapping[str, Tensor]


def stored_network(
    tensors: Mapping[str, Tensor], label: str, versions: Mapping[str, int] = MappingProxyType({})
) -> nn.Module:
    """Put tensors into modules by their names; a tensor under two names stays one parameter.

    Args:
        tensors: by name, as ``state_dict`` names them, in the order that its modules shall have.
        label: what to call the file they come from.
        versions: of modules by their paths, as a ``state_dict`` keeps them.

    Raises:
        SubjectError: a name cannot be one of a network's.
    """
    check_count(len(tensors), label)
    layers: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        _check_name(name, label)
        path, _, leaf = name.rpartition(".")
        layers.setdefault(path, {})[leaf] = tensor
    dims = max((each.dim() - 2 for leaf, each in _every(layers) if leaf == "weight" and each.dim() <= 5), default=1)
    parameters: dict[object, nn.Parameter] = {}
    made: dict[str, nn.Module] = {}

    def module_at(path: str) -> nn.Module:
        if path in made:
            return made[path]
        if len(made) == MODULES_MOST:
            raise SubjectError(f"the names in {label} make more than {MODULES_MOST:,} modules; save part of them")
        leaves = layers.get(path, {})
        module = (
            StoredLayer(_layer_type(path, layers, max(dims, 1)), _inputs_first(path, layers)) if leaves else nn.Module()
        )
        made[path] = module
        # A state_dict of this network says then what the file said, or nothing
        module._version = versions.get(path)  # type: ignore[assignment]
        for leaf, tensor in leaves.items():
            if _is_buffer(leaf, leaves):
                module.register_buffer(leaf, tensor)
            else:
                module.register_parameter(leaf, parameters.setdefault(*_parameter(tensor)))
        if path:
            above, _, own = path.rpartition(".")
            holder = module_at(above)
            if own in layers.get(above, {}):
                raise SubjectError(f"{path[:80]!r} in {label} is a tensor and holds tensors too; rename one of them")
            holder.add_module(own, module)
        return module

    root = module_at("")
    for path in layers:
        module_at(path)
    return root


def _is_buffer(leaf: str, leaves: Leaves) -> bool:
    """Whether a tensor is most likely no parameter, so that it does not count as one."""
    tensor, (stem, _, part) = leaves[leaf], leaf.rpartition("_")
    if leaf in STATISTICS or _BUFFER.search(leaf) or (tensor.dtype in _WHOLE and "weight" not in leaf):
        return True
    if leaf == "bias" and tensor.dim() == 4:  # GPT-2's causal mask is called so
        return True
    # The vectors of spectral_norm
    return part in ("u", "v") and {f"{stem}_orig", f"{stem}_u"} <= leaves.keys() and tensor.dim() == 1


def check_count(count: int, label: str) -> None:
    """Refuse more tensors than a page can list.

    Raises:
        SubjectError: there are.
    """
    if count > TENSORS_MOST:
        raise SubjectError(f"{label} holds {count:,} tensors, and {TENSORS_MOST:,} is the most; save part of them")


def _every(layers: Mapping[str, Leaves]) -> Iterable[tuple[str, Tensor]]:
    return (item for leaves in layers.values() for item in leaves.items())


def _parameter(tensor: Tensor) -> tuple[object, nn.Parameter]:
    parameter = nn.Parameter(tensor, requires_grad=False)
    if tensor.is_meta or tensor.numel() == 0:
        return id(parameter), parameter
    return (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype), parameter


def is_tensor_name(name: str) -> bool:
    """Whether a tensor of a network can have that name."""
    try:
        _check_name(name, "")
    except SubjectError:
        return False
    return True


def _check_name(name: str, label: str) -> None:
    shown = "".join(c if c.isprintable() else "?" for c in name[:80])
    if not name.isprintable() or len(name) > NAME_MOST or name.count(".") >= DEPTH_MOST:
        raise SubjectError(f"{label} names a tensor {shown!r}, which cannot be read, or is too long; rename it")
    for part in name.split("."):
        if not part:
            raise SubjectError(f"{label} names a tensor {shown!r}: a part of the name is empty; rename it")
        if part in _TAKEN:
            raise SubjectError(f"{label} names a tensor {shown!r}: every module of torch has a {part!r}; rename it")


def _layer_type(path: str, layers: Mapping[str, Leaves], dims: int) -> str:
    kind = guess_layer_type(path, layers[path], dims)
    above, _, own = path.rpartition(".")
    # Of a square weight the shape does not say which way round it is stored; beside this one in GPT-2 it is as this one
    twin = layers.get(f"{above}.c_attn", {}) if own == "c_proj" else {}
    return guess_layer_type("", twin) if twin and kind == "Linear" else kind


def _inputs_first(path: str, layers: Mapping[str, Leaves]) -> bool | None:
    """Of experts whose two weights are layers of their own, whether they are ``[E, in, out]``; None of all others."""
    above, _, own = path.rpartition(".")
    pair = next((each for each in _PAIRS if own in each), None)
    if pair is None:
        return None
    up, down = (layers.get(f"{above}.{each}", {}).get("weight") for each in pair)
    return stored_inputs_first(up, down)


def guess_layer_type(path: str, leaves: Leaves, dims: int = 1) -> str:
    """What a layer most likely is, by the names and shapes of its tensors: a class of ``torch.nn``.

    Args:
        path: of the layer, ``"encoder.token_embedding"``.
        leaves: its tensors, ``"weight"`` and ``"bias"`` among them.
        dims: of the network's convolutions, for what looks alike whatever it is used on.

    Returns:
        ``"Linear"``, ``"Conv2d"``, ``"LSTM"`` ...; ``"Module"`` where nothing is known.

    >>> guess_layer_type("conv1", {"weight": nn.Conv2d(3, 8, 5).weight})
    'Conv2d'
    """
    weight, bias = leaves.get("weight"), leaves.get("bias")
    if "running_mean" in leaves:
        return f"BatchNorm{dims}d"
    if _holds_experts(path, leaves):
        return "Experts"
    if {"weight_ih_l0", "weight_hh_l0"} <= leaves.keys():
        return _recurrent(leaves["weight_ih_l0"], leaves["weight_hh_l0"], "weight_hr_l0" in leaves)
    if {"weight_ih", "weight_hh"} <= leaves.keys():
        return f"{_recurrent(leaves['weight_ih'], leaves['weight_hh'], False)}Cell"
    if "in_proj_weight" in leaves or "q_proj_weight" in leaves:
        return "MultiheadAttention"
    if weight is None:
        return "LayerNorm" if {"gamma", "beta"} <= leaves.keys() else "Module"
    if weight.dim() == 1:
        return "LayerNorm" if bias is not None else "RMSNorm"
    if not 2 <= weight.dim() <= 5:
        return "Module"
    transposed = bias is not None and bias.shape == weight.shape[1:2] != weight.shape[:1]
    if weight.dim() > 2:
        return f"Conv{'Transpose' * transposed}{weight.dim() - 2}d"
    if transposed:
        return "Conv1D"  # as the GPT-2 of transformers calls a Linear that is stored the other way round
    called = next((part for part in reversed(path.split(".")) if not part.isdecimal()), "")
    return "Embedding" if bias is None and EMBEDDING_NAME.search(called.lower()) else "Linear"


def _holds_experts(path: str, leaves: Leaves) -> bool:
    """Whether these are the matrices of a mixture's experts behind one another, by their names and dims."""
    if _FUSED.search(path.lower()):
        return bool(expert_layout(leaves))
    return any(leaf.endswith("_proj") for leaf in expert_layout(leaves))


def _recurrent(inputs: Tensor, hidden: Tensor, projected: bool) -> str:
    if inputs.dim() != 2 or hidden.dim() != 2 or not hidden.shape[1]:
        return "RNN"
    # With a projection the hidden state is narrower than the gates say, and only LSTMs have one
    gates = 4 if projected else len(hidden) // hidden.shape[1]
    return {4: "LSTM", 3: "GRU"}.get(gates, "RNN")
