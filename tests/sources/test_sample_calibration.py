"""Calibration inputs beside the samples: from a file, as a share kept apart, in an .npz; never any that is judged."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pruning_explorer import Recipe, build_report, compute_masks, load_subject, write_script
from pruning_explorer.cli import main
from pruning_explorer.errors import PruningExplorerError, RecipeError, SubjectError
from pruning_explorer.measure.recalibration import why_no_recalibration
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.network import require_calibration
from pruning_explorer.prune.subject import SampleView, Subject
from pruning_explorer.sources.own_samples.sample_files import read_samples
from pruning_explorer.sources.own_samples.sample_fit import fit_calibration, fit_samples
from pruning_explorer.sources.own_samples.sample_share import keep_apart

TEN = torch.arange(30.0).reshape(10, 3)


def plain(count: int = 10) -> Subject:
    """``[N, 3]`` to 3 logits, judged on samples that all differ."""
    torch.manual_seed(0)
    return Subject.from_module(
        nn.Linear(3, 3),
        TEN[:count],
        torch.arange(count) % 3,
        groups=torch.arange(count) % 2,
        group_names=("even", "odd"),
        view=SampleView("text", tuple(map(str, range(count)))),
    )


def rows(*tensors: torch.Tensor) -> set[tuple[float, ...]]:
    return {tuple(row) for each in tensors for row in each.tolist()}


def test_a_share_is_kept_apart_and_the_others_are_judged() -> None:
    subject = keep_apart(plain(), 0.3, seed=1)
    judged, seen = subject.samples[0], subject.calibration[0]
    assert len(judged) == 7
    assert len(seen) == 3
    assert rows(judged) | rows(seen) == rows(TEN)
    for inputs, labels in ((judged, subject.labels), (seen, subject.calibration_labels)):
        assert labels.tolist() == [int(row[0]) // 3 % 3 for row in inputs]
    places = [int(row[0]) // 3 for row in judged]
    assert subject.groups.tolist() == [place % 2 for place in places]
    assert subject.view.values == tuple(map(str, places))
    assert subject.about_calibration == (
        "For calibration 3 of the 10 samples (30 %, drawn with seed 1) are kept apart; the other 7 are judged."
    )
    assert subject.about_calibration in subject.description


def test_a_seed_gives_the_same_share_and_another_one_another() -> None:
    drawn = [rows(keep_apart(plain(), 0.3, seed=seed).calibration[0]) for seed in (0, 0, 1, 2)]
    assert drawn[0] == drawn[1]
    assert len(set(map(frozenset, drawn))) == 3
    ids = {keep_apart(plain(), share, seed).id for share, seed in ((0.3, 0), (0.3, 0), (0.3, 1), (0.4, 0))}
    assert len(ids) == 3


def test_another_share_is_of_all_samples_again() -> None:
    once = keep_apart(plain(), 0.3)
    again = keep_apart(keep_apart(plain(), 0.9, seed=4), 0.3)
    assert torch.equal(again.samples[0], once.samples[0])
    assert again.id == once.id
    assert torch.equal(again.whole.samples[0], TEN)


def test_what_is_judged_anew_is_not_calibrated_on(tmp_path: Path) -> None:
    """Other samples take the share of the earlier ones with them, else it would be judged now."""
    np.savez(tmp_path / "s.npz", x=TEN.numpy())
    subject = fit_samples(keep_apart(plain(), 0.3), read_samples(tmp_path / "s.npz"))
    assert subject.calibration is None
    assert subject.sample_count == 10
    assert "kept apart" not in subject.description


def test_of_equal_samples_none_is_on_both_sides() -> None:
    doubled = Subject.from_module(nn.Linear(3, 3), TEN.repeat(2, 1))
    subject = keep_apart(doubled, 0.5)
    assert not rows(subject.samples[0]) & rows(subject.calibration[0])
    lost = 10 - len(subject.calibration[0])
    assert lost > 0
    assert f"{lost} of those apart are equal to judged ones, and are left out." in subject.about_calibration
    with pytest.raises(SubjectError, match="every sample of that share is equal to one that is judged"):
        keep_apart(Subject.from_module(nn.Linear(3, 3), torch.ones(8, 3)), 0.5)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, r"a share of 0 is outside \(0, 1\); 0\.2 keeps 20 %"),
        (1.0, r"outside \(0, 1\)"),
        (20.0, r"a share of 20 is outside"),
        (float("nan"), r"outside \(0, 1\)"),
        (0.01, r"0\.01 of 10 samples is none of them"),
        (0.99, r"0\.99 of 10 samples is all of them"),
    ],
)
def test_a_share_that_leaves_nothing_is_refused(share: float, said: str) -> None:
    with pytest.raises(SubjectError, match=said):
        keep_apart(plain(), share)


def test_calibration_in_an_npz(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "s.npz",
        x=TEN[:6].numpy(),
        labels=np.arange(6) % 3,
        calibration=TEN[6:].double().numpy(),
        calibration_labels=np.arange(4) % 3,
    )
    subject = fit_samples(plain(), read_samples(tmp_path / "s.npz"))
    assert torch.equal(subject.samples[0], TEN[:6])
    assert torch.equal(subject.calibration[0], TEN[6:])
    assert subject.calibration_labels.tolist() == [0, 1, 2, 0]
    assert "Judged on the 6 samples of s.npz. Calibrated on the 4 samples of `calibration` in s.npz." in (
        subject.description
    )


def test_calibration_of_several_inputs_in_an_npz(tmp_path: Path) -> None:
    ids, mask = np.arange(8).reshape(4, 2), np.ones((4, 2), dtype=np.int64)
    np.savez(tmp_path / "s.npz", ids=ids, mask=mask, calibration_ids=ids + 9, calibration_mask=mask)
    samples = read_samples(tmp_path / "s.npz")
    assert [each.tolist() for each in samples.inputs] == [ids.tolist(), mask.tolist()]
    assert [each.tolist() for each in samples.calibration.inputs] == [(ids + 9).tolist(), mask.tolist()]
    np.savez(tmp_path / "s.npz", ids=ids, calibration=ids[:2], calibration_labels=np.arange(3))
    with pytest.raises(SubjectError, match=r"`calibration` in s\.npz holds arrays of \[2, 3\] rows"):
        read_samples(tmp_path / "s.npz")


def test_calibration_from_a_file_leaves_out_what_is_judged(tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", x=torch.cat([TEN[8:], TEN[:2] + 100]).numpy(), y=np.arange(4) % 3)
    subject = fit_calibration(plain(), read_samples(tmp_path / "c.npz"))
    assert torch.equal(subject.calibration[0], TEN[:2] + 100)
    assert subject.calibration_labels.tolist() == [2, 0]
    assert subject.about_calibration == (
        "Calibrated on the 4 samples of c.npz. Left out: 2 calibration inputs that are judged, too."
    )
    assert torch.equal(subject.samples[0], TEN)
    np.savez(tmp_path / "c.npz", x=TEN[3:6].numpy())
    with pytest.raises(SubjectError, match=r"all inputs of c\.npz are among the samples on which my-model is judged"):
        fit_calibration(plain(), read_samples(tmp_path / "c.npz"))


def test_calibration_that_is_judged_from_now_on_goes(tmp_path: Path) -> None:
    subject = plain(5).with_calibration(TEN[5:], torch.arange(5) % 3, about="Five.")
    np.savez(tmp_path / "s.npz", x=TEN[4:8].numpy())
    judged = fit_samples(subject, read_samples(tmp_path / "s.npz"))
    assert torch.equal(judged.calibration[0], TEN[8:])
    assert judged.calibration_labels.tolist() == [0, 1]
    assert judged.about_calibration == "Five. Left out: 3 calibration inputs that are judged, too."
    np.savez(tmp_path / "s.npz", x=TEN[5:].numpy())
    assert fit_samples(subject, read_samples(tmp_path / "s.npz")).calibration is None


@pytest.mark.parametrize("criterion", ["gradient", "fisher", "wanda"])
def test_what_needs_calibration_sees_what_is_kept_apart_and_nothing_else(criterion: str) -> None:
    subject = keep_apart(plain(), 0.3)
    alone = Subject.from_module(
        subject.model, calibration=subject.calibration, calibration_labels=subject.calibration_labels
    )
    recipe = Recipe(criterion, amount=0.5)
    for (name, mask), other in zip(
        compute_masks(subject, recipe).items(), compute_masks(alone, recipe).values(), strict=True
    ):
        assert torch.equal(mask, other), name
    with pytest.raises(RecipeError):
        compute_masks(plain(), recipe)


def test_the_script_does_not_take_a_samples_own_calibration_for_it() -> None:
    recipe = Recipe("wanda", amount=0.5)
    assert "load_subject('digits-cnn')\n" in write_script(load_subject("digits-cnn"), recipe)
    script = write_script(load_subject("digits-cnn", calibration_share=0.2), recipe)
    assert "subject = Subject.from_module(model, calibration=calibration)" in script


def test_whoever_is_asked_for_calibration_is_told_every_way() -> None:
    subject = plain()
    normed = Subject.from_module(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), TEN)
    said = [CRITERIA[name].missing(subject) for name in ("gradient", "fisher", "wanda", "apoz")]
    said.append(why_no_recalibration(normed))
    with pytest.raises(SubjectError) as error:
        require_calibration(subject)
    said.append(str(error.value))
    unlabelled = Subject.from_module(nn.Linear(3, 3), TEN, calibration=TEN + 50)
    said.append(CRITERIA["gradient"].missing(unlabelled))
    for each in said:
        for way in ("on Models", "share", "`calibration`", ".npz", "--calibration", "--calibration-share", "Python"):
            assert way in each


def test_in_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    share = ["report", "digits-mlp", "--criterion", "wanda", "--calibration-share", "0.25", "--calibration-seed", "3"]
    assert main(share) == 0
    assert "For calibration 90 of the 360 samples (25 %, drawn with seed 3) are kept apart; the other 270 are" in (
        " ".join(capsys.readouterr().out.split())
    )
    own = load_subject("digits-mlp")
    x, y = own.samples[0].numpy(), own.labels.numpy()
    np.savez(tmp_path / "d.npz", x_train=x[:99], y_train=y[:99], x_test=x[99:109], y_test=y[99:109])
    file = str(tmp_path / "d.npz")
    assert (
        main(["report", "digits-mlp", "--samples", file, "--calibration", f"{file}#train", "--criterion", "fisher"])
        == 0
    )
    said = " ".join(capsys.readouterr().out.split())
    assert "Judged on the 10 samples of d.npz#test." in said
    assert "Calibrated on the 99 samples of d.npz#train." in said
    assert main(["report", "digits-mlp", "--calibration", file, "--calibration-share", "0.5"]) != 0
    assert "give one of them" in capsys.readouterr().err


def test_quality_is_that_of_what_is_judged() -> None:
    subject = load_subject("digits-mlp", calibration_share=0.5, calibration_seed=2)
    report = build_report(subject, compute_masks(subject, Recipe(amount=0.0)))
    logits = load_subject("digits-mlp").copy_model().eval()(subject.samples[0])
    right = (logits.argmax(1) == subject.labels).double().mean()
    assert report.totals["quality"]["dense"] == pytest.approx(float(right))


def test_what_is_no_network_cannot_be_calibrated(tmp_path: Path) -> None:
    weights = Subject.from_module(nn.Linear(3, 3), runnable=False)
    np.savez(tmp_path / "c.npz", x=TEN.numpy())
    for call in (
        lambda: fit_calibration(weights, read_samples(tmp_path / "c.npz")),
        lambda: keep_apart(weights, 0.5),
        lambda: weights.with_calibration(TEN),
    ):
        with pytest.raises(PruningExplorerError):
            call()
