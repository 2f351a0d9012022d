"""Samples of one's own on a network: brought into what it takes, or refused with what it takes and what they are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.measure.quality import dense_level
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples import sample_fit
from pruning_explorer.sources.own_samples.sample_files import read_samples
from pruning_explorer.sources.own_samples.sample_fit import fit_samples
from pruning_explorer.sources.own_samples.sample_set import SampleSet
from pruning_explorer.sources.sample_data import read_digits
from pruning_explorer.sources.samples import load_sample


class Classifier(nn.Module):
    """Images ``[N, 3, H, W]`` to the mean of each channel, as two logits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 2, 1, bias=False)
        self.conv1.weight = nn.Parameter(torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).reshape(2, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.conv1(images).mean(dim=(2, 3))  # type: ignore[no-any-return]


class Bag(nn.Module):
    """Token ids ``[N, T]`` to logits ``[N, 4]``."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 4)

    def forward(self, ids: Tensor) -> Tensor:
        return self.words(ids).mean(dim=1)  # type: ignore[no-any-return]


def arrays(*inputs: Tensor, labels: Tensor | None = None, names: tuple[str, ...] = ()) -> SampleSet:
    return SampleSet("mine.npz", inputs=inputs, labels=labels, class_names=names, held=len(inputs[0]))


def colours(*rgb: tuple[int, int, int], size: tuple[int, int] = (4, 4)) -> SampleSet:
    images = tuple(np.full((*size, 3), each, dtype=np.uint8) for each in rgb)
    return SampleSet("mine.zip", images=images, held=len(images))


def test_the_digits_from_a_file_are_read_as_well_as_they_are(tmp_path: Path) -> None:
    images, labels = read_digits("held out")
    dense = dense_level(load_sample("digits-cnn"))
    np.savez(tmp_path / "mine.npz", x=images.unsqueeze(1).double().numpy(), y=labels.int().numpy())
    subject = fit_samples(load_sample("digits-cnn"), read_samples(tmp_path / "mine.npz"))
    assert dense_level(subject) == dense
    assert subject.samples[0].dtype == torch.float32
    assert subject.description.endswith("Judged on the 360 samples of mine.npz.")
    assert subject.view.kind == "image"
    assert subject.groups is not None
    assert load_sample("digits-cnn").description.count("Judged on") == 0

    again = fit_samples(subject, read_samples(tmp_path / "mine.npz"))
    assert again.description.count("Judged on") == 1

    flat = images.flatten(1)
    table = np.column_stack([flat.numpy(), labels.numpy()])
    head = ",".join([*(f"p{i}" for i in range(64)), "label"])
    np.savetxt(tmp_path / "mine.csv", table, delimiter=",", header=head, comments="")
    subject = fit_samples(load_sample("digits-mlp"), read_samples(tmp_path / "mine.csv"))
    assert dense_level(subject) == dense_level(load_sample("digits-mlp"))
    # Where its own samples of the same shape are shown as images, so are these
    assert subject.view.kind == "image"
    assert np.array_equal(subject.view.values, images.numpy())


def test_points_are_shown_as_points() -> None:
    spirals = load_sample("spirals-mlp")
    subject = fit_samples(spirals, arrays(spirals.samples[0].double(), labels=spirals.labels))
    assert subject.view.kind == "point"
    assert dense_level(subject) == dense_level(spirals)


def test_images_come_in_the_channels_and_the_size_that_it_takes() -> None:
    """At [0, 1], a red image gives (1, 0) and a blue one (0, 1)."""
    subject = fit_samples(Subject.from_module(Classifier()), colours((255, 0, 0), (0, 0, 255)))
    assert dense_outputs(subject).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert subject.samples[0].shape == (2, 3, 4, 4)
    assert "scaled to [0, 1] and not normalised further" in subject.description
    assert subject.view.values.shape == (2, 4, 4)

    sized = Subject.from_module(Classifier(), torch.zeros(1, 3, 6, 5))
    mixed = SampleSet("mine.zip", images=colours((255, 0, 0)).images + colours((0, 0, 255), size=(9, 7)).images, held=2)
    assert fit_samples(sized, mixed).samples[0].shape == (2, 3, 6, 5)
    with pytest.raises(
        SubjectError, match=r"have 2 sizes \(4 x 4, 7 x 9 …\), and my-model does not say which it takes"
    ):
        fit_samples(Subject.from_module(Classifier()), mixed)


def test_images_are_grey_for_a_network_of_one_channel() -> None:
    digits = load_sample("digits-cnn")
    subject = fit_samples(digits, colours((255, 255, 255), (0, 0, 0), size=(16, 16)))
    assert subject.samples[0].shape == (2, 1, 8, 8)
    assert subject.samples[0].flatten(1).tolist() == [[1.0] * 64, [0.0] * 64]


def test_images_are_normalised_as_the_weights_were_trained_on() -> None:
    model = Classifier()
    model.pretrained_cfg = {"mean": (0.5, 0.5, 0.25), "std": (0.5, 0.25, 0.5)}
    subject = fit_samples(Subject.from_module(model), colours((255, 0, 0), (0, 0, 255)))
    assert dense_outputs(subject).tolist() == [[1.0, -0.5], [-1.0, 1.5]]
    assert "normalised as its weights were trained on: mean 0.5, 0.5, 0.25, deviation 0.5, 0.25, 0.5" in (
        subject.description
    )
    assert 0 <= subject.view.values.min() <= subject.view.values.max() <= 1


def test_classes_are_known_by_the_names_of_the_outputs() -> None:
    """Files sort them; the network does not."""
    named = Subject.from_module(Classifier(), output_names=("red", "blue"))
    pictures = colours((0, 0, 255), (255, 0, 0))
    samples = SampleSet("mine.zip", (), pictures.images, (), torch.tensor([0, 1]), ("blue", "red"), 2)
    subject = fit_samples(named, samples)
    assert subject.labels.tolist() == [1, 0]
    assert subject.output_names == ("red", "blue")
    assert dense_level(subject) == 1.0
    assert "taken for outputs" not in subject.description

    subject = fit_samples(Subject.from_module(Classifier()), samples)
    assert subject.labels.tolist() == [0, 1]
    assert subject.output_names == ("blue", "red")
    assert "in the order of their names (blue, red), are taken for outputs 0, 1" in subject.description


def test_token_ids_stay_whole() -> None:
    bag = Subject.from_module(Bag())
    for ids in (
        torch.tensor([[1, 2], [3, 4]]),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        torch.ones(2, 2, dtype=torch.uint8),
    ):
        assert fit_samples(bag, arrays(ids)).samples[0].dtype == torch.int64
    with pytest.raises(
        SubjectError, match=r"words \(Embedding\) takes whole numbers from 0 to 9.*holds float32 \[1, 2\]"
    ):
        fit_samples(bag, arrays(torch.tensor([[0.5, 1.0]])))
    with pytest.raises(SubjectError, match=r"words \(Embedding\) takes whole numbers from 0 to 9.*out of range"):
        fit_samples(bag, arrays(torch.tensor([[11, 1]])))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_in_other_precision_is_run_in_that(dtype: torch.dtype) -> None:
    subject = fit_samples(Subject.from_module(Classifier().to(dtype)), arrays(torch.ones(2, 3, 4, 4)))
    assert subject.samples[0].dtype == dtype
    assert dense_outputs(subject).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_a_metric_of_its_own_judges_labels_of_any_kind() -> None:
    def nearness(logits: Tensor, labels: Tensor | None) -> Tensor:
        return 1 - (logits[:, 0] - labels).abs().clamp(max=1)

    subject = Subject.from_module(Classifier(), metric=nearness)
    judged = fit_samples(subject, arrays(torch.ones(2, 3, 4, 4), labels=torch.tensor([0.5, 1.0])))
    assert dense_level(judged) == 0.75
    assert judged.quality_name == "nearness"


MISFITS: dict[str, tuple[Callable[[], Subject], SampleSet, str]] = {
    "channels": (
        lambda: Subject.from_module(Classifier(), name="net"),
        arrays(torch.zeros(10, 1, 8, 8, dtype=torch.float64)),
        r"mine\.npz does not fit: the network's first layer conv1 \(Conv2d\) takes float32 \[N, 3, H, W\]; mine\.npz "
        r"holds float64 \[10, 1, 8, 8\]\. Tried, net failed",
    ),
    "features": (
        lambda: Subject.from_module(nn.Sequential(nn.Linear(5, 2)), torch.zeros(1, 5)),
        arrays(torch.zeros(2, 4)),
        r"first layer 0 \(Linear\) takes float32 \[N, …, 5\], and it is run on float32 \[1, 5\] now; mine.npz holds",
    ),
    "how many inputs": (
        lambda: Subject.from_module(nn.Linear(5, 2), torch.zeros(1, 5)),
        arrays(torch.zeros(2, 5), torch.zeros(2, 5)),
        r"takes 1 inputs \(float32 \[1, 5\]\), and mine.npz holds 2",
    ),
    "no images": (
        lambda: Subject.from_module(nn.Linear(5, 2)),
        colours((0, 0, 0)),
        r"takes no images \[N, 1 or 3, H, W\]: the network's first layer \(Linear\) takes",
    ),
    "no tokenizer": (
        lambda: Subject.from_module(Bag(), name="bag"),
        SampleSet("mine.txt", texts=("a good film",), held=1),
        "holds words, and bag has no tokenizer here; give token ids",
    ),
    "a file that is called like a library's": (
        lambda: Subject.from_module(Bag(), name="hf:/etc", origin="exported program"),
        SampleSet("mine.txt", texts=("a good film",), held=1),
        "has no tokenizer here",
    ),
    "labels beyond the outputs": (
        lambda: Subject.from_module(Classifier()),
        arrays(torch.zeros(2, 3, 4, 4), labels=torch.tensor([0, 2])),
        "tells 2 classes apart, 0 to 1, and mine.npz has labels from 0 to 2; count classes from 0",
    ),
    "labels of other shape": (
        lambda: Subject.from_module(Classifier()),
        arrays(torch.zeros(2, 3, 4, 4), labels=torch.tensor([[0, 1], [1, 0]])),
        r"outputs are \['N', 2\], so labels must be \[2\]; mine.npz holds labels \[2, 2\]",
    ),
    "labels that are no classes": (
        lambda: Subject.from_module(Classifier()),
        arrays(torch.zeros(2, 3, 4, 4), labels=torch.tensor([0.5, 1.0])),
        "are no whole numbers, so they are no classes",
    ),
    "weights alone": (
        lambda: Subject.from_module(Classifier(), name="weights", runnable=False),
        arrays(torch.zeros(2, 3, 4, 4)),
        "weights is known by its weights alone",
    ),
}


@pytest.mark.parametrize(("make", "samples", "message"), MISFITS.values(), ids=MISFITS.keys())
def test_what_does_not_fit_is_told_with_both_sides(
    make: Callable[[], Subject], samples: SampleSet, message: str
) -> None:
    with pytest.raises(SubjectError, match=message):
        fit_samples(make(), samples)


def test_what_is_run_at_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image [3, 4, 4] takes 192 bytes in float32."""
    monkeypatch.setattr(sample_fit, "MOST_BYTES", 500)
    subject = fit_samples(Subject.from_module(Classifier()), arrays(torch.ones(5, 3, 4, 4), labels=torch.arange(5) % 2))
    assert subject.sample_count == 2
    assert subject.labels.tolist() == [0, 0]
    assert subject.description.startswith("Judged on 2 of the 5 samples of mine.npz, taken evenly over all")
    assert fit_samples(Subject.from_module(Classifier()), colours(*[(0, 0, 0)] * 5)).sample_count == 2
    with pytest.raises(SubjectError, match=r"one sample of mine\.npz has 0 MiB, and 0 MiB is the most"):
        fit_samples(Subject.from_module(Classifier()), arrays(torch.ones(2, 3, 9, 9)))
