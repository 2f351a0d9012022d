"""Every number that is stated about a sample subject is measured again here, from its weights and its data."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.skeleton import skeleton
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources import sample_data, samples, sums
from pruning_explorer.sources.sample_data import SAMPLE_MODELS, read_digits, read_held_out_sums, read_spirals
from pruning_explorer.sources.samples import load_sample, sample_names

AT_LEAST = {
    "spirals-mlp": 0.96,
    "digits-mlp": 0.96,
    "digits-cnn": 0.96,
    "digits-vit": 0.96,
    "digits-gru": 0.95,
    "adder-transformer": 0.99,
}
Reader = Callable[[sample_data.Part], tuple[torch.Tensor, torch.Tensor]]
METRICS = json.loads((SAMPLE_MODELS / "metrics.json").read_text())


def logits_of(subject: Subject) -> torch.Tensor:
    assert subject.samples is not None
    with torch.inference_mode():
        logits: torch.Tensor = skeleton(subject.model)(*subject.samples)
    return logits


def count_right(subject: Subject) -> int:
    assert subject.labels is not None
    hits = logits_of(subject).argmax(dim=-1) == subject.labels
    return int(hits.flatten(1).all(dim=1).sum()) if hits.dim() > 1 else int(hits.sum())


def test_all_seven_are_there() -> None:
    assert sample_names() == ("tutorial-mlp", *AT_LEAST)
    assert set(METRICS) == set(AT_LEAST)


@pytest.mark.parametrize("name", AT_LEAST)
def test_stated_accuracy_is_what_weights_and_data_give(name: str) -> None:
    subject = load_sample(name)
    right, count = count_right(subject), subject.sample_count
    assert METRICS[name] == {"fraction": round(right / count, 4), "right": right, "n": count}
    assert right / count >= AT_LEAST[name]
    assert f"Right on {right} of the {count} held-out samples ({right / count:.1%})." in subject.about


@pytest.mark.parametrize("name", sample_names())
def test_outputs_are_the_same_each_time_and_fit_their_names(name: str) -> None:
    subject = load_sample(name)
    logits = logits_of(subject)
    assert torch.equal(logits, logits_of(subject))
    assert logits.shape[-1] == len(subject.output_names)
    assert logits.isfinite().all()
    assert not subject.model.training
    assert not any(parameter.requires_grad for parameter in subject.model.parameters())


@pytest.mark.parametrize("name", sample_names())
def test_view_shows_every_sample(name: str) -> None:
    subject = load_sample(name)
    assert subject.view is not None
    assert len(subject.view.values) == subject.sample_count
    assert subject.sample_count == (64 if name == "tutorial-mlp" else METRICS[name]["n"])


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-vit", "digits-gru"])
def test_digits_are_judged_on_the_whole_held_out_part(name: str) -> None:
    images, labels = read_digits("held out")
    subject = load_sample(name)
    assert subject.samples is not None
    assert subject.labels is not None
    assert subject.view is not None
    assert len(images) == 360
    assert torch.equal(subject.labels, labels)
    assert torch.equal(subject.samples[0].reshape(-1, 8, 8), images)
    assert subject.view.kind == "image"
    assert images.min() == 0
    assert images.max() == 1


def rows_of(inputs: torch.Tensor) -> set[tuple[float, ...]]:
    return set(map(tuple, inputs.flatten(1).tolist()))


@pytest.mark.parametrize("name", sample_names())
def test_calibration_is_of_the_training_part_and_never_of_what_is_judged(name: str) -> None:
    subject = load_sample(name)
    assert subject.samples is not None
    assert subject.calibration is not None
    count = 64 if name == "tutorial-mlp" else 256
    assert len(subject.calibration) == 1
    assert subject.calibration[0].shape == (count, *subject.samples[0].shape[1:])
    assert len(rows_of(subject.calibration[0])) == count
    assert not rows_of(subject.calibration[0]) & rows_of(subject.samples[0])
    if name == "tutorial-mlp":
        assert subject.calibration_labels is None
    else:
        assert subject.calibration_labels is not None
        assert subject.labels is not None
        assert subject.calibration_labels.shape[1:] == subject.labels.shape[1:]


@pytest.mark.parametrize(
    ("name", "read", "least"), [("spirals-mlp", read_spirals, 85), ("digits-cnn", read_digits, 20)]
)
def test_calibration_holds_every_class_with_its_own_labels(name: str, read: Reader, least: int) -> None:
    subject = load_sample(name)
    assert subject.calibration is not None
    assert subject.calibration_labels is not None
    assert subject.calibration_labels.bincount().min() >= least
    inputs, labels = read("training")
    label_of = dict(zip(map(tuple, inputs.flatten(1).tolist()), labels.tolist(), strict=True))
    rows = subject.calibration[0].flatten(1).tolist()
    assert [label_of[tuple(row)] for row in rows] == subject.calibration_labels.tolist()


def test_sums_to_calibrate_on_are_not_held_out_in_either_order() -> None:
    subject = load_sample("adder-transformer")
    assert subject.calibration is not None
    assert subject.calibration_labels is not None
    held_out = {pair for first, second in read_held_out_sums().tolist() for pair in ((first, second), (second, first))}
    for tokens, answer in zip(subject.calibration[0].tolist(), subject.calibration_labels.tolist(), strict=True):
        text = "".join(sums.VOCABULARY[token] for token in tokens)
        first, second = int(text[:3]), int(text[4:7])
        assert (first, second) not in held_out
        assert f"{first + second:04d}" == "".join(map(str, answer))


def test_split_is_stratified_and_its_sizes_are_as_stated() -> None:
    _, training = read_digits("training")
    _, held_out = read_digits("held out")
    assert (len(training), len(held_out)) == (1437, 360)
    shares = torch.bincount(held_out) / (torch.bincount(training) + torch.bincount(held_out))
    assert (shares - 0.2).abs().max() < 0.005
    assert "trained on 1,437 of" in load_sample("digits-cnn").about
    assert len(read_spirals("training")[1]) == 1200
    assert "Trained on 1,200 generated points" in load_sample("spirals-mlp").about


def test_tutorial_network_is_what_its_seed_gives() -> None:
    from pruning_explorer.sources.networks import TutorialMLP

    subject = load_sample("tutorial-mlp")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fresh = TutorialMLP().state_dict()
    assert subject.weight("fc1.weight").shape == (4, 5)
    assert all(torch.equal(tensor, fresh[key]) for key, tensor in subject.model.state_dict().items())
    assert subject.labels is None
    assert "never trained" in subject.about


def test_adder_groups_are_numbers_of_carries() -> None:
    subject = load_sample("adder-transformer")
    assert subject.quality_name == "exact match"
    assert subject.groups is not None
    assert subject.group_names == ("no carry", "1 carry", "2 carries", "3 carries")
    # The rarest, three carries, is an eighth of all sums; a fraction of fewer than 40 would say little
    assert (torch.bincount(subject.groups, minlength=4) >= 40).all()


def test_loading_twice_gives_the_same_subject_and_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    load_sample.cache_clear()
    first = load_sample("digits-vit")
    assert load_sample("digits-vit") is first
    assert torch.equal(torch.get_rng_state(), before)


def test_unknown_name_is_answered_with_the_nearest_and_the_list() -> None:
    with pytest.raises(SubjectError, match=r"did you mean 'digits-cnn'.*adder-transformer"):
        load_sample("digit-cnn")
    with pytest.raises(SubjectError, match="no network is called 'qqq'; the networks are tutorial-mlp"):
        load_sample("qqq")


def test_missing_files_say_how_to_get_them_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sample_data, "SAMPLE_MODELS", tmp_path)
    monkeypatch.setattr(samples, "SAMPLE_MODELS", tmp_path)
    load_sample.cache_clear()
    with pytest.raises(SubjectError, match=r"digits\.safetensors is missing.*restore it from git"):
        load_sample("digits-mlp")
