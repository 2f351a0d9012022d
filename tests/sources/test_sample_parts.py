"""A set of samples that comes as train and test: one part is judged, it is said which, and any can be asked for."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pruning_explorer import load_subject
from pruning_explorer.cli import main
from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.own_samples.sample_files import parts_in, read_samples
from pruning_explorer.sources.own_samples.sample_fit import fit_samples
from pruning_explorer.sources.own_samples.sample_parts import kind_of
from pruning_explorer.sources.samples import load_sample

Write = Callable[..., Path]


def dot(grey: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 8), grey).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(params=["zip", "folder"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Files, each with its place, in a zip or in a folder."""

    def write(**files: bytes | str) -> Path:
        if request.param == "zip":
            with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
                for place, content in files.items():
                    archive.writestr(place, content)
            return tmp_path / "data.zip"
        for place, content in files.items():
            (tmp_path / "data" / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / place).write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "data"

    return write


def test_what_parts_are_called() -> None:
    assert {kind_of(name) for name in ("test", "Testing", "holdout", "held_out", "held-out", "imagenet-test")} == {0}
    assert {kind_of(name) for name in ("val", "valid", "validation", "dev", "eval", "val2017", "ValSet")} == {1}
    assert {kind_of(name) for name in ("train", "TRAINING", "train2017", "mnist_train", "x_train", "Xtrain")} == {2}
    assert {kind_of(name) for name in ("cat", "contest", "trainer", "latest", "valley", "0", "train_test")} == {None}


@pytest.mark.parametrize(
    ("names", "judged"),
    [
        (("train", "test"), "test"),
        (("training", "validation"), "validation"),
        (("train", "val", "test"), "test"),
        (("dev", "train", "holdout"), "holdout"),
        (("train", "eval", "unlabelled"), "eval"),
    ],
)
def test_the_held_out_part_is_judged_and_the_others_are_left_aside(
    written: Write, names: tuple[str, ...], judged: str
) -> None:
    path = written(**{f"d/{part}/{label}/1.png": dot(len(part)) for part in names for label in range(10)})
    subject = fit_samples(load_sample("digits-cnn"), read_samples(path))
    assert subject.sample_count == 10
    assert subject.labels.tolist() == list(range(10))
    assert torch.allclose(subject.samples[0], torch.tensor(len(judged) / 255))
    assert f"Judged on the 10 samples of {path.name}#{judged}." in subject.about_samples
    assert f"judged: {judged} is held out by its name." in subject.about_samples
    for other in {*names} - {judged}:
        assert f"{other} (10 samples)" in subject.about_samples


def test_any_part_can_be_asked_for(written: Write) -> None:
    path = written(**{f"{part}/{label}/1.png": dot(len(part)) for part in ("train", "test") for label in range(10)})
    for subject in (
        fit_samples(load_sample("digits-cnn"), read_samples(path, "train")),
        load_subject("digits-cnn", samples=f"{path}#train"),
    ):
        assert torch.allclose(subject.samples[0], torch.tensor(5 / 255))
        assert f"Judged on the 10 samples of {path.name}#train. Of the same file test (10 samples) is not judged" in (
            subject.about_samples
        )
    with pytest.raises(SubjectError, match=r"has no part 'valid'; it has test, train"):
        read_samples(path, "valid")


def test_parts_within_each_class(written: Write) -> None:
    path = written(
        **{f"{label}/{part}/{i}.png": dot(9) for label in ("cat", "dog") for part in ("train", "val") for i in range(3)}
    )
    samples = read_samples(path)
    assert samples.class_names == ("cat", "dog")
    assert samples.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_classes_that_are_called_like_parts_stay_classes(written: Write) -> None:
    """A train beside cars is a vehicle."""
    samples = read_samples(written(**{f"{label}/1.png": dot(9) for label in ("car", "plane", "train")}))
    assert samples.class_names == ("car", "plane", "train")
    assert samples.remarks == ()


def test_one_part_alone_is_what_there_is(written: Write) -> None:
    path = written(**{f"data/train/{label}/1.png": dot(9) for label in ("cat", "dog")})
    assert read_samples(path).class_names == read_samples(path, "train").class_names == ("cat", "dog")
    assert read_samples(path).remarks == ()


def test_images_outside_of_the_parts_are_counted(written: Write) -> None:
    path = written(**{"preview.png": dot(0), "train/a/1.png": dot(1), "test/a/1.png": dot(2)})
    samples = read_samples(path)
    assert samples.count == 1
    assert samples.remarks[1] == "1 that is in none of its parts is left out."


def test_tables_and_lines_in_parts(written: Write) -> None:
    path = written(
        **{"train.csv": "a,b\n1,2\n3,4", "test.csv": "a,b\n5,6", "sample_submission.csv": "a\n1", "README.txt": "Hello"}
    )
    assert read_samples(path).inputs[0].tolist() == [[5, 6]]
    assert read_samples(path).name == f"{path.name}#test"
    assert "train, sample_submission are not judged" in read_samples(path).remarks[0] or (
        "sample_submission, train are not judged" in read_samples(path).remarks[0]
    )
    assert read_samples(path, "train").inputs[0].tolist() == [[1, 2], [3, 4]]


def test_a_single_table_needs_no_part(written: Write) -> None:
    path = written(**{"data/points.csv": "a,b\n1,2", "data/README.txt": "Hello"})
    assert read_samples(path).inputs[0].tolist() == [[1, 2]]


def test_lines_in_folders_of_parts(written: Write) -> None:
    path = written(**{"train/lines.txt": "1 2\n3 4", "dev/lines.txt": "5 6"})
    assert read_samples(path).inputs[0].tolist() == [[5, 6]]


def test_of_several_tables_without_such_names_one_is_asked_for(written: Write) -> None:
    path = written(**{"a.csv": "a,b\n1,2", "b.csv": "a,b\n3,4"})
    with pytest.raises(SubjectError, match=rf"{path.name} holds a\.csv, b\.csv; say which is judged, as {path.name}#a"):
        read_samples(path)
    assert read_samples(path, "b.csv").inputs[0].tolist() == [[3, 4]]
    many = written(**{f"{i}.csv": "a,b\n1,2" for i in range(30)})
    with pytest.raises(SubjectError, match=r"there are 3. files of samples; put those that are judged into one"):
        read_samples(many)


def test_arrays_in_parts(tmp_path: Path) -> None:
    """As Keras and MedMNIST name them."""
    for number, (x, y) in enumerate((("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("X{}", "y{}"))):
        arrays = {}
        for size, part in enumerate(("train", "val", "test"), start=2):
            arrays[x.format(part)] = np.full((size, 3), size)
            arrays[y.format(part)] = np.full(size, size)
        np.savez(tmp_path / f"{number}.npz", **arrays)
        path = tmp_path / f"{number}.npz"
        assert read_samples(path).inputs[0].tolist() == [[4] * 3] * 4
        assert read_samples(path).labels.tolist() == [4] * 4
        assert read_samples(path, "train").inputs[0].tolist() == [[2] * 3] * 2
        assert read_samples(path).remarks == (
            "Of the same file train (2 samples), val (3 samples) are not judged: test is held out by its name.",
        )
        parts = parts_in(path.name, path.read_bytes())
        assert parts.names == ("train", "val", "test")
        assert parts.default == "test"


def test_a_column_of_labels_is_one_label_for_each(tmp_path: Path) -> None:
    own = load_sample("digits-mlp")
    np.savez(tmp_path / "d.npz", test_images=own.samples[0].numpy(), test_labels=own.labels[:, None].numpy())
    judged = load_subject("digits-mlp", samples=tmp_path / "d.npz")
    assert torch.equal(judged.labels, own.labels)


def test_what_has_no_parts_is_asked_for_none(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text("1,2\n3,4")
    np.savez(tmp_path / "k.npz", x=np.ones((2, 2)))
    for path in (tmp_path / "k.csv", tmp_path / "k.npz"):
        assert parts_in(path.name, path.read_bytes()) is None
        with pytest.raises(SubjectError, match=r"holds its samples in one part, so none is called 'train'"):
            read_samples(path, "train")


def test_a_part_in_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = load_sample("digits-mlp")
    x, y = own.samples[0].numpy(), own.labels.numpy()
    np.savez(tmp_path / "d.npz", x_train=x[:99], y_train=y[:99], x_test=x[99:109], y_test=y[99:109])
    for words, count in (("d.npz", 10), ("d.npz#train", 99)):
        assert main(["report", "digits-mlp", "--samples", str(tmp_path / words), "--amount", "0.5"]) == 0
        assert f"Judged on the {count} samples of d.npz#" in " ".join(capsys.readouterr().out.split())
