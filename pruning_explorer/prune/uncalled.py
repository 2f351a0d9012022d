"""Layers whose weights a network reads without calling them, so that no hook of theirs ever runs.

``MultiheadAttention`` reads ``out_proj``, and some networks do the same with what they pack:
``F.linear(x, self.qkv.weight, bias)``. ``torch.nn.utils.prune`` multiplies weight and mask in a hook of the layer
itself. There it never runs: ``weight`` stays what it was when it was pruned, whatever the optimizer does to
``weight_orig``, and the second step of training goes back through a graph that is gone.
"""

from collections.abc import Iterable, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils import prune
from torch.utils._pytree import tree_leaves

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.network import call_network, widen, working_tensors
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.subject_cache import SubjectCache
from pruning_explorer.prune.targets import layer_class

_READERS: SubjectCache[dict[str, str]] = SubjectCache(
    16 << 20, lambda readers: sum(map(len, readers)) + 100, "layers that are read"
)


def readers_of(subject: Subject, paths: Iterable[str]) -> dict[str, str]:
    """Which of the modules at ``paths`` are read and not called, and the path of the module that reads each.

    A network that can be run is watched on one input; of any other, ``out_proj`` of attention is known.
    """
    modules = dict(subject.model.named_modules())
    seen = _READERS.get(subject, lambda: _seen_in(subject, modules))
    found = {path: _above(path) if _is_out_proj(modules, path) else seen.get(path) for path in paths}
    return {path: reader for path, reader in found.items() if reader is not None}


def mask_by_reader(model: nn.Module, path: str) -> None:
    """If attention reads the layer at ``path``, make it run that layer's prune hooks before each of its calls."""
    if not _is_out_proj(dict(model.named_modules()), path):
        return
    reader = model.get_submodule(_above(path))
    name = path.rpartition(".")[2]
    if not any(_masks(hook) == name for hook in reader._forward_pre_hooks.values()):
        reader.register_forward_pre_hook(partial(_mask_layer, name))


def release_readers(model: nn.Module) -> None:
    """Take off what :func:`mask_by_reader` put on, where nothing is left to mask."""
    for module in model.modules():
        for key, hook in list(module._forward_pre_hooks.items()):
            name = _masks(hook)
            if name is not None and not prune.is_pruned(module.get_submodule(name)):
                del module._forward_pre_hooks[key]


def _mask_layer(name: str, reader: nn.Module, _inputs: object) -> None:
    layer = reader.get_submodule(name)
    for hook in list(layer._forward_pre_hooks.values()):
        if isinstance(hook, prune.BasePruningMethod):
            hook(layer, None)


def _masks(hook: object) -> str | None:
    return str(hook.args[0]) if isinstance(hook, partial) and hook.func is _mask_layer else None


def _is_out_proj(modules: Mapping[str, nn.Module], path: str) -> bool:
    own = path.rpartition(".")[2]
    return own == "out_proj" and issubclass(layer_class(modules[_above(path)]), nn.MultiheadAttention)


def _above(path: str) -> str:
    return path.rpartition(".")[0]


def _seen_in(subject: Subject, modules: Mapping[str, nn.Module]) -> dict[str, str]:
    """The readers seen in a run on one input, other than attention, which is known; none where it cannot run."""
    if not subject.runnable or subject.example is None:
        return {}
    called = {""}
    frame = skeleton(subject.model)
    for path, module in frame.named_modules():
        module.register_forward_pre_hook(lambda _module, _inputs, path=path: called.add(path))
    tensors, inputs = working_tensors(subject, {}), tuple(map(widen, subject.example))
    try:
        with torch.inference_mode():
            call_network(subject, frame, tensors, inputs)
        quiet = [
            name
            for name, _ in subject.model.named_parameters()
            if name in tensors and _above(name) not in called and not _is_out_proj(modules, _above(name))
        ]
        return {_above(name): _caller(_above(name), called) for name in _used(subject, quiet, tensors, inputs)}
    except SubjectError:
        return {}  # what is wrong is said where outputs are wanted


def _used(
    subject: Subject, names: list[str], tensors: Mapping[str, Tensor], inputs: tuple[Tensor, ...]
) -> Iterable[str]:
    """Those of the parameters on which the outputs depend, and not the head or the expert that this input passes by."""
    if not names:
        return []
    with torch.inference_mode(False), torch.enable_grad():
        wanted = {name: tensors[name].detach().requires_grad_() for name in names}
        outputs = call_network(subject, skeleton(subject.model), {**tensors, **wanted}, inputs)
        ends = [each.sum() for each in tree_leaves(outputs) if isinstance(each, Tensor) and each.requires_grad]
        if not ends:
            return []
        gradients = torch.autograd.grad(ends, list(wanted.values()), allow_unused=True)
    return [name for name, gradient in zip(names, gradients, strict=True) if gradient is not None]


def _caller(path: str, called: set[str]) -> str:
    """The nearest module around ``path`` that is called."""
    above = _above(path)
    return above if above in called else _caller(above, called)
