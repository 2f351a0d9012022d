"""Samples as images: a folder, or a zip of one; a folder in it for each class, if there are classes."""

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image as Pillow

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.npz_file import ARCHIVE_ERRORS, open_archive
from pruning_explorer.sources.sample_set import Image, SampleSet, classes_of, spread

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
LARGEST_IMAGE = 64 << 20
LARGEST_ARCHIVE = 1 << 30
MOST_PIXELS = 1 << 26
"""Of one image before it is made smaller."""
LONGEST_SIDE = 512
"""Of an image as it is kept; a network rarely takes more."""
MOST_BYTES = 512 << 20
"""Of all images as they are kept."""

Open = Callable[[], bytes]


def read_folder(path: Path, name: str) -> SampleSet:
    """The images of a folder, in the order of their names.

    Raises:
        SubjectError: there are none, or one of them is damaged or too large.
    """
    files = {
        PurePosixPath(file.relative_to(path).as_posix()): _reader(file, name)
        for file in sorted(path.rglob("*"))
        if file.suffix.lower() in IMAGES and file.is_file()
    }
    return _read(name, files)


def read_archive(name: str, content: bytes) -> SampleSet:
    """The images of a zipped folder, in the order of their names; nothing is written anywhere.

    Raises:
        SubjectError: it is damaged, unpacks to too much, holds no image, or one that is damaged or too large.
    """
    try:
        with open_archive(name, content, LARGEST_ARCHIVE) as archive:
            members = {
                PurePosixPath(member.filename): _member(archive, member)
                for member in sorted(archive.infolist(), key=lambda member: member.filename)
                if PurePosixPath(member.filename).suffix.lower() in IMAGES
                and not member.filename.startswith("__MACOSX/")
            }
            return _read(name, members)
    except ARCHIVE_ERRORS as error:
        raise SubjectError(f"{name} cannot be unpacked ({error or type(error).__name__}); zip it again") from None


def _reader(file: Path, name: str) -> Open:
    def read() -> bytes:
        if file.stat().st_size > LARGEST_IMAGE:
            raise SubjectError(f"{file.name} in {name} is larger than {LARGEST_IMAGE >> 20} MiB; make it smaller")
        return file.read_bytes()

    return read


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Open:
    def read() -> bytes:
        if member.file_size > LARGEST_IMAGE:
            raise SubjectError(f"{member.filename} is larger than {LARGEST_IMAGE >> 20} MiB; make it smaller")
        with archive.open(member) as file:
            return file.read(LARGEST_IMAGE)

    return read


def _read(name: str, files: dict[PurePosixPath, Open]) -> SampleSet:
    if not files:
        raise SubjectError(f"{name} holds no image; put {', '.join(IMAGES[:3])} … into it, in a folder for each class")
    paths = list(files)
    used = [paths[i] for i in spread(len(paths))]
    images: list[Image] = []
    kept = 0
    for path in used:
        image = _decode(f"{path} in {name}", files[path]())
        kept += image.nbytes
        if kept > MOST_BYTES:
            raise SubjectError(
                f"the images of {name} take more than {MOST_BYTES >> 20} MiB; give fewer, or smaller ones"
            )
        images.append(image)
    classes = [path.parent.name for path in used]
    labels, names = classes_of(classes) if len(set(classes)) > 1 and all(classes) else (None, ())
    return SampleSet(name, images=tuple(images), labels=labels, class_names=names, held=len(files))


def _decode(where: str, content: bytes) -> Image:
    """RGB, uint8 ``[H, W, 3]``, no side longer than is kept."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a size that we judge ourselves, before any pixel is decoded
            with Pillow.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise SubjectError(f"{where} has {image.width} x {image.height} pixels; make it smaller")
                image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
                plain = image.convert("RGB")
                plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
                return np.asarray(plain, dtype=np.uint8).copy()
    except SubjectError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them stumble over
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SubjectError(f"{where} cannot be read as an image ({reason}); save it again, or take it out") from None
