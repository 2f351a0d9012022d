"""Masks as other tools save them are folded into their weights, by the page and by its lines of Python."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint

torch.manual_seed(0)
WEIGHT, MASK = torch.randn(8, 12), torch.rand(8, 12) > 0.5
BIAS = torch.randn(8)

TOOLS: dict[str, dict[str, Tensor]] = {
    "torch.nn.utils.prune": {"fc.weight_orig": WEIGHT, "fc.weight_mask": MASK.float(), "fc.bias": BIAS},
    "NVIDIA ModelOpt": {"fc.weight": WEIGHT, "fc.bias": BIAS, "fc._weight_mask": MASK},
    "NNCF": {"fc.weight": WEIGHT, "fc.bias": BIAS, "__nncf_hooks.post_hooks.fc:weight__0.0.binary_mask": MASK},
    "NNI": {
        "fc.weight": WEIGHT.clone(),
        "fc.bias": BIAS.clone(),
        "fc._nni_wrapper.weight": WEIGHT,
        "fc._nni_wrapper.bias": BIAS,
        "fc._nni_wrapper.weight_mask": MASK.float(),
        "fc._nni_wrapper.bias_mask": torch.ones(8),
    },
    "NNI 2": {
        "fc.module.weight": WEIGHT,
        "fc.module.bias": BIAS,
        "fc.weight_mask": MASK.float(),
        "fc.bias_mask": torch.ones(8),
    },
    "masks beside the weights": {"fc.weight": WEIGHT, "fc.bias": BIAS, "fc.mask": MASK.float()},
}


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(12, 8)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_weight_is_shown_under_its_mask(tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(TOOLS[tool], tmp_path / "m.pt")
    subject = open_checkpoint(tmp_path / "m.pt")
    assert {target.name for target in subject.targets} == {"fc.weight", "fc.bias"}
    assert not subject.refused
    assert torch.equal(subject.weight("fc.weight"), WEIGHT * MASK)
    assert torch.equal(subject.weight("fc.bias"), BIAS)
    assert f"It came pruned ({tool}): masks of" in subject.about
    model = Network()
    monkeypatch.chdir(tmp_path)
    exec(subject.loading, {"model": model})
    assert torch.equal(model.fc.weight, WEIGHT * MASK)
    assert torch.equal(model.fc.bias, BIAS)


def test_a_layer_within_another_has_its_own_mask(tmp_path: Path) -> None:
    torch.save(
        {"body.a.weight": WEIGHT, "__nncf_hooks.post_hooks.body:a:weight__0.0.binary_mask": MASK}, tmp_path / "m.pt"
    )
    assert torch.equal(open_checkpoint(tmp_path / "m.pt").weight("body.a.weight"), WEIGHT * MASK)


@pytest.mark.parametrize("other", [torch.rand(8, 12), torch.ones(12)], ids=["other numbers", "another shape"])
def test_what_is_called_a_mask_and_is_none_stays(other: Tensor, tmp_path: Path) -> None:
    torch.save({"fc.weight": WEIGHT, "fc.mask": other}, tmp_path / "m.pt")
    subject = open_checkpoint(tmp_path / "m.pt")
    assert torch.equal(subject.weight("fc.weight"), WEIGHT)
    assert "It came pruned" not in subject.about


def test_plain_zeros_are_said(tmp_path: Path) -> None:
    torch.save({"fc.weight": WEIGHT * MASK, "head.weight": WEIGHT}, tmp_path / "m.pt")
    share = 1 - (MASK.sum().item() + 96) / 192
    assert f"{share:.1%} of its weights are zero." in open_checkpoint(tmp_path / "m.pt").about
    torch.save({"fc.weight": WEIGHT}, tmp_path / "m.pt")
    assert "are zero" not in open_checkpoint(tmp_path / "m.pt").about
