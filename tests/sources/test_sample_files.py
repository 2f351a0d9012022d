"""Samples from files: each kind is read as it is meant, and what cannot be used is told in words."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources import npz_file
from pruning_explorer.sources.own_samples import sample_folders, sample_images
from pruning_explorer.sources.own_samples.sample_files import ENDINGS, read_samples, samples_in
from pruning_explorer.sources.own_samples.sample_set import SampleSet, spread

Save = Callable[[str, bytes | str], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def npz(*unnamed: object, **arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, *unnamed, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def png(colour: tuple[int, int, int] | int, size: tuple[int, int] = (4, 3), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB" if isinstance(colour, tuple) else "L", size, colour).save(file, kind)
    return file.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def labels_of(samples: SampleSet) -> list[int]:
    assert isinstance(samples.labels, Tensor)
    return samples.labels.tolist()  # type: ignore[no-any-return]


def test_arrays(save: Save) -> None:
    x, y = np.arange(6.0).reshape(3, 2), np.array([0, 2, 1], dtype=np.uint8)
    for keys in ({"x": x, "y": y}, {"labels": y, "samples": x}, {"points": x, "Targets": y.astype(float)}):
        samples = read_samples(save("s.npz", npz(**keys)))
        assert torch.equal(samples.inputs[0], torch.from_numpy(x))
        assert labels_of(samples) == [0, 2, 1]
        assert samples.labels.dtype == torch.int64
        assert (samples.count, samples.held) == (3, 3)
    assert read_samples(save("s.npz", npz(x))).labels is None
    assert read_samples(save("s.npz", npz(x=x, labels=y - 0.5))).labels.dtype == torch.float64


def test_several_inputs_stay_in_the_order_of_the_file(save: Save) -> None:
    samples = read_samples(save("s.npz", npz(second=np.ones((2, 3)), first=np.zeros((2, 1)), y=np.zeros(2))))
    assert [list(each.shape) for each in samples.inputs] == [[2, 3], [2, 1]]
    assert labels_of(samples) == [0, 0]


def test_y_is_an_input_where_there_are_labels(save: Save) -> None:
    samples = read_samples(save("s.npz", npz(x=np.zeros((2, 3)), y=np.zeros((2, 4)), labels=np.array([1, 0]))))
    assert len(samples.inputs) == 2
    assert labels_of(samples) == [1, 0]


def test_of_many_rows_some_are_used_evenly_over_all(save: Save) -> None:
    rows = np.arange(5000)
    samples = read_samples(save("s.npz", npz(x=rows.reshape(-1, 1), y=rows)))
    assert (samples.count, samples.held) == (2000, 5000)
    assert labels_of(samples) == spread(5000)
    assert labels_of(samples)[-1] == 4997
    table = "a,label\n" + "".join(f"{row},{row}\n" for row in rows)
    for text in (table, table.replace("\n", "\r\n")):
        samples = read_samples(save("s.csv", text))
        assert samples.held == 5000
        assert labels_of(samples) == spread(5000)
        assert samples.inputs[0].flatten().tolist() == spread(5000)
    samples = read_samples(save("s.txt", "".join(f"{row} 7\t{row}\n" for row in rows)))
    assert labels_of(samples) == spread(5000)
    assert samples.inputs[0][:, 0].tolist() == spread(5000)


def test_a_table_with_numbers_as_labels(save: Save) -> None:
    samples = read_samples(save("s.csv", "a, label ,b\n1,0,2.5\n-3e1,2,4\n"))
    assert samples.inputs[0].tolist() == [[1.0, 2.5], [-30.0, 4.0]]
    assert labels_of(samples) == [0, 2]
    assert samples.class_names == ()


def test_a_table_with_names_of_classes(save: Save) -> None:
    samples = read_samples(save("s.csv", '\ufeffClass,a\ndog,1\n"cat, the",2\nNA,3\ndog,4\n'))
    assert samples.class_names == ("NA", "cat, the", "dog")
    assert labels_of(samples) == [2, 1, 0, 2]


def test_a_table_without_a_head_has_no_labels(save: Save) -> None:
    samples = read_samples(save("s.csv", "1,2\n3,4\n5,6"))
    assert samples.inputs[0].tolist() == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert samples.labels is None


def test_x_and_y_are_a_point(save: Save) -> None:
    assert read_samples(save("s.csv", "x,y\n1,2\n")).inputs[0].tolist() == [[1.0, 2.0]]
    samples = read_samples(save("s.csv", "x,y,label\n1,2,0\n"))
    assert samples.inputs[0].tolist() == [[1.0, 2.0]]
    assert labels_of(samples) == [0]
    assert labels_of(read_samples(save("s.csv", "a,y\n1,2\n"))) == [2]


def test_lines_of_token_ids(save: Save) -> None:
    samples = read_samples(save("s.txt", "1 2 3\tyes\n4 5 6\tno\n\n"))
    assert samples.inputs[0].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert samples.inputs[0].dtype == torch.int64
    assert samples.class_names == ("no", "yes")
    assert labels_of(samples) == [1, 0]


def test_lines_of_words(save: Save) -> None:
    samples = read_samples(save("s.txt", "a good film\t1\na bad one\t0\n"))
    assert samples.texts == ("a good film", "a bad one")
    assert labels_of(samples) == [1, 0]
    assert read_samples(save("s.txt", "größer\n")).texts == ("größer",)


def test_a_folder_of_images_and_a_zip_of_it(save: Save, tmp_path: Path) -> None:
    members = [
        ("set/cat/1.png", png((255, 0, 0))),
        ("set/dog/1.jpg", png((0, 0, 255), (8, 8), "JPEG")),
        ("set/cat/2.bmp", png(7, kind="BMP")),
    ]
    for name, content in (*members, ("set/notes.txt", b"no image"), ("set/empty/none.txt", b"")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    strange = ("__MACOSX/set/cat/1.png", b"no image")
    for path in (tmp_path / "set", save("s.zip", zipped(*members, strange))):
        samples = read_samples(path)
        assert samples.class_names == ("cat", "dog")
        assert labels_of(samples) == [0, 0, 1]
        assert [image.shape for image in samples.images] == [(3, 4, 3), (3, 4, 3), (8, 8, 3)]
        assert samples.images[0][0, 0].tolist() == [255, 0, 0]
        assert samples.images[1][0, 0].tolist() == [7, 7, 7]


def test_images_side_by_side_have_no_labels(save: Save) -> None:
    for folder in ("", "all/"):
        samples = read_samples(save("s.zip", zipped((f"{folder}1.png", png(0)), (f"{folder}2.png", png(255)))))
        assert samples.count == 2
        assert samples.labels is None


def test_images_of_every_mode_and_of_any_size_are_read(save: Save) -> None:
    members = []
    for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"):
        file = io.BytesIO()
        Image.new(mode, (2000, 20)).save(file, "TIFF" if mode in ("CMYK", "I;16") else "PNG")
        members.append((f"{mode.replace(';', '')}.{'tif' if mode in ('CMYK', 'I;16') else 'png'}", file.getvalue()))
    samples = read_samples(save("s.zip", zipped(*members)))
    assert {image.shape for image in samples.images} == {(5, 512, 3)}


class Canary:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
        return Path.touch, (self.path,)


def test_nothing_in_a_file_is_executed(save: Save, tmp_path: Path) -> None:
    sung = tmp_path / "sung"
    objects = npz(x=np.array([Canary(sung)], dtype=object))
    with np.load(io.BytesIO(objects), allow_pickle=True) as loaded:
        loaded["x"]
    assert sung.exists()
    sung.unlink()
    with pytest.raises(SubjectError, match=r"x in s\.npz is an array of object"):
        read_samples(save("s.npz", objects))
    alone = pickle.dumps(Canary(sung))
    for ending in ENDINGS:
        for content in (
            objects,
            alone,
            zipped(("archive/data.pkl", alone)),
            zipped(("x.npy", alone), ("1.png", alone)),
        ):
            with pytest.raises(SubjectError):
                read_samples(save(f"s{ending}", content))
    assert not sung.exists()


def test_a_zip_writes_nothing(save: Save, tmp_path: Path) -> None:
    outside = [("../../out/1.png", png(0)), ("/out/2.png", png(0)), (r"C:\out\3.png", png(0))]
    path = save("s.zip", zipped(*outside))
    before = sorted(tmp_path.rglob("*"))
    assert read_samples(path).count == 3
    assert sorted(tmp_path.rglob("*")) == before


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\nshowpage\n"
BAD: dict[str, tuple[str, bytes | str, str]] = {
    "another kind": ("s.pkl", b"", r"s\.pkl is none of \.npz, \.csv, \.txt, \.zip, nor a folder"),
    "one image": ("s.png", png(0), "put it into a folder, or a .zip of one"),
    "no array": ("s.npz", npz(), "s.npz holds no array of samples"),
    "labels alone": ("s.npz", npz(y=np.zeros(2)), "holds no array of samples"),
    "labels twice": ("s.npz", npz(x=np.zeros(2), label=np.zeros(2), target=np.zeros(2)), "labels twice"),
    "a number": ("s.npz", npz(x=np.float32(1)), "holds no array of samples"),
    "other lengths": ("s.npz", npz(x=np.zeros(3), y=np.zeros(2)), r"arrays of \[2, 3\] rows"),
    "no rows": ("s.npz", npz(x=np.zeros((0, 2))), "holds no samples"),
    "words in an array": ("s.npz", npz(x=np.array(["a"])), "is an array of <U1"),
    "no zip": ("s.npz", b"hello", "cannot be read as .npz"),
    "an empty table": ("s.csv", "", "s.csv is empty; give a row"),
    "only a head": ("s.csv", "a,b\n", "holds no samples"),
    "only labels": ("s.csv", "label\n1\n", "has labels and no column of numbers"),
    "two columns of labels": ("s.csv", "a,label,class\n1,2,3\n", "2 columns of labels"),
    "a word among numbers": ("s.csv", "a,b\n1,2\n3,four\n", "'four' in row 2 of column 'b', which is no number"),
    "an empty field": ("s.csv", "a,b\n1,2\n3,\n", "'' in row 2 of column 'b'"),
    "a word in a long table": ("s.csv", "a\n" + "1\n" * 2000 + "x\n" + "1\n" * 2000, "'x' in row 2001 of"),
    "ragged": ("s.csv", "a,b\n1,2\n1,2,3,4\n", "row 2 of s.csv has 4 columns, and the first row of the file has 2"),
    "an open quote": ("s.csv", 'a,b\n1,"2\n', "cannot be read as a table"),
    "too wide": ("s.csv", "," * 100_001 + "\n", "more than 100,000 columns"),
    "no text": ("s.csv", b"a\n\xff\xfe\n", r"is no text in UTF-8 \(byte 1 of line 2\)"),
    "a zip as a table": ("s.csv", npz(x=np.zeros(2)), "is no text in UTF-8|cannot be read as a table"),
    "no lines": ("s.txt", " \n\n", "holds no line"),
    "ragged ids": ("s.txt", "1 2\n3\n", "lines of 1 to 2 token ids"),
    "a label missing": ("s.txt", "1 2\t0\n3 4\n", "line 2 of s.txt has no label"),
    "an endless line": ("s.txt", "a" * 70_000, "line 1 of s.txt has more than 65,536 bytes"),
    "an empty zip": ("s.zip", zipped(), "holds no image"),
    "a broken image": ("s.zip", zipped(("cat/1.png", png(0)[:40])), "cat/1.png in s.zip cannot be read as an image"),
    "no image": ("s.zip", zipped(("1.png", b"hello")), "1.png in s.zip cannot be read as an image"),
    "a program as an image": ("s.zip", zipped(("1.png", EPS)), "1.png in s.zip cannot be read as an image"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_refused_in_words(save: Save, name: str, content: bytes | str, message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        read_samples(save(name, content))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match=r"nowhere\.npz cannot be read \(No such file"):
        read_samples(tmp_path / "nowhere.npz")
    with pytest.raises(SubjectError, match="holds no image"):
        read_samples(tmp_path)


def test_a_file_is_called_what_its_owner_called_it() -> None:
    with pytest.raises(SubjectError, match=r"^theirs\.csv "):
        samples_in("theirs.csv", b"")


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(save: Save) -> None:
    """A bomb: a few kB that say 8,500 x 8,500 pixels."""
    file = io.BytesIO()
    Image.new("1", (8_500, 8_500)).save(file, "PNG")
    assert len(file.getvalue()) < 200_000
    with pytest.raises(SubjectError, match=r"1\.png in s\.zip has 8500 x 8500 pixels; make it smaller"):
        read_samples(save("s.zip", zipped(("1.png", file.getvalue()))))


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_folders, "LARGEST_ARCHIVE", 1 << 20)
    bomb = save("s.zip", zipped(("1.png", bytes(2 << 20))))
    assert bomb.stat().st_size < 10_000
    with pytest.raises(SubjectError, match="unpacks to 2 MiB, and 1 MiB is the most"):
        read_samples(bomb)


def test_too_many_entries_are_refused_before_they_are_listed(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz_file, "MOST_ENTRIES", 3)
    for ending in (".zip", ".npz"):
        path = save(f"s{ending}", zipped(*((f"{number}.png", png(0)) for number in range(4))))
        with pytest.raises(SubjectError, match="holds more than 3 files"):
            read_samples(path)


def test_images_that_take_too_much_memory_are_refused(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_images, "MOST_BYTES", 1 << 20)
    path = save("s.zip", zipped(*((f"{number}.png", png(0, (512, 512))) for number in range(3))))
    with pytest.raises(SubjectError, match="take more than 1 MiB"):
        read_samples(path)
