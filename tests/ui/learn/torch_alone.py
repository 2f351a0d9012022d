"""The sample networks and their data read by torch alone, and lines of Python that must give what they say."""

import ast
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from pruning_explorer.sources import networks

FILES = Path(__file__).resolve().parents[3] / "sample_models"
CLASSES = {
    "tutorial-mlp": networks.TutorialMLP,
    "spirals-mlp": networks.SpiralsMLP,
    "digits-mlp": networks.DigitsMLP,
    "digits-cnn": networks.DigitsCNN,
}


def trained(name: str) -> nn.Module:
    """A sample network with its trained weights, in eval mode."""
    network: nn.Module = CLASSES[name]()
    network.load_state_dict(load_file(FILES / "weights" / f"{name}.safetensors"))
    return network.eval()


def digits(*, held_out: bool = True) -> tuple[Tensor, Tensor]:
    """Images ``[N, 8, 8]`` in [0, 1], and the digit that each is."""
    data = load_file(FILES / "data" / "digits.safetensors")
    chosen = data["held_out"] if held_out else ~data["held_out"]
    return data["images"][chosen].float() / 16, data["labels"][chosen]


def spirals(*, held_out: bool = True) -> tuple[Tensor, Tensor]:
    """Points ``[N, 2]``, and the arm of each."""
    data = load_file(FILES / "data" / "spirals.safetensors")
    chosen = data["held_out"] if held_out else ~data["held_out"]
    return data["points"][chosen], data["labels"][chosen]


def logits_of(network: nn.Module, inputs: Tensor) -> Tensor:
    with torch.no_grad():
        logits: Tensor = network(inputs)
    return logits


def run_lines(text: str, **names: Any) -> int:
    """Run lines of Python; each that ends in a comment must give what the comment says.

    Returns:
        How many did.
    """
    lines, held = text.splitlines(), 0
    for statement in ast.parse(text).body:
        assert statement.end_lineno is not None
        said = lines[statement.end_lineno - 1][statement.end_col_offset :].partition("# ")[2]
        if said:
            assert repr(eval(ast.unparse(statement), names)) == said, ast.unparse(statement)
            held += 1
        else:
            exec(ast.unparse(statement), names)
    return held
