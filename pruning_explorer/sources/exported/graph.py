"""The graph of an exported program as a list of steps, read from its JSON.

What is not needed to run it is not read: stack traces, shapes of what lies between, guards and other code. Names are
keys of dictionaries and nothing else; no expression is evaluated and no text is compiled.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.exported.arguments import bind, read_argument
from pruning_explorer.sources.exported.operators import CHECKS, operator_named
from pruning_explorer.sources.exported.pieces import DTYPES, length, one, path_of, text, whole
from pruning_explorer.sources.exported.program import Dim, Input, Program, Ref, Step

MOST_STEPS = 50_000
DEEPEST = 24

NO_GRADIENT = "torch.ops.higher_order.wrap_with_set_grad_enabled"
AUTOCAST = "torch.ops.higher_order.wrap_with_autocast"

AGAIN = "export the network again with torch.export.save"


def read_program(content: Mapping[str, Any]) -> Program:
    """Read ``models/NAME.json``.

    Raises:
        SubjectError: it is of another version of the format, broken, or uses what is not run here.
    """
    try:
        return _Reader(content).program()
    except (
        *(KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError),
        StopIteration,
    ) as error:
        what = ascii(str(error)[:100])
        raise SubjectError(f"its graph cannot be read ({type(error).__name__}: {what}); {AGAIN}") from None


@dataclass
class _Reader:
    content: Mapping[str, Any]
    steps: list[Step] = field(default_factory=list)
    module_types: dict[str, str] = field(default_factory=dict)
    scopes: int = 0

    def program(self) -> Program:
        version = self.content["schema_version"]
        if version["major"] != 8:
            raise SubjectError(
                f"its format is version {str(version['major'])[:20]!a}, and 8 is what is read here; export it "
                f"again with torch {torch.__version__.partition('+')[0]}"
            )
        module = self.content["graph_module"]
        graph, signature = module["graph"], module["signature"]
        inputs: list[Input] = []
        state: dict[str, str] = {}
        constants: set[str] = set()
        known: dict[str, Any] = {}
        for spec in signature["input_specs"]:
            kind, value = one(spec)
            if kind == "user_input":
                if (given := self._user_input(value["arg"], graph["tensor_values"])) is not None:
                    inputs.append(given)
                    known[given.name] = Ref(given.name)
            elif kind in ("parameter", "buffer", "tensor_constant"):
                name = text(value["arg"]["name"])
                state[name] = path_of(value[f"{kind}_name"])
                known[name] = Ref(name)
                if kind == "tensor_constant" or (kind == "buffer" and not value["persistent"]):
                    constants.add(state[name])
            elif kind != "constant_input":
                raise SubjectError(f"it takes a {kind[:40]!a}, which is no tensor; export a network of tensors")
        results = self._graph(graph, known, "", 0)
        specs = signature["output_specs"]
        if len(specs) != len(results):
            raise ValueError("outputs and their specs differ in number")
        leaves = [value for spec, value in zip(specs, results, strict=True) if one(spec)[0] == "user_output"]
        entries = module["module_call_graph"]
        return Program(
            inputs=tuple(inputs),
            state=state,
            constants=frozenset(constants),
            steps=tuple(self.steps),
            outputs=_arrange(entries[0]["signature"]["out_spec"], leaves) if entries else tuple(leaves),
            ranges={text(name): _range(each) for name, each in self.content["range_constraints"].items()},
            module_types=self.module_types,
            module_order=tuple(path_of(entry["fqn"]) for entry in entries),
            torch_version=text(self.content.get("torch_version", "")),
        )

    def _user_input(self, argument: Mapping[str, Any], metas: Mapping[str, Any]) -> Input | None:
        kind, value = one(argument)
        if kind != "as_tensor":
            if kind in ("as_none", "as_int", "as_float", "as_bool", "as_string"):
                return None
            raise SubjectError(f"it takes a number that may change ({kind[:40]!a}); export it with a fixed one")
        name = text(value["name"])
        if not re.fullmatch(r"\w{1,200}", name):
            raise ValueError("a name of an input that is none")
        meta = metas[name]
        return Input(name, tuple(_dim(size) for size in meta["sizes"]), DTYPES[whole(meta["dtype"])])

    def _graph(self, graph: Mapping[str, Any], known: dict[str, Any], scope: str, depth: int) -> list[Any]:
        """Append a graph's steps; ``known`` maps the names within it to what they are outside."""
        if depth > DEEPEST:
            raise ValueError("graphs within graphs")
        for node in graph["nodes"]:
            self._node(node, known, scope, depth)
        return [read_argument(each, known) for each in graph["outputs"]]

    def _node(self, node: Mapping[str, Any], known: dict[str, Any], scope: str, depth: int) -> None:
        target = text(node["target"])
        if target in CHECKS:
            return
        if target in (NO_GRADIENT, AUTOCAST):
            self._within(node, known, depth)
            return
        function = operator_named(target)
        packet = target.split(".")[3] if target.startswith("torch.ops.") else ""
        args, kwargs, writes = bind(function, node["inputs"], known, packet)
        call, path = self._module_of(node.get("metadata") or {})
        outputs = _results([_named(each, scope, known) for each in node["outputs"]])
        if len(self.steps) >= MOST_STEPS:
            raise SubjectError(f"it has more than {MOST_STEPS} steps, which is more than is run here")
        self.steps.append(Step(function, target, packet, args, kwargs, outputs, writes, call, path))

    def _within(self, node: Mapping[str, Any], known: dict[str, Any], depth: int) -> None:
        """Put a graph that stands in another, for gradients or autocasting off, in its place."""
        values = [each["arg"] for each in node["inputs"]]
        at = next(i for i, each in enumerate(values) if "as_graph" in each)
        graph = values[at]["as_graph"]["graph"]
        self.scopes += 1
        inner = {
            text(one(name)[1]["name"] if "as_tensor" in name else one(one(name)[1])[1]): read_argument(value, known)
            for name, value in zip(graph["inputs"], values[at + 1 :], strict=True)
        }
        results = self._graph(graph, inner, f"{self.scopes}/", depth + 1)
        names = list(_names(node["outputs"]))
        known.update(zip(names, results, strict=True))

    def _module_of(self, metadata: Mapping[str, Any]) -> tuple[str, str]:
        call = ""
        for entry in text(metadata.get("nn_module_stack") or "", 20_000).split(";"):
            parts = entry.rsplit(",", 2)
            if len(parts) == 3 and not parts[0].startswith("_empty_nn_module_stack"):
                call = parts[1]
                known = parts[2] if re.fullmatch(r"[\w.<>]{1,200}", parts[2]) else ""
                self.module_types.setdefault(path_of(re.sub(r"@\d+", "", call)), known)
        return call, re.sub(r"@\d+", "", call)


def _named(output: Mapping[str, Any], scope: str, known: dict[str, Any]) -> Any:
    """Names for what a step gives, made known under those that the file uses."""
    kind, value = one(output)
    if kind == "as_none":
        return None
    if isinstance(value, list):
        return tuple(_named({"as_tensor": each}, scope, known) for each in value)
    inside = text(value["name"] if "name" in value else value["as_name"])
    if inside in known:
        raise ValueError(f"the name {inside} is given twice")
    known[inside] = Ref(scope + inside)
    return scope + inside


def _results(outputs: list[Any]) -> Any:
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _names(outputs: list[Mapping[str, Any]]) -> Iterator[str]:
    for output in outputs:
        kind, value = one(output)
        if kind == "as_tensors":
            yield from (text(each["name"]) for each in value)
        elif kind != "as_none":
            yield text(value["name"] if "name" in value else value["as_name"])


def _arrange(spec: Any, leaves: list[Any]) -> Any:
    """Leaves in the tuples, lists and dicts in which the network returned them."""
    protocol, tree = json.loads(text(spec, 1 << 20))
    if protocol != 1:
        raise ValueError("outputs of another protocol")
    rest = iter(leaves)
    arranged = _branch(tree, rest, 0)
    if next(rest, None) is not None:
        raise ValueError("more outputs than places for them")
    return arranged


def _branch(tree: Mapping[str, Any], leaves: Iterator[Any], depth: int) -> Any:
    if depth > DEEPEST:
        raise ValueError("outputs in outputs")
    if tree["type"] is None:
        return None if tree["context"] == "none" else next(leaves)
    children = [_branch(child, leaves, depth + 1) for child in tree["children_spec"]]
    context = json.loads(tree["context"]) if isinstance(tree["context"], str) else None
    # What a class of the author's was is not known here; one with names of its parts is as good as a dict
    if isinstance(context, list) and len(context) == len(children) and all(isinstance(key, str) for key in context):
        return dict(zip(context, children, strict=True))
    return children if tree["type"] == "builtins.list" else tuple(children)


_SYMBOL = r"Symbol\('(\w{1,40})'(?:, \w{1,20}=True){0,4}\)"


def _dim(size: Mapping[str, Any]) -> Dim:
    kind, value = one(size)
    if kind == "as_int":
        return Dim(length(value))
    hint = value.get("hint")
    at_export = length(one(hint)[1]) if hint else 8
    written = text(value["expr_str"], 10_000)
    if found := re.fullmatch(_SYMBOL, written):
        return Dim(at_export, found[1])
    if found := re.fullmatch(rf"Mul\(Integer\((\d{{1,9}})\), {_SYMBOL}\)", written):
        return Dim(at_export, found[2], length(int(found[1])))
    # Any other expression: taken as it was at the export
    return Dim(at_export)


def _range(limits: Mapping[str, Any]) -> tuple[int, int | None]:
    least, most = limits["min_val"], limits["max_val"]
    low = 0 if least is None else whole(least)
    # That 0 and 1 are special to torch's own tracing does not make a batch of one wrong
    return (1 if low <= 2 else low), (None if most is None else whole(most))
