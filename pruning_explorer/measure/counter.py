"""Count the multiply-adds of one run, and note in which weights' products they are."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._pytree import tree_leaves

from pruning_explorer.measure.products import FORMULAS, Product, products_of
from pruning_explorer.prune.dispatch import OperationMode
from pruning_explorer.prune.observe.memory import MemoryMap
from pruning_explorer.prune.targets import NORMS, is_lazy, is_packed, layer_class

Weights = frozenset[str]

SELECTIONS = frozenset({"aten::index", "aten::index_select", "aten::gather"})
"""Operators that select entries of a weight at positions given by their inputs."""

ELEMENT_WISE = frozenset(f"aten::{name}{end}" for name in ("mul", "div", "addcmul") for end in ("", "_"))
"""Operators that multiply element by element."""

NO_PRODUCT = SELECTIONS | {
    f"aten::{name}"
    for name in (
        *("cat", "stack", "copy_", "_to_copy", "index_put", "index_put_", "_index_put_impl_", "index_copy"),
        *("scatter", "scatter_", "slice_scatter", "select_scatter", "masked_scatter", "masked_scatter_", "embedding"),
        *("_embedding_bag", "_embedding_bag_forward_only", "embedding_renorm_", "native_layer_norm"),
        *("native_group_norm", "_fused_rms_norm", "_prelu_kernel"),
    )
}
"""Operators that read a weight beside inputs and yet are no product: they move, shift or scale data."""


@dataclass(frozen=True, eq=False)
class _Made:
    """Memory whose content was computed from weights alone, such as a cast of one, or several of them joined."""

    storage: StorageWeakRef  # held, so that no other storage takes its place
    weights: Weights


class ProductCounter(OperationMode):
    """A context in which multiply-adds are counted: below autograd, and of this thread alone.

    A weight is known by its memory, so views of it count, and so do tied names. So do casts and whatever else is
    computed from weights alone, and the part of a weight that an index selects.

    Attributes:
        macs: multiply-adds of all products.
        by_weight: parameter name -> multiply-adds of the products it takes part in; without parameters seen in none.
    """

    supports_higher_order_operators = True

    def __init__(self, model: nn.Module, tensors: Mapping[str, Tensor], targets: Collection[str]) -> None:
        """Watch a network.

        Args:
            model: nobody else runs it, since this hooks its modules.
            tensors: its parameters and buffers, as it will be called with.
            targets: parameters that a product counts for where others take part in it, too.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = 0
        self.by_weight: dict[str, int] = {}
        self._targets = frozenset(targets)
        self._memory = MemoryMap(tensors)
        self._made: dict[int, _Made] = {}
        self._shapes: dict[str, torch.Size] = {}
        self._tables: set[str] = set()
        self._ran: set[str] = set()
        self._read: set[str] = set()
        self._unknown: set[str] = set()
        self._inside: list[str] = []
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        for path, module in model.named_modules():
            if is_packed(module):
                self._watch_packed(f"{path}.weight".removeprefix("."), module)
            elif not issubclass(layer_class(module), NORMS):
                own = (each for each in module.parameters(recurse=False) if not is_lazy(each))
                self._watch({names[id(each)]: each for each in own if each.dim() > 1 and each.numel()}, module)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """The parameters whose products are not in ``macs``, in the network's order.

        Their module ran, and no product with them was seen: the operator has no formula, or it is a matrix product
        written element by element, or reads a target's weights where torch does not see it. Vectors, norms and the
        tables of embeddings, which multiply nothing, are not among them.
        """
        missing = (self._unknown | (self._ran & self._targets - self._read)) - self.by_weight.keys()
        return tuple(name for name in self._shapes if name in missing)

    def _watch(self, own: Mapping[str, Tensor], module: nn.Module) -> None:
        if own:
            self._shapes.update({name: tensor.shape for name, tensor in own.items()})
            if issubclass(layer_class(module), nn.Embedding | nn.EmbeddingBag):
                self._tables.update(own)
            module.register_forward_pre_hook(lambda *_: self._ran.update(own))

    def _watch_packed(self, name: str, module: nn.Module) -> None:
        self._shapes[name] = torch.Size()
        module.register_forward_pre_hook(lambda *_: self._inside.append(name))
        module.register_forward_hook(lambda *_: self._leave())

    def _leave(self) -> None:
        self._inside.pop()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        whole = isinstance(func, HigherOrderOperator)
        if not whole and func._schema.name not in FORMULAS and func.namespace != "prim":
            with self:  # in inference mode, operators that are made of others come as one
                output = func.decompose(*args, **kwargs)
            if output is not NotImplemented:
                return output
        leaves = tree_leaves((args, kwargs))
        given = [self._weights_in(each) for each in _tensors(leaves)]  # before a step in place
        output = func(*args, **kwargs)
        if whole or not func.is_view:
            products = None if whole else products_of(func, args, output)
            for product in products or ():
                self._count(product)
            made = tree_leaves(output) or leaves  # what gives nothing back has written somewhere
            self._note(func, given, leaves, made, products is not None)
            self._follow("" if whole else func._schema.name, given, made, products is not None)
        return output

    def _count(self, product: Product) -> None:
        self.macs += product.macs
        found = Weights().union(*(self._weights_in(each) or () for each in product.factors)) & self._shapes.keys()
        names = found & self._targets or found
        together = sum(self._shapes[name].numel() for name in names)
        for name in names:
            share = product.macs * self._shapes[name].numel() // together
            self.by_weight[name] = self.by_weight.get(name, 0) + share

    def _note(self, func: Any, given: list[Weights | None], leaves: list[Any], made: list[Any], counted: bool) -> None:
        names = Weights().union(*(each or () for each in given))
        self._read |= names
        if self._inside and any(isinstance(each, torch.ScriptObject) for each in leaves):
            if counted:
                self.by_weight[self._inside[-1]] = 0
            else:
                self._unknown.add(self._inside[-1])
        inputs = [tensor for tensor, held in zip(_tensors(leaves), given, strict=True) if held is None]
        if counted or not inputs:
            return
        name = getattr(func, "_schema", func).name
        if name in ELEMENT_WISE:
            # Inputs that are spread over the rows of a matrix will be summed again: a product in other words
            if max(each.numel() for each in _tensors(made)) > max(each.numel() for each in inputs):
                self._unknown |= {each for each in names - self._tables if sum(n > 1 for n in self._shapes[each]) > 1}
        elif name not in NO_PRODUCT and torch.Tag.pointwise not in getattr(func, "tags", ()):
            self._unknown |= names

    def _follow(self, name: str, given: list[Weights | None], made: list[Any], counted: bool) -> None:
        known = [each for each in given if each is not None]
        whole = given[0] if name in SELECTIONS else None
        selected = bool(whole) and not (whole or Weights()) & self._tables
        alone = len(known) == len(given) or selected
        weights = Weights() if counted else Weights().union(*known)
        for tensor in _tensors(made):
            if _has_memory(tensor) and self._memory.name_of(tensor) is None:
                storage = tensor.untyped_storage()
                if alone:
                    self._made[storage._cdata] = _Made(StorageWeakRef(storage), weights)
                else:
                    self._made.pop(storage._cdata, None)

    def _weights_in(self, tensor: Tensor) -> Weights | None:
        """The weights that a tensor is a part of or was computed from, and they alone; None for what inputs are in."""
        if not _has_memory(tensor):
            return None
        name = self._memory.name_of(tensor)
        if name is not None:
            return Weights({name} & self._shapes.keys())
        made = self._made.get(tensor.untyped_storage()._cdata)
        return None if made is None else made.weights


def _tensors(leaves: list[Any]) -> list[Tensor]:
    return [each for each in leaves if isinstance(each, Tensor)]


def _has_memory(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_nested
