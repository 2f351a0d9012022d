"""A network drawn whole, as nodes and edges: what it is made of is found by running it once and looking on."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves

from pruning_explorer.errors import LessonError, SubjectError
from pruning_explorer.figures.numbers import count
from pruning_explorer.lessons.panels import Edges, Network, Stops
from pruning_explorer.prune.network import call_network
from pruning_explorer.prune.outputs import first_tensor
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject

MOST_NODES = 40
"""Most nodes of one layer that are drawn, in one column."""
MOST_COLUMNS = 8
MOST_EDGES = 1_200

NEEDS = (
    "a picture needs Linear layers one after the other, with elementwise functions between, in at most "
    f"{MOST_COLUMNS} columns of {MOST_NODES} nodes, with {MOST_EDGES:,} edges in all"
)

ELEMENTWISE = re.compile(
    "relu6?|leaky_relu|elu|selu|celu|gelu|silu|mish|tanh|sigmoid|hardtanh|hardsigmoid|hardswish|hardshrink|softshrink|"
    "tanhshrink|softplus|softsign|log_?sigmoid|threshold|rrelu|prelu|(feature_)?(alpha_)?dropout|sin|cos|exp|abs|neg|"
    "square|pow|clamp|add|r?sub|mul|div|__(r?add|r?sub|r?mul|truediv|neg|pow)__|clone|contiguous|detach|to|float|double"
)
"""Functions whose output at a node depends on that node's input alone."""
RESHAPING = re.compile("flatten|reshape|view|squeeze|unsqueeze")
"""Functions that keep all values and their order, and change the shape only."""


def node_link(
    subject: Subject, leaves: Mapping[str, Stops], stops: int, *, title: str = "The network", note: str = ""
) -> Network:
    """Draw a network of Linear layers, one after the other, as nodes and edges. Biases stay and are not drawn.

    Args:
        leaves: target name -> ``[out, in]``, the stop at which each weight leaves; those of other layers never do.
        stops: how many the slider has.

    Raises:
        LessonError: the network is no such chain, is too large to be seen whole, or cannot be run; it says which.

    >>> from pruning_explorer import load_subject
    >>> picture = node_link(load_subject("tutorial-mlp"), {}, stops=1)
    >>> [len(column) for column in picture.columns], picture.columns[0][:2], picture.columns[1][:2]
    ([5, 4, 3], ('x1', 'x2'), ('fc1 0', 'fc1 1'))
    """
    names = chain_of(subject)
    weights = [subject.weight(name) for name in names]
    edges = [
        Edges(_layer(name), weight.float().numpy(), leaves.get(name, np.full(tuple(weight.shape), stops)))
        for name, weight in zip(names, weights, strict=True)
    ]
    return Network(title, _columns(subject, names, weights), tuple(edges), note)


def chain_of(subject: Subject) -> tuple[str, ...]:
    """Target names of the weights of a chain of Linear layers, from its inputs to its outputs.

    Raises:
        LessonError: as :func:`node_link`.
    """
    try:
        names = _record(subject)
        _check_size([subject.weight(name) for name in names])
    except _NoPictureError as reason:
        raise LessonError(f"{subject.name} cannot be drawn as nodes and edges: {reason}; {NEEDS}") from None
    return names


class _NoPictureError(Exception):
    """Why there is none, in half a sentence."""


def _record(subject: Subject) -> tuple[str, ...]:
    if not subject.runnable:
        raise _NoPictureError("only its weights are known, and not what is computed with them")
    weights = [target for target in subject.targets if target.is_weight]
    if (edges := sum(target.numel for target in weights)) > MOST_EDGES:
        raise _NoPictureError(f"it has {count(edges)} weights")
    example = subject.example
    if example is None:
        # Any input will do: what is computed is looked at, and not the numbers
        first = next((target for target in weights if len(target.shape) == 2), weights[0])
        example = (torch.zeros(1, first.shape[-1], dtype=first.dtype),)
    if len(example) != 1:
        raise _NoPictureError(f"it takes {len(example)} inputs")
    frame = skeleton(subject.model)
    recorder = _Recorder({id(frame.get_parameter(target.name)): target.name for target in weights})
    frame.register_forward_pre_hook(recorder.begin)
    try:
        with torch.inference_mode(), recorder:
            output = call_network(subject, frame, {}, example)
    except SubjectError as error:
        raise _NoPictureError(str(error)) from None
    return recorder.chain(first_tensor(output))


class _Recorder(TorchFunctionMode):
    """Looks on while a network runs once, in this thread; ``torch.fx`` would change every module of the process."""

    def __init__(self, names: Mapping[int, str]) -> None:
        """Take the names of the weights by the identity of their tensors."""
        super().__init__()
        self._names = names
        self._layers: list[str] = []
        self._problem: str | None = None
        self._seen: list[Tensor] = []

    def begin(self, _network: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._seen = [inputs[0]]

    def chain(self, output: Tensor | None) -> tuple[str, ...]:
        """Names of the weights that the values go through.

        Raises:
            _NoPictureError: it is no chain.
        """
        if self._problem is not None:
            raise _NoPictureError(self._problem)
        if not self._layers:
            raise _NoPictureError("its inputs meet no Linear layer")
        if output is not self._seen[-1]:
            raise _NoPictureError("what it returns is not what its last layer gives")
        return tuple(self._layers)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        given = _tensors((args, kwargs))
        if self._problem is None and any(map(self._is_of_it, given)) and _tensors(result):
            self._problem = self._judge(func, given, result)
            if isinstance(result, Tensor):
                self._seen.append(result)
        return result

    def _is_of_it(self, tensor: Tensor) -> bool:
        return any(tensor is each for each in self._seen)

    def _judge(self, func: Callable[..., Any], given: Sequence[Tensor], result: object) -> str | None:
        """Why a call is no step of a chain; None if it is."""
        flowing = [each for each in given if self._is_of_it(each)]
        others = [each for each in given if not self._is_of_it(each)]
        # Operators of exported programs are called "linear.default", and those that work in place "relu_"
        name = func.__name__.partition(".")[0]
        name = name if name.startswith("__") else name.rstrip("_")
        if len(flowing) > 1 or flowing[0] is not self._seen[-1] or not isinstance(result, Tensor):
            return "its values go more than one way"
        if name == "linear":
            return self._layer(flowing[0], given[1])
        if ELEMENTWISE.fullmatch(name) and (name == "prelu" or not others):
            return None
        if RESHAPING.fullmatch(name) and result.numel() == flowing[0].numel():
            return None
        return f"it calls {resolve_name(func) or name}, which is neither a Linear layer nor elementwise"

    def _layer(self, inputs: Tensor, weight: Tensor) -> str | None:
        name = self._names.get(id(weight))
        if name is None:
            return "a Linear layer computes its weights, or has some that cannot be pruned"
        if name in self._layers:
            return f"{name} is used twice"
        if inputs.dim() != 2 or len(inputs) != 1:
            return f"{name} is used more than once on each sample"
        self._layers.append(name)
        return None


def _tensors(values: object) -> list[Tensor]:
    return [each for each in tree_leaves(values) if isinstance(each, Tensor)]


def _check_size(weights: Sequence[Tensor]) -> None:
    widths = [weights[0].shape[1], *(len(weight) for weight in weights)]
    if max(widths) > MOST_NODES:
        raise _NoPictureError(f"its widest column has {max(widths)} nodes")
    if len(widths) > MOST_COLUMNS:
        raise _NoPictureError(f"it has {len(widths)} columns of nodes")


def _columns(subject: Subject, names: Sequence[str], weights: Sequence[Tensor]) -> tuple[tuple[str, ...], ...]:
    inputs = tuple(f"x{i + 1}" for i in range(weights[0].shape[1]))
    hidden = [
        tuple(f"{_layer(name)} {i}" for i in range(len(weight)))
        for name, weight in zip(names[:-1], weights[:-1], strict=True)
    ]
    ends = len(weights[-1])
    outputs = subject.output_names if len(subject.output_names) == ends else tuple(f"out {i}" for i in range(ends))
    return inputs, *hidden, outputs


def _layer(name: str) -> str:
    """``"fc1"`` of ``"encoder.fc1.weight"``; a number alone says nothing, so that of ``"net.0.weight"`` is ``"net.0"``.

    >>> _layer("encoder.fc1.weight"), _layer("net.0.weight"), _layer("weight")
    ('fc1', 'net.0', 'layer')
    """
    path = name.rpartition(".")[0]
    own = path.rpartition(".")[2]
    return path if own.isdigit() else own or "layer"
