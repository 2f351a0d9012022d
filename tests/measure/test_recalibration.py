from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import build_report, load_subject
from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs, layer_outputs, masked_outputs
from pruning_explorer.measure.quality import quality_of
from pruning_explorer.measure.recalibration import has_batchnorm, recalibrated_statistics, why_no_recalibration
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject

Make = Callable[..., Subject]


class Normed(nn.Module):
    """One weight matrix, one BatchNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2, bias=False)
        self.bn = nn.BatchNorm1d(2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.bn(self.fc(x))
        return logits


class Twice(Normed):
    """The same BatchNorm after each of two passes through the matrix, and one that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.tied = self.bn
        self.unused = nn.BatchNorm1d(2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.tied(self.fc(self.bn(self.fc(x))))
        return logits


@pytest.fixture
def normed() -> Subject:
    """W = [[1, 1], [0, 2]] on (1, 0), (2, 1), (3, 5) for calibration, and (1, 1) to judge."""
    model = Normed().eval()
    model.fc.weight = nn.Parameter(torch.tensor([[1.0, 1.0], [0.0, 2.0]]))
    calibration = torch.tensor([[1.0, 0.0], [2.0, 1.0], [3.0, 5.0]])
    return Subject.from_module(model, torch.ones(1, 2), calibration=calibration, name="normed")


def recalibrating(subject: Subject, **masks: list[list[int]]) -> Masks:
    named = {f"{name}.weight": torch.tensor(mask) for name, mask in masks.items()}
    return replace(Masks.from_dict(subject, named), recalibrate=True)


def test_by_hand(normed: Subject) -> None:
    masks = recalibrating(normed, fc=[[1, 0], [0, 1]])
    statistics = recalibrated_statistics(normed, masks)
    # With the upper right weight gone: 1, 2, 3 and 0, 2, 10. Squares about the mean over n - 1: 2 / 2 and 56 / 2
    assert statistics.keys() == {"bn.running_mean", "bn.running_var"}
    assert statistics["bn.running_mean"].tolist() == [2, 4]
    assert statistics["bn.running_var"].tolist() == [1, 28]
    # The sample (1, 1) gives 1 and 2: (1 - 2) / sqrt(1) and (2 - 4) / sqrt(28)
    assert masked_outputs(normed, masks).tolist()[0] == pytest.approx([-1, -2 / 28**0.5], rel=1e-4)
    assert masked_outputs(normed, replace(masks, recalibrate=False)).tolist()[0] == pytest.approx([1, 2], rel=1e-4)


def by_torch(subject: Subject, masks: Masks) -> dict[str, Tensor]:
    """Torch's own train-mode pass of the BatchNorms of a copy, with cumulative averages."""
    model = subject.copy_model().eval()
    masks.apply(model)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            module.momentum = None
            module.train()
    with torch.no_grad():
        model(*(subject.calibration or ()))
    return {name: buffer for name, buffer in model.named_buffers() if "running" in name}


def test_a_batchnorm_that_is_called_twice_averages_its_calls(make: Make) -> None:
    calibration = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    subject = make(Twice, torch.ones(1, 2), calibration=calibration)
    masks = recalibrating(subject, fc=[[1, 0], [1, 1]])
    statistics, expected = recalibrated_statistics(subject, masks), by_torch(subject, masks)
    # The one that is not called keeps what it had
    assert statistics.keys() == {"bn.running_mean", "bn.running_var"}
    for name, value in statistics.items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0)


@pytest.mark.parametrize("amount", [0.0, 0.5, 0.9])
def test_statistics_and_outputs_are_torchs_own(amount: float) -> None:
    subject = load_subject("digits-cnn")
    masks = compute_masks(subject, Recipe(amount=amount, scope="global", recalibrate=True))
    assert masks.recalibrate
    expected = by_torch(subject, masks)
    statistics = recalibrated_statistics(subject, masks)
    assert statistics.keys() == expected.keys()
    for name, value in statistics.items():
        torch.testing.assert_close(value, expected[name])
    model = subject.copy_model().eval()
    masks.apply(model)
    model.load_state_dict(expected, strict=False)
    with torch.no_grad():
        outputs = model(*(subject.samples or ()))
    torch.testing.assert_close(masked_outputs(subject, masks), outputs)


def test_nothing_of_the_subject_is_written() -> None:
    subject = load_subject("digits-cnn")
    before = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    calibration = [tensor.clone() for tensor in subject.calibration or ()]
    masks = compute_masks(subject, Recipe(amount=0.9, recalibrate=True))
    build_report(subject, masks)
    assert not subject.model.training
    assert not any(module.training for module in subject.model.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in subject.model.state_dict().items())
    assert all(map(torch.equal, calibration, subject.calibration or ()))
    plain = replace(masks, recalibrate=False)
    assert not torch.equal(masked_outputs(subject, masks), masked_outputs(subject, plain))
    assert torch.equal(masked_outputs(subject, plain), masked_outputs(subject, replace(plain)))


def test_it_brings_a_network_back() -> None:
    subject = load_subject("digits-cnn")

    def quality(recipe: Recipe) -> float:
        found = quality_of(subject, masked_outputs(subject, compute_masks(subject, recipe)))
        assert found is not None
        return found

    # Measured: 14 and 97.5 %, 20 and 82 %
    for amount, least in ((0.8, 0.95), (0.9, 0.75)):
        broken = Recipe(amount=amount, scope="global")
        assert quality(broken) < 0.3
        assert quality(replace(broken, recalibrate=True)) > least


def test_every_run_under_masks_takes_part(normed: Subject) -> None:
    masks = recalibrating(normed, fc=[[1, 0], [0, 1]])
    outputs = masked_outputs(normed, masks)
    assert torch.equal(layer_outputs(normed, masks)["bn"], outputs)
    drift = build_report(normed, masks).layer_drift
    assert drift is not None
    assert drift["module"].tolist() == ["fc", "bn"]
    noise = float((outputs - dense_outputs(normed)).norm() / dense_outputs(normed).norm())
    assert drift["l2_normalised"].iloc[1] == pytest.approx(noise)


def test_other_samples_do_not_change_what_it_is_measured_on(normed: Subject) -> None:
    masks = recalibrating(normed, fc=[[1, 0], [0, 1]])
    elsewhere = replace(normed, samples=(torch.full((4, 2), 7.0),))
    assert recalibrated_statistics(elsewhere, masks)["bn.running_mean"].tolist() == [2, 4]
    assert masked_outputs(elsewhere, masks)[0].tolist() == pytest.approx([5, 10 / 28**0.5], rel=1e-4)
    moved = replace(normed, calibration=(torch.tensor([[1.0, 0.0], [1.0, 0.0]]),))
    assert recalibrated_statistics(moved, masks)["bn.running_mean"].tolist() == [1, 0]


def test_without_batchnorm_nothing_happens(make: Make) -> None:
    # A BatchNorm without running statistics normalises by each batch already
    for build in (
        lambda: nn.Linear(2, 2),
        lambda: nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)),
    ):
        subject = make(build, torch.eye(2))
        assert not has_batchnorm(subject)
        assert "no BatchNorm" in str(why_no_recalibration(subject))
        masks = compute_masks(subject, Recipe())
        assert recalibrated_statistics(subject, masks) == {}
        assert torch.equal(masked_outputs(subject, replace(masks, recalibrate=True)), masked_outputs(subject, masks))


def test_without_calibration_inputs_it_says_so(make: Make) -> None:
    subject = make(Normed, torch.eye(2))
    assert has_batchnorm(subject)
    assert "no calibration inputs" in str(why_no_recalibration(subject))
    with pytest.raises(SubjectError, match=r"cannot be recalibrated: it has no calibration inputs.*calibration="):
        masked_outputs(subject, recalibrating(subject, fc=[[1, 0], [0, 1]]))
    assert why_no_recalibration(load_subject("digits-cnn")) is None
