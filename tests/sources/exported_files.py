"""A small exported program, and files that look like it and are not."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import Dim

ROOT = "tiny"
MODEL = "models/model.json"
WEIGHTS = "data/weights/model_weights_config.json"
CONSTANTS = "data/constants/model_constants_config.json"
SAMPLES = "data/sample_inputs/model.pt"

Records = dict[str, bytes]


def tiny_program(path: Path) -> Records:
    """Save a program of one Linear and one ReLU; its records by name."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).eval()
    program = torch.export.export(network, (torch.randn(2, 3),), dynamic_shapes=({0: Dim("batch")},))
    torch.export.save(program, path)
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def write(path: Path, records: Records, root: str = ROOT, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in records.items():
            archive.writestr(f"{root}/{name}", content)
    return path


def with_json(records: Records, change: Callable[[Any], Any], name: str = MODEL) -> Records:
    """The records with one of them changed as JSON, in place or for what ``change`` returns."""
    content = json.loads(records[name])
    changed = change(content)
    return {**records, name: json.dumps(content if changed is None else changed).encode()}


def node(target: str, output: Any, *inputs: tuple[str, Any]) -> dict[str, Any]:
    """A step; inputs are names with arguments, ``("self", {"as_tensor": {"name": "input"}})``."""
    outputs = [{"as_tensor": {"name": output}}] if isinstance(output, str) else output
    return {
        "target": target,
        "inputs": [{"name": name, "arg": arg, "kind": 1} for name, arg in inputs],
        "outputs": outputs,
        "metadata": {},
    }


def tensor(name: str) -> dict[str, Any]:
    return {"as_tensor": {"name": name}}


def with_nodes(records: Records, *nodes: dict[str, Any], returns: str = "relu") -> Records:
    """The program with further steps behind its own (whose result is ``relu``), and what it then returns."""

    def change(content: Any) -> None:
        graph = content["graph_module"]["graph"]
        graph["nodes"].extend(nodes)
        graph["outputs"] = [tensor(returns)]
        content["graph_module"]["signature"]["output_specs"] = [{"user_output": {"arg": tensor(returns)}}]

    return with_json(records, change)


class Bait:
    """Leaves a file where it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.canary),)


def pickles(canary: Path) -> list[bytes]:
    """The bait as a plain pickle, and as what ``torch.save`` writes, new and old."""
    files = [io.BytesIO() for _ in range(2)]
    torch.save({"weight": Bait(canary)}, files[0])
    torch.save({"weight": Bait(canary)}, files[1], _use_new_zipfile_serialization=False)
    return [pickle.dumps(Bait(canary)), *(file.getvalue() for file in files)]
