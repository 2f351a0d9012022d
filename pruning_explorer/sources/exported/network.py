"""A module tree that runs the steps of an exported program with whatever tensors stand in its modules at the time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.targets import MISFIT, SAMPLES_PER_CALL, RecordedLayer
from pruning_explorer.sources.exported.calls import Call, calls_of
from pruning_explorer.sources.exported.inputs import Signature
from pruning_explorer.sources.exported.operators import check_call
from pruning_explorer.sources.exported.program import Float, Program, Ref, RunDevice, Step

LARGEST_TENSOR = 1 << 31
"""Most elements of one intermediate tensor; an expanded tensor takes no memory, but is work for what reads it."""


class ExportedLayer(RecordedLayer):
    """One module of the network as it was; called with the steps of one of its calls and the values that they take."""

    def forward(self, call: Call, run: "_Run", *values: Any) -> Any:
        known = dict(zip(call.takes, values, strict=True))
        run.take(call.steps, known)
        given = tuple(known[name] for name in call.gives)
        return given[0] if len(given) == 1 else given


_HELD = "own.held"


@dataclass(frozen=True)
class _Held:
    """What an exported network knows beside its modules.

    Attributes:
        digest: of the program, for its id.
        calls: of the program's modules, in order.
        writes: whether a step writes into what it is given.
        native: the narrowest type of its floating-point tensors.
    """

    program: Program
    signature: Signature
    digest: str
    calls: Sequence[Call]
    writes: bool
    native: torch.dtype


def held_by(network: "ExportedNetwork") -> _Held:
    """What ``network`` knows beside its modules."""
    held: _Held = getattr(network, _HELD)
    return held


class ExportedNetwork(RecordedLayer):
    """The whole; called with one tensor for each tensor among the program's inputs, batch first.

    A program that was exported for a fixed number of samples, or for at least or at most so many, takes any number
    here: they go in by pieces, the last of them filled up.

    What it holds of its own lies in one attribute, and what others ask it for in two, whose names no part of a network
    can have.
    """

    def __init__(self, program: Program, state: Mapping[str, Tensor], digest: str) -> None:
        """Build the tree.

        Args:
            program: what it does.
            state: parameters, buffers and constants by their paths; what the program does not use may be among them.
            digest: of the program, for its id.

        Raises:
            SubjectError: the names make no tree of modules, or a tensor is missing.
        """
        super().__init__(program.module_types.get("", ""))
        if missing := set(program.state.values()) - set(state):
            raise SubjectError(f"its archive lacks the tensor {min(missing)[:80]!a}; export the network again")
        try:
            self._grow(program, state)
        except (KeyError, TypeError, AttributeError) as error:
            raise SubjectError(
                f"its names make no tree of modules ({str(error)[:80]!a}); give the module another name"
            ) from None
        held = _Held(
            program,
            Signature(program.inputs, program.ranges),
            digest,
            calls_of(program, dict(self.named_modules())),
            any(step.writes for step in program.steps),
            _narrowest(state[path] for path in program.state.values()),
        )
        setattr(self, _HELD, held)
        setattr(self, SAMPLES_PER_CALL, held.signature.least)
        setattr(self, MISFIT, held.signature.misfit)

    def forward(self, *inputs: Tensor) -> Any:
        """Outputs as the network gave them; see the class.

        Raises:
            SubjectError: the inputs are not what it takes.
        """
        signature = held_by(self).signature
        if (misfit := signature.misfit(inputs)) is not None:
            raise SubjectError(f"it {misfit}")
        count, most = len(inputs[0]), signature.most
        if signature.least <= count and (most is None or count <= most):
            return self._run(inputs)
        size = count if most is None else most
        outputs = []
        for start in range(0, count, size):
            piece = [each[start : start + size] for each in inputs]
            held = len(piece[0])
            lacking = max(0, signature.least - held)
            whole = [torch.cat([each, each[-1:].expand(lacking, *each.shape[1:])]) for each in piece]
            outputs.append(_cropped(self._run(whole if lacking else piece), held + lacking, held))
        return _together(outputs)

    def extra_repr(self) -> str:
        return held_by(self).digest

    def _grow(self, program: Program, state: Mapping[str, Tensor]) -> None:
        types = dict(program.module_types)
        owners = (name.rpartition(".")[0] for name in state)
        for path in dict.fromkeys((*program.module_order, *types, *owners)):
            parent: nn.Module = self
            parts = path.split(".") if path else []
            for depth, part in enumerate(parts, 1):
                below = parent._modules.get(part)
                if below is None:
                    below = ExportedLayer(_type_of(".".join(parts[:depth]), types))
                    parent.add_module(part, below)
                parent = below
        for name, tensor in state.items():
            path, _, leaf = name.rpartition(".")
            owner = self.get_submodule(path)
            if isinstance(tensor, nn.Parameter):
                owner.register_parameter(leaf, tensor)
            else:
                owner.register_buffer(leaf, tensor, persistent=name not in program.constants)

    def _run(self, inputs: Sequence[Tensor]) -> Any:
        modules = dict(self.named_modules())
        known: dict[str, Any] = {}
        held = held_by(self)
        for name, path in held.program.state.items():
            owner, _, leaf = path.rpartition(".")
            known[name] = getattr(modules[owner], leaf)
        frozen = _storages(known.values()) if held.writes else frozenset()
        now = _narrowest(known.values())
        run = _Run(inputs[0].device, None if now == held.native else now, frozen)
        for each, tensor in zip(held.program.inputs, inputs, strict=True):
            known[each.name] = tensor.to(run.widened(each.dtype)) if tensor.is_floating_point() else tensor
        for call in held.calls:
            if call.path:
                given = modules[call.path](call, run, *(known[name] for name in call.takes))
                known.update(zip(call.gives, (given,) if len(call.gives) == 1 else given, strict=True))
            else:
                run.take(call.steps, known)
            for name in call.drops:
                known.pop(name, None)
        return run.filled(held.program.outputs, known)


@dataclass(frozen=True)
class _Run:
    """One pass through the program.

    Attributes:
        wider: the dtype of what stands in for the program's tensors, where that is another than theirs.
        frozen: the memory of parameters, buffers and constants, to which no step may write.
    """

    device: torch.device
    wider: torch.dtype | None
    frozen: frozenset[int]

    def take(self, steps: Iterable[Step], known: dict[str, Any]) -> None:
        for step in steps:
            args = tuple(self.filled(each, known) for each in step.args)
            kwargs = {name: self.filled(each, known) for name, each in step.kwargs.items()}
            try:
                if step.packet:
                    check_call(step.packet, args)
                if any(_storages([args[at]]) & self.frozen for at in step.writes):
                    raise ValueError("it writes to a tensor of the network's own, which must stay as it is")
                result = step.function(*args, **kwargs)
                _keep(step.outputs, result, known)
            except SubjectError:
                raise
            except Exception as error:  # whatever an operator says of arguments that are not what it takes
                reason = (str(error).strip().splitlines() or ["no message"])[0]
                raise SubjectError(
                    f"its step {step.target} failed ({ascii(reason[:200])[1:-1]}); export a network that runs as it is"
                ) from error

    def widened(self, dtype: torch.dtype) -> torch.dtype:
        """What a floating-point dtype of the program is now."""
        return dtype if self.wider is None else torch.promote_types(dtype, self.wider)

    def filled(self, value: Any, known: Mapping[str, Any]) -> Any:
        """A value of a step, with what its places stand for."""
        if isinstance(value, Ref):
            return known[value.name]
        if isinstance(value, RunDevice):
            return self.device
        if isinstance(value, Float):
            return self.widened(value.dtype)
        if isinstance(value, list | tuple):
            return type(value)(self.filled(each, known) for each in value)
        if isinstance(value, dict):
            return {key: self.filled(each, known) for key, each in value.items()}
        return value


def _narrowest(tensors: Iterable[Any]) -> torch.dtype:
    found = [each.dtype for each in tensors if isinstance(each, Tensor) and each.is_floating_point()]
    return min(found, key=lambda dtype: dtype.itemsize, default=torch.float32)


def _keep(names: Any, result: Any, known: dict[str, Any]) -> None:
    if isinstance(names, str):
        if isinstance(result, Tensor) and (result.numel() > LARGEST_TENSOR or result.dim() > 32):
            raise ValueError(f"a tensor of {list(result.shape)[:32]}, which is more than is computed here")
        known[names] = result
    elif isinstance(names, tuple):
        parts = result if isinstance(result, list | tuple) else (result,)
        if len(parts) < len(names):
            raise ValueError(f"{len(parts)} results for {len(names)} names")
        for name, part in zip(names, parts, strict=False):
            _keep(name, part, known)


def _storages(values: Iterable[Any]) -> frozenset[int]:
    found: list[int] = []
    for value in values:
        if isinstance(value, list | tuple):
            found.extend(_storages(value))
        elif isinstance(value, Tensor):
            found.append(int(value.untyped_storage()._cdata))
    return frozenset(found)


def _cropped(output: Any, size: int, held: int) -> Any:
    if isinstance(output, Tensor):
        return output[:held] if output.dim() > 0 and len(output) == size else output
    if isinstance(output, list | tuple):
        return type(output)(_cropped(each, size, held) for each in output)
    if isinstance(output, dict):
        return {key: _cropped(each, size, held) for key, each in output.items()}
    return output


def _together(outputs: list[Any]) -> Any:
    """Outputs of several pieces as those of one batch; what has no batch is that of the first."""
    first = outputs[0]
    if isinstance(first, Tensor):
        return torch.cat(outputs) if first.dim() > 0 else first
    if isinstance(first, list | tuple):
        return type(first)(_together(list(parts)) for parts in zip(*outputs, strict=True))
    if isinstance(first, dict):
        return {key: _together([each[key] for each in outputs]) for key in first}
    return first


def _type_of(path: str, types: Mapping[str, str]) -> str:
    if path in types:
        return types[path]
    parent, _, leaf = path.rpartition(".")
    # Attention reads its output projection's weight and never calls it
    return "torch.nn.modules.linear.Linear" if leaf == "out_proj" and "Attention" in types.get(parent, "") else ""
