"""Networks judged on files of samples as well as on the same samples from elsewhere; and what is then said of them."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.export import Dim

from pruning_explorer import load_subject
from pruning_explorer.cli import main
from pruning_explorer.errors import SubjectError
from pruning_explorer.measure.forward import dense_outputs
from pruning_explorer.measure.quality import dense_level
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.own_samples import sample_fit
from pruning_explorer.sources.own_samples.sample_files import read_samples
from pruning_explorer.sources.own_samples.sample_fit import fit_samples
from pruning_explorer.sources.own_samples.sample_set import SampleSet
from pruning_explorer.sources.sample_data import SAMPLE_MODELS
from pruning_explorer.sources.samples import load_sample

MEASURED = json.loads((SAMPLE_MODELS / "metrics.json").read_text())


def saved(subject: Subject, folder: Path) -> Path:
    """Its own samples and labels as an ``.npz``."""
    arrays = {"x": subject.samples[0].numpy()}
    if subject.labels is not None:
        arrays["labels"] = subject.labels.numpy()
    np.savez(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


def arrays(*inputs: Tensor, labels: Tensor | None = None, names: tuple[str, ...] = ()) -> SampleSet:
    return SampleSet("mine.npz", inputs=inputs, labels=labels, class_names=names, held=len(inputs[0]))


@pytest.mark.parametrize("name", MEASURED)
def test_each_network_is_as_good_on_its_samples_from_a_file(name: str, tmp_path: Path) -> None:
    own = load_sample(name)
    judged = fit_samples(own, read_samples(saved(own, tmp_path)))
    assert dense_level(judged) == MEASURED[name]["right"] / MEASURED[name]["n"]
    assert torch.equal(judged.samples[0], own.samples[0])
    assert judged.output_names == own.output_names
    assert judged.quality_name == own.quality_name
    assert judged.view.kind == own.view.kind
    if own.view.kind != "text":
        assert np.array_equal(judged.view.values, own.view.values)


def test_points_and_rows_from_a_table(tmp_path: Path) -> None:
    own = load_sample("spirals-mlp")
    rows = [
        f"{x!r},{y!r},arm {label}" for (x, y), label in zip(own.samples[0].tolist(), own.labels.tolist(), strict=True)
    ]
    (tmp_path / "mine.csv").write_text("\n".join(["x,y,label", *rows]))
    judged = fit_samples(own, read_samples(tmp_path / "mine.csv"))
    assert dense_level(judged) == MEASURED["spirals-mlp"]["fraction"]
    assert torch.equal(judged.samples[0], own.samples[0])
    assert judged.view.kind == "point"


def test_sums_from_lines_of_token_ids(tmp_path: Path) -> None:
    own = load_sample("adder-transformer")
    pairs = zip(own.samples[0].tolist(), own.labels.tolist(), strict=True)
    lines = ["\t".join(" ".join(map(str, each)) for each in pair) for pair in pairs]
    (tmp_path / "mine.txt").write_text("\n".join(lines))
    judged = fit_samples(own, read_samples(tmp_path / "mine.txt"))
    assert dense_level(judged) == MEASURED["adder-transformer"]["fraction"]
    assert judged.quality_name == "exact match"
    assert judged.view.values[0] == " ".join(map(str, own.samples[0][0].tolist()))


def test_digits_from_images(tmp_path: Path) -> None:
    own = load_sample("digits-cnn")
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for number, (image, label) in enumerate(zip(own.samples[0], own.labels.tolist(), strict=True)):
            file = io.BytesIO()
            Image.fromarray((image[0] * 255).round().to(torch.uint8).numpy()).save(file, "PNG")
            archive.writestr(f"digits/{label}/{number}.png", file.getvalue())
    judged = fit_samples(own, read_samples(tmp_path / "mine.zip"))
    assert dense_level(judged) == MEASURED["digits-cnn"]["right"] / 360
    assert judged.labels.bincount().tolist() == own.labels.bincount().tolist()
    by_class = torch.cat([own.samples[0][own.labels == label] for label in range(10)])
    # In the order of their names: within a class 10.png comes before 2.png
    assert torch.allclose(judged.samples[0].sum(0), by_class.sum(0), atol=360 / 255)
    assert 0 <= judged.view.values.min() <= judged.view.values.max() <= 1


def test_some_of_the_classes_keep_their_places(tmp_path: Path) -> None:
    """Folders 3 and 5 are not classes 0 and 1; nor are they where nothing names the outputs."""
    own = load_sample("digits-cnn")
    for label in (3, 5):
        (tmp_path / "set" / str(label)).mkdir(parents=True)
        for place in (own.labels == label).nonzero().flatten().tolist()[:9]:
            image = (own.samples[0][place, 0] * 255).round().to(torch.uint8).numpy()
            Image.fromarray(image).save(tmp_path / "set" / str(label) / f"{place}.png")
    samples = read_samples(tmp_path / "set")
    unnamed = Subject.from_module(own.model, own.samples[0][:1], name="cnn")
    for subject in (own, unnamed):
        judged = fit_samples(subject, samples)
        assert judged.labels.tolist() == [3] * 9 + [5] * 9
        assert dense_level(judged) > 0.9
        assert judged.output_names == subject.output_names


class Plain(nn.Module):
    """``[N, 3]`` to logits ``[N, 3]``: the numbers themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3, bias=False)
        self.fc.weight = nn.Parameter(torch.eye(3))

    def forward(self, numbers: Tensor) -> Tensor:
        return self.fc(numbers)  # type: ignore[no-any-return]


def test_a_network_without_samples_takes_what_its_first_layer_does() -> None:
    for given in (torch.eye(3, dtype=torch.float64), torch.eye(3, dtype=torch.int16), torch.eye(3).bool()):
        judged = fit_samples(Subject.from_module(Plain()), arrays(given, labels=torch.arange(3)))
        assert judged.samples[0].dtype == torch.float32
        assert dense_level(judged) == 1.0


def test_an_exported_program_is_judged_on_a_file(tmp_path: Path) -> None:
    own = load_sample("digits-mlp")
    program = torch.export.export(own.copy_model(), (own.samples[0][:2],), dynamic_shapes=({0: Dim("batch")},))
    torch.export.save(program, tmp_path / "mine.pt2")
    judged = load_subject(str(tmp_path / "mine.pt2"), samples=saved(own, tmp_path))
    assert dense_level(judged) == MEASURED["digits-mlp"]["fraction"]
    assert "noise" not in judged.description
    assert judged.description.endswith("Judged on the 360 samples of mine.npz.")
    np.savez(tmp_path / "wide.npz", x=np.zeros((4, 65), dtype=np.float32))
    with pytest.raises(SubjectError, match=r"float32 \[N, …, 64\].*wide\.npz holds float32 \[4, 65\].*give one tensor"):
        load_subject(str(tmp_path / "mine.pt2"), samples=tmp_path / "wide.npz")


def test_every_token_id_is_tried() -> None:
    """Not the first sample's alone: the 401st would fail when the page is drawn."""
    own = load_sample("adder-transformer")
    for strange in (99, -1):
        ids = own.samples[0].clone()
        ids[400, 3] = strange
        with pytest.raises(SubjectError, match=rf"holds int64 \[500, \d+\] from {min(0, strange)} to .*out of range"):
            fit_samples(own, arrays(ids, labels=own.labels))


class Weighted(nn.Module):
    """Token ids ``[N, T]`` and weights of them ``[N, T]`` to logits ``[N, 4]``."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 4)

    def forward(self, ids: Tensor, weights: Tensor) -> Tensor:
        assert weights.dtype == torch.float32
        return (self.words(ids) * weights.unsqueeze(-1)).sum(dim=1)


class Masked(Weighted):
    """The same, where weights are optional."""

    def forward(self, ids: Tensor, weights: Tensor | None = None) -> Tensor:
        return super().forward(ids, torch.ones(ids.shape) if weights is None else weights)


def test_a_second_input() -> None:
    ids, weights = torch.tensor([[1, 2], [3, 4]]), torch.tensor([[0.5, 0.5], [1.0, 0.0]], dtype=torch.float64)
    subject = Subject.from_module(Weighted())
    judged = fit_samples(subject, arrays(ids.double(), weights))
    assert [each.dtype for each in judged.samples] == [torch.int64, torch.float32]
    with pytest.raises(SubjectError, match=r"mine\.npz holds int64 \[2, 2\] from 1 to 4.*missing 1 required"):
        fit_samples(subject, arrays(ids))
    with pytest.raises(
        SubjectError, match=r"run on int64 \[2, 2\], float32 \[2, 2\] now.*holds int64.*missing 1 required"
    ):
        fit_samples(judged, arrays(ids))
    with pytest.raises(SubjectError, match=r"takes 2 inputs .* and mine\.npz holds 3 .*save one array for each"):
        fit_samples(judged, arrays(ids, ids, ids))


def test_an_input_that_may_be_left_out() -> None:
    ids = torch.tensor([[1, 2], [3, 4]])
    subject = Subject.from_module(Masked(), (ids, torch.ones(2, 2)))
    assert len(fit_samples(subject, arrays(ids)).samples) == 1


def test_what_a_layer_gives_for_all_samples_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of digits-mlp the largest is of 300 float32: 1,200 bytes for each sample."""
    own = load_sample("digits-mlp")
    monkeypatch.setattr(sample_fit, "LARGEST_OUTPUT", 12_000)
    judged = fit_samples(own, arrays(own.samples[0], labels=own.labels))
    assert judged.samples[0].tolist() == own.samples[0][::36].tolist()
    assert judged.labels.tolist() == own.labels[::36].tolist()
    assert judged.view.values.shape == (10, 8, 8)
    assert "Judged on 10 of the 360 samples of mine.npz, taken evenly over all (more would" in judged.description
    monkeypatch.setattr(sample_fit, "LARGEST_OUTPUT", 1_199)
    with pytest.raises(SubjectError, match=r"one sample of mine\.npz makes a layer of digits-mlp give"):
        fit_samples(own, arrays(own.samples[0]))


def test_what_is_odd_about_the_numbers_is_said() -> None:
    plain = Subject.from_module(Plain())
    whole = torch.eye(3)
    assert fit_samples(plain, arrays(whole)).about_samples == "Judged on the 3 samples of mine.npz."
    one, all_of_them = whole.clone(), whole * float("nan")
    one[0, 0] = float("inf")
    assert fit_samples(plain, arrays(one)).about_samples.endswith("1 of the samples has a NaN or an infinity in it.")
    said = fit_samples(plain, arrays(all_of_them)).about_samples
    assert said.endswith("Every sample has a NaN or an infinity in it, so no output may be a number.")
    bytes_of_images = arrays((whole * 255).to(torch.uint8))
    assert "bytes, 0 to 255, are given to the network as they are" in fit_samples(plain, bytes_of_images).about_samples
    assert "bytes" not in fit_samples(plain, arrays(whole.to(torch.uint8))).about_samples
    judged = fit_samples(plain, arrays(whole, labels=torch.tensor([0, -1, -1])))
    assert judged.about_samples.endswith("2 of its labels are -1, for missing, and counted as wrong.")
    assert dense_level(judged) == pytest.approx(1 / 3)


def test_images_with_numbers_that_are_none_are_shown_in_bounds() -> None:
    own = load_sample("digits-cnn")
    images = own.samples[0][:3] * 4 - 1
    images[0, 0, 0, :3] = torch.tensor([float("nan"), float("inf"), -float("inf")])
    shown = fit_samples(own, arrays(images)).view.values
    assert shown[0, 0, :3].tolist() == [0.0, 1.0, 0.0]
    assert 0 <= shown.min() <= shown.max() <= 1
    assert np.isnan(dense_outputs(fit_samples(own, arrays(images)))[0].numpy()).any()


NAMED = ("red", "green", "blue")
UNKNOWN: dict[str, tuple[Callable[[], Subject], tuple[str, ...], str]] = {
    "one that the network does not name": (
        lambda: Subject.from_module(Plain(), output_names=NAMED, name="net"),
        ("blue", "green", "rouge"),
        r"names 3 classes \(blue, green, rouge\), and net calls its outputs red, green, blue, so which of them 'rouge'",
    ),
    "fewer than outputs": (
        lambda: Subject.from_module(Plain(), name="net"),
        ("bleu", "vert"),
        r"names 2 classes \(bleu, vert\), and net tells 3 classes apart, without names.*label by the numbers",
    ),
    "numbers beyond the outputs": (
        lambda: Subject.from_module(Plain(), name="net"),
        ("1", "3"),
        "tells 3 classes apart, 0 to 2, and mine.npz has labels from 1 to 3",
    ),
    "a single output": (
        lambda: Subject.from_module(nn.Linear(3, 1), name="net"),
        (),
        "net has a single output, which names no class, and mine.npz has labels; leave them out, or judge by a metric",
    ),
}


@pytest.mark.parametrize(("make", "names", "message"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_classes_that_cannot_be_told_apart_are_refused(
    make: Callable[[], Subject], names: tuple[str, ...], message: str
) -> None:
    labels = torch.tensor([0, 1, max(0, len(names) - 1)])
    with pytest.raises(SubjectError, match=message):
        fit_samples(make(), arrays(torch.eye(3), labels=labels, names=names))


def test_the_terminal_judges_on_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(load_sample("digits-mlp"), tmp_path)
    assert main(["report", "digits-mlp", "--samples", str(path), "--amount", "0.5", "--json"]) == 0
    on_file = json.loads(capsys.readouterr().out)
    assert main(["report", "digits-mlp", "--amount", "0.5", "--json"]) == 0
    on_own = json.loads(capsys.readouterr().out)
    assert on_file["totals"] == on_own["totals"]
    (tmp_path / "bad.csv").write_text("1,2\n")
    assert main(["report", "digits-mlp", "--samples", str(tmp_path / "bad.csv")]) != 0
    told = capsys.readouterr().err
    assert "float32 [N, …, 64]" in told
    assert "bad.csv holds float64 [1, 2]" in told
