"""Which parameters of a network can be pruned, and why the others cannot."""

import re
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn
from torch.nn.utils import parametrize

from pruning_explorer.prune.experts import expert_dims
from pruning_explorer.prune.targets import (
    ALREADY_PRUNED,
    EMBEDDING_PARAMETER,
    EMBEDDINGS,
    GPT2_LINEAR,
    NORMS,
    PRUNABLE,
    STATISTICS,
    TRANSPOSED,
    RecordedLayer,
    Role,
    StoredLayer,
    Target,
    is_lazy,
    is_packed,
    layer_class,
    layer_type,
    noted_type,
)

LAYERS_OWN = re.compile(
    r"weight|bias"
    r"|(weight|bias)_(ih|hh|hr)(_l\d+(_reverse)?)?"
    r"|(in|q|k|v)_proj_weight|in_proj_bias|bias_[kv]"
    r"|gamma|beta"
)
"""Names that torch's layers give their parameters; the last two are of a LayerNorm that TensorFlow wrote."""
GRAPH_WEIGHT = re.compile(r"(^|::)(MatMul|Gemm|Conv|ConvTranspose)_\d+$")
"""Names that ONNX gives to weights that lost their own: those of the operator that they are for."""
GRAPH_GATES = re.compile(r"(^|::)(GRU|LSTM|RNN)_\d+$")
"""The same of recurrent layers: weights have three dims, ``[directions, gates, in]``, biases two."""
GRAPH_PRODUCT = re.compile(r"(^|::)MatMul_\d+$")
"""Of these the weight stands behind its inputs: ``[in, out]``."""


def find_targets(model: nn.Module) -> tuple[tuple[Target, ...], dict[str, str]]:
    """Sort a network's parameters into those that can be pruned and those that cannot.

    Tied weights make one target that carries all their names.

    Returns:
        The targets in the order of ``named_parameters``, and for every other parameter the reason why not; one that
        ``torch.nn.utils.prune`` pruned is under the name that it had before, without ``_orig``.
    """
    targets: list[Target] = []
    refused: dict[str, str] = {}
    others: dict[str, str] = {}
    names_of = _names_by_tensor(model)
    layouts: dict[str, dict[str, int]] = {}
    for position, (name, parameter) in enumerate(model.named_parameters()):
        owner = _owner(model, name)
        if owner[0] not in layouts:
            layouts[owner[0]] = expert_dims(owner[1])
        layout = layouts[owner[0]]
        aliases = tuple(alias for alias in names_of[id(parameter)] if alias != name)
        reason = _why_not(name, parameter, owner[1])
        if reason is not None:
            refused[name.removesuffix("_orig") if reason == ALREADY_PRUNED else name] = reason
            continue
        if (reason := _why_by_name_only(name, parameter, owner[1], layout)) is not None:
            others[name] = reason
        role = _role(model, (name, *aliases), parameter) if reason is None else "other"
        targets.append(_target(name, aliases, parameter, owner, position, role, layout))
    if others and not any(target.is_weight for target in targets):
        targets, others = _guessed(model, targets, others)
    return tuple(targets), refused | others | _packed(model) | _stored_buffers(model)


def _stored_buffers(model: nn.Module) -> dict[str, str]:
    """Buffers of a checkpoint by name, with what they are, without the well-known ``STATISTICS``."""
    return {
        f"{path}.{leaf}".removeprefix("."): made_by_norm(module, leaf)
        or f"a buffer of {str(tensor.dtype).removeprefix('torch.')} and no parameter: nothing that was learnt"
        for path, module in model.named_modules()
        if isinstance(module, StoredLayer)
        for leaf, tensor in module.named_buffers(recurse=False)
        if leaf not in STATISTICS
    }


def _packed(model: nn.Module) -> dict[str, str]:
    """The layers whose weights are no parameters any more, since torch packed them for its kernels of whole numbers."""
    packed: dict[str, str] = {}
    wholes: list[str] = []
    for path, module in model.named_modules():
        if is_packed(module) and not any(f"{path}.".startswith(each) for each in wholes):
            wholes.append(f"{path}." if path else "")
            packed[f"{path}.weight" if path else "weight"] = (
                f"quantised by torch ({type(module).__name__}): packed as whole numbers; prune first, and quantise then"
            )
    return packed


def _names_by_tensor(model: nn.Module) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return names


def _owner(model: nn.Module, name: str) -> tuple[str, nn.Module]:
    path = name.rpartition(".")[0]
    return path, model.get_submodule(path)


def _target(
    name: str,
    aliases: tuple[str, ...],
    parameter: nn.Parameter,
    owner: tuple[str, nn.Module],
    position: int,
    role: Role,
    layout: Mapping[str, int],
) -> Target:
    path, module = owner
    leaf = name.rpartition(".")[2]
    out_dim = layout.get(leaf)
    inputs_first = _stores_inputs_first(module) or (
        isinstance(module, StoredLayer) and GRAPH_PRODUCT.search(leaf) is not None
    )
    experts = parameter.shape[0] if out_dim and parameter.dim() == 3 else 0
    return Target(
        name=name,
        aliases=aliases,
        module=path,
        layer_type=layer_type(module),
        role=role,
        shape=tuple(parameter.shape),
        dtype=parameter.dtype,
        out_dim=int(inputs_first and parameter.dim() > 1) if out_dim is None else out_dim,
        out_groups=experts or _output_groups(module, parameter),
        position=position,
        experts=experts,
    )


def _output_groups(module: nn.Module, parameter: nn.Parameter) -> int:
    if not issubclass(layer_class(module), TRANSPOSED) or parameter.dim() < 2:
        return 1
    groups = getattr(module, "groups", None)
    if isinstance(groups, int):
        return groups
    # Of an exported or stored layer only the tensors are known; its bias has a number for each output
    bias = module._parameters.get("bias")
    return 1 if bias is None else max(1, bias.numel() // parameter.shape[1])


def _stores_inputs_first(module: nn.Module) -> bool:
    """Whether weights are ``[in, out, ...]``, as in transposed convolutions and in the Linear of GPT-2."""
    kind = layer_class(module)
    if isinstance(module, StoredLayer) and noted_type(module) == GPT2_LINEAR[1]:
        return True
    if isinstance(module, RecordedLayer) and noted_type(module) == ".".join(GPT2_LINEAR):
        return True
    return issubclass(kind, TRANSPOSED) or (kind.__module__, kind.__qualname__) == GPT2_LINEAR


def _role(model: nn.Module, names: tuple[str, ...], parameter: nn.Parameter) -> Role:
    module, leaf = _owner(model, names[0])[1], names[0].rpartition(".")[2]
    if any(issubclass(layer_class(_owner(model, name)[1]), EMBEDDINGS) for name in names):
        return "embedding"
    if issubclass(layer_class(module), NORMS):
        return "norm"
    if "bias" in leaf:
        return "bias"
    # Of a layer that torch does not know, or whose type is a guess, a weight of one dim is a scale
    known = issubclass(layer_class(module), PRUNABLE) and not isinstance(module, StoredLayer)
    return "weight" if known or parameter.dim() > 1 else "norm"


def _why_not(name: str, parameter: nn.Parameter, module: nn.Module) -> str | None:
    leaf = name.rpartition(".")[2]
    if is_lazy(parameter):
        return "not initialised yet; run the network once first"
    if ".parametrizations." in f".{name}" or parametrize.is_parametrized(module):
        return "parametrized: its value is computed from other tensors; remove the parametrization first"
    if (reason := made_by_norm(module, leaf)) is not None:
        return reason
    if leaf.endswith("_orig") and hasattr(module, leaf.removesuffix("_orig") + "_mask"):
        return ALREADY_PRUNED
    if parameter.is_meta:
        return "on the meta device: it has a shape and no values; load the weights first"
    if parameter.numel() == 0:
        return "empty: it has no weights"
    if parameter.is_complex() or not parameter.is_floating_point():
        return f"{str(parameter.dtype).removeprefix('torch.')} weights have no magnitude that can be ranked here"
    if parameter.dtype.itemsize < 2:
        return f"{str(parameter.dtype).removeprefix('torch.')} cannot be computed with on this device"
    return None


def _why_by_name_only(name: str, parameter: nn.Parameter, module: nn.Module, layout: Mapping[str, int]) -> str | None:
    """Why a parameter that could be pruned is so only where a recipe names it; None for those of layers."""
    leaf = name.rpartition(".")[2]
    if leaf.removesuffix("_bias") in layout:
        return None
    if not isinstance(module, StoredLayer):
        if issubclass(layer_class(module), PRUNABLE + NORMS) or leaf in ("weight", "bias"):
            return None
        what = f"a parameter of {layer_type(module)} itself, which is no layer type that torch prunes"
        return f"{what}; name it, and it is pruned"
    kind = layer_class(module)
    if leaf in ("weight", "bias") or (issubclass(kind, PRUNABLE + NORMS) and LAYERS_OWN.fullmatch(leaf)):
        return None
    if (GRAPH_WEIGHT.search(leaf) and parameter.dim() > 1) or (GRAPH_GATES.search(leaf) and parameter.dim() > 2):
        return None
    likely = next(
        (what for found, what in _LIKELY if found.search(leaf.lower())), "a parameter of no layer, or a table"
    )
    return (
        f"called {leaf[:60]}, as no layer of torch calls its weights: most likely {likely}; name it, and it is pruned"
    )


_LIKELY = tuple(
    (re.compile(found), what)
    for found, what in (
        (r"index|indices", "a table of indices"),
        (r"mask", "a mask"),
        (r"relative|bias_table|rel_(pos|h|w)", "biases of relative positions"),
        (r"tokens?$|class_emb|^query|queries$|prompt|latents?$", "a token of the network's own"),
        (r"(^|_)pos|^pe$|^p_?enc", "positions"),
        (r"anchor|^priors?$", "anchors"),
        (r"cos|sin|freq|rotary|filter|window", "a table that is computed"),
        (r"scale|shift|gamma|beta|lambda|alpha|mean|std|var|temperature|^a_log$|^d$", "a scale or a shift"),
        (r"bias", "a bias"),
    )
)


def _guessed(model: nn.Module, targets: list[Target], others: dict[str, str]) -> tuple[list[Target], dict[str, str]]:
    """Where nothing in a checkpoint is called a weight, all that could be one is offered; else things as they are."""
    if not any(isinstance(module, StoredLayer) for module in model.modules()):
        return targets, others
    roles: dict[str, Role] = {}
    for name in others:
        embeds = EMBEDDING_PARAMETER.search(name.rpartition(".")[2].lower())
        roles[name] = "embedding" if embeds else _role(model, (name,), model.get_parameter(name))
    return [replace(each, role=roles.get(each.name, each.role)) for each in targets], {}


def made_by_norm(module: nn.Module, leaf: str) -> str | None:
    """Why a tensor is no weight: ``weight_norm`` or ``spectral_norm`` computes the weight from it; None otherwise."""
    stem, _, part = leaf.rpartition("_")
    magnitude, direction = getattr(module, f"{stem}_g", None), getattr(module, f"{stem}_v", None)
    if part in ("g", "v") and isinstance(magnitude, Tensor) and isinstance(direction, Tensor):
        fits = zip(magnitude.shape, direction.shape, strict=False)
        if magnitude.dim() in (0, direction.dim()) and all(size in (1, whole) for size, whole in fits):
            return "weight_norm computes the weight anew at every call; call torch.nn.utils.remove_weight_norm first"
    weight, vector = getattr(module, f"{stem}_orig", None), getattr(module, f"{stem}_u", None)
    if part in ("orig", "u", "v") and isinstance(weight, Tensor) and isinstance(vector, Tensor) and vector.dim() == 1:
        return "spectral_norm computes the weight anew at every call; call torch.nn.utils.remove_spectral_norm first"
    return None
