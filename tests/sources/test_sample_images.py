"""Images as cameras and programs save them, and archives that are not what they say."""

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.own_samples import sample_images
from pruning_explorer.sources.own_samples.sample_files import read_samples
from pruning_explorer.sources.own_samples.sample_set import SampleSet

Members = list[tuple[str, bytes]]
Read = Callable[..., SampleSet]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> SampleSet:
        path = tmp_path / "s.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return read_samples(path)

    return write_and_read


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


DOT = encoded(Image.new("L", (2, 2), 9))


def test_a_photograph_that_lies_on_its_side_is_put_up(read: Read) -> None:
    """Cameras write how they were held, and turn nothing."""
    picture = Image.new("RGB", (32, 16))
    picture.paste((255, 255, 255), (0, 0, 16, 16))
    held = picture.getexif()
    held[0x0112] = 6  # its right side is up
    (found,) = read(("1.jpg", encoded(picture, "JPEG", exif=held, quality=95))).images
    assert found.shape == (32, 16, 3)
    assert found[:12].min() > 240
    assert found[20:].max() < 15


def test_sixteen_bits_are_scaled_and_not_cut_off(read: Read) -> None:
    ramp = np.array([[0, 256, 32768, 65535]], dtype=np.uint16)
    for kind, ending in (("PNG", "png"), ("TIFF", "tif")):
        (found,) = read((f"1.{ending}", encoded(Image.fromarray(ramp), kind))).images
        assert found[0, :, 0].tolist() == [0, 1, 128, 255]
    with pytest.raises(SubjectError, match=r"1\.tif in s\.zip has pixels of 32 bits, whose white is not known"):
        read(("1.tif", encoded(Image.fromarray(np.ones((2, 2), dtype=np.float32)), "TIFF")))


def test_folders_of_windows_and_files_of_macos(read: Read) -> None:
    hidden: Members = [("__MACOSX/cat/._1.png", b"no image"), ("cat/._1.png", b"no image"), ("cat/.DS_Store", b"")]
    samples = read(*hidden, ("cat\\1.png", DOT), ("dog\\1.png", DOT))
    assert samples.class_names == ("cat", "dog")
    assert samples.held == 2


def test_more_than_ten_classes_keep_their_numbers_by_name(read: Read) -> None:
    """Sorted as words, 10 comes before 2; the names say which is which."""
    samples = read(*((f"{number}/1.png", encoded(Image.new("L", (1, 1), number))) for number in range(12)))
    for image, label in zip(samples.images, samples.labels.tolist(), strict=True):
        assert int(samples.class_names[label]) == image[0, 0, 0]


def test_where_folders_say_no_class_it_is_told(read: Read) -> None:
    with pytest.raises(SubjectError, match=r"has images at its top and in the folder cat, too; for classes put each"):
        read(("1.png", DOT), ("cat/1.png", DOT))
    with pytest.raises(SubjectError, match=r"has images in set and in the folder set/cat, too"):
        read(("set/1.png", DOT), ("set/cat/1.png", DOT))


def test_a_name_twice_is_refused(read: Read) -> None:
    with pytest.raises(SubjectError, match=r"holds cat/1\.png twice; put it in once"):
        read(("cat/1.png", DOT), ("cat//1.png", DOT))


def test_small_files_of_very_many_pixels_are_bounded_in_all(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_images, "MOST_PIXELS_IN_ALL", 11)
    assert read(("1.png", DOT), ("2.png", DOT)).count == 2
    with pytest.raises(SubjectError, match=r"with 3\.png in s\.zip the images have more than 11 pixels; give fewer"):
        read(("1.png", DOT), ("2.png", DOT), ("3.png", DOT))


def test_what_a_picture_says_of_its_size_is_looked_at_before_it_is_decoded(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (30, 40)).save(file, "PNG")
    cut_off = file.getvalue()[:45]  # its header, and the beginning of nothing that could be decoded
    monkeypatch.setattr(sample_images, "MOST_PIXELS_IN_ALL", 1_203)
    with pytest.raises(SubjectError, match=r"2\.png in s\.zip cannot be read as an image"):
        read(("2.png", cut_off))
    with pytest.raises(SubjectError, match=r"with 2\.png in s\.zip the images have more than 1,203 pixels"):
        read(("1.png", DOT), ("2.png", cut_off))
    monkeypatch.setattr(sample_images, "MOST_PIXELS", 1_199)
    with pytest.raises(SubjectError, match=r"2\.png in s\.zip has 30 x 40 pixels; make it smaller"):
        read(("2.png", cut_off))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["s.zip", "s.npz"])
def test_a_member_that_says_it_is_small_and_is_not(tmp_path: Path, name: str, compression: int) -> None:
    """By bzip2, 350 MiB are 300 bytes, and zipfile unpacks them all before it looks at the size they should have."""
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("1.png" if name == "s.zip" else "x.npy", bytes(4 << 20))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[22:26] = content[entry + 24 : entry + 28] = struct.pack("<I", 100)
    path.write_bytes(content)
    tracemalloc.start()
    unpacked = compression == zipfile.ZIP_DEFLATED
    with pytest.raises(SubjectError, match="Bad CRC-32" if unpacked else "packed in an unusual way; zip it again"):
        read_samples(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_an_entry_without_a_name_is_no_sample(tmp_path: Path) -> None:
    """The name of a damaged archive's entry is cut off at a byte of zero, which may be its first."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("nameless.png", DOT)
        archive.writestr("cat/1.png", DOT)
    (tmp_path / "s.zip").write_bytes(file.getvalue().replace(b"nameless.png", b"\0ameless.png"))
    assert read_samples(tmp_path / "s.zip").held == 1
