"""Samples as images: a folder, or a zip of one; a folder in it for each class, if there are classes."""

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.npz_file import ARCHIVE_ERRORS, open_archive
from pruning_explorer.sources.own_samples.sample_set import Image, SampleSet, classes_of, spread

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
LARGEST_IMAGE = 64 << 20
LARGEST_ARCHIVE = 1 << 30
MOST_PIXELS = 1 << 26
"""Most pixels of one image before it is made smaller."""
MOST_PIXELS_IN_ALL = 1 << 31
"""Most pixels of all images as they are decoded: small files may hold so many that decoding takes an hour."""
LONGEST_SIDE = 512
"""Longest side in pixels of an image as it is kept; networks rarely take more."""
MOST_BYTES = 512 << 20
"""Most bytes of all images as they are kept."""

Open = Callable[[], bytes]


def read_folder(path: Path, name: str) -> SampleSet:
    """The images of a folder, in the order of their names.

    Raises:
        SubjectError: there are none, or one of them is damaged or too large.
    """
    files = {
        place: _reader(file, name)
        for file in sorted(path.rglob("*"))
        if _is_image(place := PurePosixPath(file.relative_to(path).as_posix())) and file.is_file()
    }
    return _read(name, files)


def read_archive(name: str, content: bytes) -> SampleSet:
    """The images of a zipped folder, in the order of their names; nothing is written anywhere.

    Raises:
        SubjectError: it is damaged, unpacks to too much, holds no image, or one that is damaged or too large.
    """
    try:
        with open_archive(name, content, LARGEST_ARCHIVE) as archive:
            members: dict[PurePosixPath, Open] = {}
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                place = PurePosixPath(member.filename.replace("\\", "/"))  # as some programs of Windows write it
                if not _is_image(place):
                    continue
                if place in members:
                    raise SubjectError(f"{name} holds {place} twice; put it in once")
                members[place] = _member(archive, member)
            return _read(name, members)
    except ARCHIVE_ERRORS as error:
        raise SubjectError(f"{name} cannot be unpacked ({error or type(error).__name__}); zip it again") from None


def _is_image(place: PurePosixPath) -> bool:
    # macOS puts a `._1.png` beside `1.png`, and in a zip a whole tree of them
    return place.suffix.lower() in IMAGES and not place.name.startswith(".") and place.parts[0] != "__MACOSX"


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
            return file.read(member.file_size)

    return read


def _read(name: str, files: dict[PurePosixPath, Open]) -> SampleSet:
    if not files:
        raise SubjectError(f"{name} holds no image; put {', '.join(IMAGES[:3])} … into it, in a folder for each class")
    paths = list(files)
    used = [paths[i] for i in spread(len(paths))]
    images: list[Image] = []
    kept = decoded = 0
    for path in used:
        image, pixels = _decode(f"{path} in {name}", files[path](), MOST_PIXELS_IN_ALL - decoded)
        kept, decoded = kept + image.nbytes, decoded + pixels
        if kept > MOST_BYTES:
            raise SubjectError(
                f"the images of {name} take more than {MOST_BYTES >> 20} MiB; give fewer, or smaller ones"
            )
        images.append(image)
    labels, names = _classes(name, paths, used)
    return SampleSet(name, images=tuple(images), labels=labels, class_names=names, held=len(files))


def _classes(
    name: str, paths: Sequence[PurePosixPath], used: Sequence[PurePosixPath]
) -> tuple[Tensor | None, tuple[str, ...]]:
    """Labels of the used ones by the folders they are in; none where all are in one."""
    folders = {path.parent for path in paths}
    for folder in folders:
        inner = next((each for each in folders if folder in each.parents), None)
        if inner is not None:
            where = "at its top" if folder == PurePosixPath(".") else f"in {folder}"
            raise SubjectError(
                f"{name} has images {where} and in the folder {inner}, too; for classes put each image into the folder "
                "of its class, without classes all into one"
            )
    if len({folder.name for folder in folders}) == 1:
        return None, ()
    return classes_of([path.parent.name for path in used])


def _decode(where: str, content: bytes, room: int) -> tuple[Image, int]:
    """RGB, uint8 ``[H, W, 3]``, right way up, no side longer than is kept; and how many pixels were decoded for it.

    What it says of its size is looked at first, and nothing is decoded that is too large.

    Args:
        room: pixels that may be decoded for it.
    """
    try:
        with Pillow.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise SubjectError(f"{where} has {image.width} x {image.height} pixels; make it smaller")
            if image.mode in ("I", "F"):
                raise SubjectError(f"{where} has pixels of 32 bits, whose white is not known; save it with 8 or 16")
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            pixels = image.width * image.height
            if pixels > room:
                raise SubjectError(
                    f"with {where} the images have more than {MOST_PIXELS_IN_ALL:,} pixels; give fewer, or smaller ones"
                )
            # Pillow itself would cut 16 bits off at 255, and nearly all would be white
            narrow = Pillow.fromarray((np.asarray(image) >> 8).astype(np.uint8)) if "16" in image.mode else image
            plain = narrow.convert("RGB")
            plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(plain)
            return np.array(upright, dtype=np.uint8), pixels
    except SubjectError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them stumble over
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SubjectError(f"{where} cannot be read as an image ({reason}); save it again, or take it out") from None
