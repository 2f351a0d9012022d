"""Networks that do more than answer: what they write to is a copy, and chance in their answers is said."""

import sys
import threading
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pruning_explorer import Recipe, Subject, build_report, compute_masks, load_subject
from pruning_explorer.errors import SubjectError, theirs
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.prune import behaviour
from pruning_explorer.prune.behaviour import behaviour_of

INPUTS = torch.randn(8, 12, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(8) % 4


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(12, 8), nn.Linear(8, 4)
        self.scale = torch.ones(8)  # neither parameter nor buffer

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).relu() * self.scale)


class Decaying(Plain):
    def forward(self, x: Tensor) -> Tensor:
        self.first.weight.data.mul_(0.5)
        return super().forward(x)


class Counting(Plain):
    def forward(self, x: Tensor) -> Tensor:
        self.scale.add_(1)
        return super().forward(x)


class Dropping(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(super().forward(x), 0.5, training=True)


class Aborted(BaseException):
    pass


class Exiting(Plain):
    def forward(self, x: Tensor) -> Tensor:
        sys.exit(3)


class Aborting(Plain):
    def forward(self, x: Tensor) -> Tensor:
        raise Aborted("enough")


def subject(make: Callable[[], nn.Module], labels: Tensor = LABELS) -> Subject:
    return Subject.from_module(make(), INPUTS, labels, calibration=INPUTS, calibration_labels=LABELS, name="theirs")


@pytest.mark.parametrize("make", [Decaying, Counting])
@pytest.mark.parametrize("criterion", ["magnitude", "gradient", "fisher", "synflow"])
def test_what_a_forward_writes_to_is_a_copy(make: type[Plain], criterion: str) -> None:
    model = make()
    before = {**{name: each.clone() for name, each in model.state_dict().items()}, "scale": model.scale.clone()}
    studied = Subject.from_module(model, INPUTS, LABELS, calibration=INPUTS, calibration_labels=LABELS, name="theirs")
    masks = compute_masks(studied, Recipe(criterion=criterion, amount=0.5))
    report = build_report(studied, masks)
    again = build_report(studied, masks)
    assert report.totals["drift"] == again.totals["drift"]
    assert all(torch.equal(before[name], each) for name, each in {**model.state_dict(), "scale": model.scale}.items())
    written = "first.weight" if make is Decaying else "scale"
    assert behaviour_of(studied).writes == (written,)
    (note,) = report.notes
    assert f"writes to its own weights ({written})" in note
    assert report.dense_spread == 0
    # The first answer of all, with the weights as they were loaded
    fresh = make().eval()
    with torch.inference_mode():
        assert torch.equal(dense_outputs(studied), fresh(INPUTS))


def test_weights_too_large_for_a_copy_are_told_to_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviour, "MOST_BYTES_COPIED", 0)
    with pytest.raises(SubjectError, match=r"theirs writes to its own weights as it runs \(first\.weight\)"):
        dense_outputs(subject(Decaying))
    assert behaviour_of(subject(Plain)).writes == ()


def test_chance_in_the_answers_is_said_with_its_size() -> None:
    studied = subject(Dropping)
    report = build_report(studied, compute_masks(studied, Recipe(amount=0.0)))
    assert report.dense_spread is not None
    assert 0.1 < report.dense_spread < 10
    (note,) = report.notes
    assert note.startswith("This network answers differently each time: two dense runs on the same inputs differ by ")
    assert report.to_dict()["notes"] == [note]
    assert report.to_dict()["dense_spread"] == report.dense_spread


@pytest.mark.parametrize("name", ["digits-cnn", "digits-gru", "adder-transformer"])
def test_of_others_there_is_nothing_to_say(name: str) -> None:
    found = behaviour_of(load_subject(name))
    assert (found.writes, found.spread, found.notes) == ((), 0.0, ())


@pytest.mark.parametrize(("make", "said"), [(Exiting, "SystemExit: 3"), (Aborting, "Aborted: enough")])
def test_what_would_end_the_program_is_told(make: type[Plain], said: str) -> None:
    studied = subject(make)
    for criterion in ("magnitude", "wanda", "fisher"):
        with pytest.raises(SubjectError, match=f"theirs failed on its samples of .* with {said}"):
            build_report(studied, compute_masks(studied, Recipe(criterion=criterion, amount=0.5)))


def test_a_metric_that_would_end_the_program_is_told() -> None:
    def leave(_logits: Tensor, _labels: Tensor | None) -> Tensor:
        sys.exit(2)

    studied = Subject.from_module(Plain(), INPUTS, LABELS, metric=leave)
    with pytest.raises(SubjectError, match=r"the metric “leave” failed .* with SystemExit: 2"):
        build_report(studied, compute_masks(studied, Recipe(amount=0.5)))


def test_ctrl_c_and_what_we_stop_work_with_are_not_theirs() -> None:
    from streamlit.runtime.scriptrunner_utils.exceptions import StopException

    from pruning_explorer.lab.layer_drift_job import _Stopped

    assert not theirs(KeyboardInterrupt())
    assert not theirs(_Stopped())
    assert not theirs(StopException())
    assert theirs(Aborted())
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(theirs(KeyboardInterrupt())))
    thread.start()
    thread.join()
    assert found == [True]


@pytest.mark.parametrize(("label", "said"), [(7, "the label 7"), (4, "the label 4"), (-100, "the label -100")])
def test_a_label_outside_the_classes_is_named_with_them(label: int, said: str) -> None:
    labels = LABELS.clone()
    labels[2] = label
    studied = subject(Plain, labels)
    with pytest.raises(
        SubjectError, match=f"sample 2 of theirs has {said}, which is none of its 4 classes: these are 0"
    ):
        build_report(studied, compute_masks(studied, Recipe(amount=0.5)))
