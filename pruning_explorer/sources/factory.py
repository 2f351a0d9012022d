"""A network from a function in somebody's own code, by the words of whoever starts the program, never a visitor's."""

import contextlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from keyword import iskeyword
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from pruning_explorer.errors import PruningExplorerError, SubjectError, theirs
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.datasets import collect

KEYS = {
    "model": "model",
    "samples": "samples",
    "labels": "labels",
    "calibration": "calibration",
    "calibration_labels": "calibration_labels",
    "score": "metric",
    "output_names": "output_names",
    "groups": "groups",
    "group_names": "group_names",
    "quality_name": "quality_name",
    "view": "view",
    "name": "name",
    "about": "about",
}
"""Names under which a factory may return values, and the argument of :meth:`Subject.from_module` for each."""

INPUTS = ("samples", "calibration")
TENSORS = ("labels", "calibration_labels", "groups")
SHAPES = "a module, (module, samples), (module, samples, labels), a dict with 'model' among its keys, or a Subject"


def call_factory(words: str) -> Subject:
    """The subject that a function of somebody's own makes, called without arguments.

    Modules are looked for in the working directory too, as ``python -m`` does. The function returns a module, or
    ``(module, samples)``, or ``(module, samples, labels)``, or a :class:`Subject`, or a dict of these and more: the
    keys are ``model``, ``samples``, ``labels``, ``calibration``, ``calibration_labels``, ``score`` (logits and labels
    to one number per sample in [0, 1]; it is called as its function is), ``output_names``, ``groups``,
    ``group_names``, ``quality_name``, ``view``, ``name`` and ``about``. Inputs are a tensor or array, batch first, or
    a list of them, one for each positional input of ``forward``, or a ``Dataset`` or ``DataLoader`` of ``input`` or
    ``(input, label)``.

    Put this into ``mine.py`` and start with ``mine:digit_reader``::

        import torch
        from torch import nn

        def digit_reader():
            model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
            model.load_state_dict(torch.load("digit_reader.pt", weights_only=True))
            images, labels = torch.load("digits.pt", weights_only=True)
            return {"model": model, "samples": images, "labels": labels, "score": right}

        def right(logits, labels):
            return logits.argmax(dim=-1) == labels

    Args:
        words: ``"package.module:function"``.

    Raises:
        SubjectError: there is no such module or function, it fails, or returns something else.
    """
    module_name, _, function_name = words.strip().partition(":")
    if not module_name or not function_name:
        raise SubjectError(f"{words!r} names no function; write package.module:function, as in mine:digit_reader")
    # What it prints is no part of what a command prints, which may be JSON
    with contextlib.redirect_stdout(sys.stderr):
        function = _find(_import(module_name), function_name, words)
        return _as_subject(_call(function, words), module_name, function_name)


def _import(name: str) -> Any:
    here = os.getcwd()
    if not {"", here} & set(sys.path):
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise SubjectError(
                f"{name} cannot be imported: it needs {error.name or 'a module'}, which is not installed here; "
                "install it, or start where it is"
            ) from None
        beside = get_close_matches(name, [path.stem for path in Path(here).glob("*.py")], n=1, cutoff=0.5)
        hint = f"did you mean {beside[0]}? " if beside else ""
        raise SubjectError(
            f"there is no module {error.name}, neither installed nor in {here}; {hint}start the program in the folder "
            "that holds it"
        ) from None
    except BaseException as error:
        if not theirs(error):
            raise
        raise SubjectError(f"{name} cannot be imported: it raised {_last_line(error)}; mend that first") from error
    meant, found = Path(here, *name.split(".")).with_suffix(".py"), getattr(module, "__file__", None)
    if meant.is_file() and (found is None or not meant.samefile(found)):
        raise SubjectError(
            f"{name} is another module already ({found or 'a part of Python'}), and not {meant}; give that file a name "
            "of its own"
        )
    return module


def _find(module: Any, name: str, words: str) -> Callable[[], Any]:
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            callables = [key for key, value in vars(found).items() if callable(value) and not key.startswith("_")]
            close = get_close_matches(part, callables, n=3, cutoff=0.4) or callables[:3]
            hint = f"did you mean {' or '.join(close)}?" if close else "it has no function at all"
            raise SubjectError(f"{words.partition(':')[0]} has no {name}; {hint}")
        found = getattr(found, part)
    if not callable(found):
        raise SubjectError(f"{words} is {_what(found)} and no function; write one that returns {SHAPES}")
    needed = _needed_arguments(found)
    if needed:
        raise SubjectError(
            f"{words} needs the arguments {', '.join(needed)}, and is called without any; give them defaults, or write "
            "a function that calls it"
        )
    return found  # type: ignore[no-any-return]


def _needed_arguments(function: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some that are written in C have none
        return []
    return [
        each.name
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]


def _call(function: Callable[[], Any], words: str) -> Any:
    try:
        return function()
    except PruningExplorerError:
        raise
    except BaseException as error:
        if not theirs(error):
            raise
        raise SubjectError(f"{words} raised {_last_line(error)}; mend that first") from error


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {lines[-1].strip()}" if lines else type(error).__name__
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return said if trace is None else f"{said} ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})"


def _as_subject(returned: Any, module_name: str, function_name: str) -> Subject:
    words = f"{module_name}:{function_name}"
    origin = f"{words}, called when the program started"

    def loading(taken: str) -> str:
        return _loading(module_name, function_name, taken)

    if isinstance(returned, Subject):
        plain = returned.loading == Subject.loading
        return replace(
            returned,
            loading=loading(".copy_model()") if plain else returned.loading,
            origin=returned.origin or origin,
        )
    if isinstance(returned, Mapping):
        parts, taken = dict(returned), "['model']"
    elif isinstance(returned, tuple) and 1 <= len(returned) <= 3:
        parts, taken = dict(zip(("model", "samples", "labels"), returned, strict=False)), "[0]"
    else:
        parts, taken = {"model": returned}, ""
    arguments = _arguments(parts, words)
    arguments.setdefault("name", function_name)
    arguments.setdefault("about", f"{type(arguments['model']).__name__} that {words} makes.")
    return Subject.from_module(arguments.pop("model"), **arguments, loading=loading(taken), origin=origin)


def _loading(module_name: str, function_name: str, taken: str) -> str:
    parts = (*module_name.split("."), *function_name.split("."))
    if all(part.isascii() and part.isidentifier() and not iskeyword(part) for part in parts):
        first = function_name.partition(".")[0]
        return f"from {module_name} import {first}\n\nmodel = {function_name}(){taken}"
    # A module such as my-models.py has no name that a statement could say
    return (
        "from importlib import import_module\nfrom operator import attrgetter\n\n"
        f"model = attrgetter({function_name!r})(import_module({module_name!r}))(){taken}"
    )


def _arguments(parts: Mapping[Any, Any], words: str) -> dict[str, Any]:
    for key in parts:
        if key not in KEYS:
            close = get_close_matches(str(key), KEYS, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise SubjectError(f"{words} returned a dict with {key!r}; {hint}the keys are {', '.join(KEYS)}")
    model = parts.get("model")
    if not isinstance(model, nn.Module):
        where = " as its model" if parts.keys() != {"model"} else ""
        raise SubjectError(f"{words} returned {_what(model)}{where}; return {SHAPES}")
    score = parts.get("score")
    if score is not None and not callable(score):
        raise SubjectError(f"{words} returned {_what(score)} as score; return a function of logits and labels")
    arguments = {KEYS[key]: value for key, value in parts.items() if value is not None}
    for key, its_labels in zip(INPUTS, TENSORS, strict=False):
        if isinstance(arguments.get(key), Dataset | DataLoader):
            inputs, labels = _collect(arguments[key], f"the {key} of {words}")
            arguments[key] = inputs
            if labels is not None:
                arguments.setdefault(its_labels, labels)
        elif key in arguments:
            arguments[key] = _tensors(arguments[key], f"{key} of {words}")
    for key in TENSORS:
        if key in arguments:
            arguments[key] = _whole(_tensor(arguments[key], f"{key} of {words}"))
    return arguments


def _collect(data: "Dataset[Any] | DataLoader[Any]", what: str) -> tuple[tuple[Tensor, ...], Tensor | None]:
    try:
        return collect(data)
    except PruningExplorerError:
        raise
    except BaseException as error:
        if not theirs(error):
            raise
        raise SubjectError(
            f"{what} cannot be read: {_last_line(error)}; let each item be an input, or with a label"
        ) from error


def _tensors(value: Any, what: str) -> tuple[Tensor, ...]:
    if isinstance(value, Sequence) and value and all(isinstance(each, Tensor | np.ndarray) for each in value):
        return tuple(_tensor(each, what) for each in value)
    return (_tensor(value, what),)


def _tensor(value: Any, what: str) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach()
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise SubjectError(f"the {what} are {_what(value)}, which is no tensor ({error}); give a tensor") from None


def _whole(labels: Tensor) -> Tensor:
    """Whole numbers as int64, which losses take; a metric of one's own may want others as they are."""
    return labels if labels.is_floating_point() or labels.dtype == torch.bool else labels.long()


def _what(value: Any) -> str:
    if value is None:
        return "nothing (None)"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)} ({', '.join(type(each).__name__ for each in value[:4])})"
    return f"a value of type {type(value).__name__}"
