"""What is in a network, parameter by parameter, by the names that people know."""

import warnings

import torch
from torch import nn
from torch.nn.utils import prune

from pruning_explorer import Subject
from pruning_explorer.measure.inventory import layer_table


def test_what_is_pruned_already_has_its_own_name_and_size() -> None:
    network = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Linear(3, 2, bias=False))
    prune.l1_unstructured(network[0], "weight", 0.5)
    table = layer_table(Subject.from_module(network)).set_index("parameter")
    assert table.loc["0.weight", ["shape", "weights", "dtype", "offered"]].tolist() == ["3x4", 12, "float32", False]
    assert "call prune.remove first" in table.loc["0.weight", "why_not"]
    assert "0.weight_orig" not in table.index


def test_what_torch_packed_is_no_parameter_and_has_no_size() -> None:
    network = nn.ModuleDict({"packed": nn.Linear(4, 3), "conv": nn.Conv1d(4, 3, 1)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = torch.ao.quantization.quantize_dynamic(network, {nn.Linear})
    table = layer_table(Subject.from_module(network)).set_index("parameter")
    assert table.loc["packed.weight", ["shape", "weights", "dtype", "offered"]].tolist() == ["", 0, "", False]
    assert "packed as whole numbers" in table.loc["packed.weight", "why_not"]
