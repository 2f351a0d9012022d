"""Arguments of the operators of an exported program, bound to what the operators declare."""

from collections.abc import Mapping
from typing import Any

import torch

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.exported.pieces import (
    DTYPES,
    MEMORY_FORMATS,
    STRIDED,
    constant,
    one,
    real,
    text,
    whole,
)
from pruning_explorer.sources.exported.program import Float, RunDevice

LONGEST = 4096
"""Most numbers or tensors in one argument."""


def bind(
    function: Any, inputs: list[Mapping[str, Any]], known: Mapping[str, Any], packet: str
) -> tuple[tuple[Any, ...], dict[str, Any], tuple[int, ...]]:
    """Arguments by position and by name, and the positions of those that are written to.

    Args:
        function: an operator of torch, or arithmetic on sizes, which takes its arguments as they come.
        inputs: as the file names them.
        known: values by the names that the file gives them.
        packet: short name of the operator; ``""`` for arithmetic.

    Raises:
        SubjectError: the network was exported in training mode, or an argument is of a kind that is not read.
        KeyError, TypeError, ValueError: they are not the operator's.
    """
    given = {text(each["name"]): read_argument(each["arg"], known) for each in inputs}
    if len(given) != len(inputs) and packet:
        raise ValueError(f"{packet} is given an argument twice")
    if not packet:
        return tuple(read_argument(each["arg"], known) for each in inputs), {}, ()
    schema = function._schema.arguments
    if unknown := set(given) - {each.name for each in schema}:
        raise ValueError(f"{packet} has no argument {min(unknown)}")
    _refuse_training(packet, given)
    names = [each.name for each in schema]
    if "device" in names and not any("Tensor" in str(each.type) for each in schema):
        given["device"] = RunDevice()
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    writes = []
    for each in schema:
        if each.name not in given:
            if not each.has_default_value():
                raise ValueError(f"{packet} lacks {each.name}")
            continue
        writing = each.alias_info is not None and each.alias_info.is_write
        if writing:
            writes.append(len(args))
        if each.kwarg_only or kwargs or len(args) != names.index(each.name):
            if writing:
                raise ValueError(f"{packet} writes to {each.name}")
            kwargs[each.name] = given[each.name]
        else:
            args.append(given[each.name])
    return tuple(args), kwargs, tuple(writes)


def _refuse_training(packet: str, given: Mapping[str, Any]) -> None:
    training = given.get("train") is True or given.get("training") is True or bool(given.get("dropout_p"))
    if packet == "instance_norm":
        training = given.get("use_input_stats") is True and given.get("running_mean") is not None
    if packet == "batch_norm":
        training = training and given.get("running_mean") is not None
    if training:
        raise SubjectError(f"it was exported in training mode ({packet}); call model.eval() before torch.export.export")


def read_argument(argument: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    """A constant, or what ``known`` has for its name.

    Raises:
        SubjectError: it is of a kind that is not read here.
        KeyError, TypeError, ValueError: it is broken.
    """
    kind, value = one(argument)
    if isinstance(value, list) and len(value) > LONGEST:
        raise ValueError(f"a list of {len(value)}")
    if kind == "as_none":
        return None
    if kind in ("as_tensor", "as_sym_int", "as_sym_bool", "as_sym_float"):
        return _referred(value, known)
    if kind in ("as_tensors", "as_sym_ints", "as_sym_bools", "as_sym_floats"):
        return [_referred(each, known) for each in value]
    if kind == "as_optional_tensor":
        return None if "as_none" in value else _referred(one(value)[1], known)
    if kind == "as_optional_tensors":
        return [None if "as_none" in each else _referred(one(each)[1], known) for each in value]
    if kind in ("as_int", "as_bool", "as_string"):
        return constant(value)
    if kind in ("as_ints", "as_bools"):
        return [constant(each) for each in value]
    if kind == "as_float":
        return real(value)
    if kind == "as_floats":
        return [real(each) for each in value]
    if kind == "as_scalar_type":
        dtype = DTYPES[whole(value)]
        return Float(dtype) if dtype.is_floating_point else dtype
    if kind == "as_memory_format":
        return MEMORY_FORMATS[whole(value)]
    if kind == "as_device":
        return RunDevice()
    if kind == "as_layout" and value == STRIDED:
        return torch.strided
    raise SubjectError(f"it gives an operator {kind[:40]!a}, which is not read here; export a simpler network")


def _referred(value: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    if "name" in value:
        return known[text(value["name"])]
    kind, name = one(value)
    return known[text(name)] if kind == "as_name" else constant(name)
