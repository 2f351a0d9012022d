"""Samples as images: a folder for each class, if there are classes."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.own_samples.sample_set import Image, SampleSet, classes_of, spread

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
MOST_PIXELS = 1 << 26
"""Most pixels of one image before it is made smaller."""
MOST_PIXELS_IN_ALL = 1 << 31
"""Most pixels of all images as they are decoded: small files may hold so many that decoding takes an hour."""
LONGEST_SIDE = 512
"""Longest side in pixels of an image as it is kept; networks rarely take more."""
MOST_BYTES = 512 << 20
"""Most bytes of all images as they are kept."""

Open = Callable[[], bytes]


def is_image(place: PurePosixPath) -> bool:
    """Whether a file is called as an image is."""
    return place.suffix.lower() in IMAGES


def read_images(name: str, files: Mapping[PurePosixPath, Open]) -> SampleSet:
    """The images of a folder, in the order of their names.

    Args:
        files: their places below the folder, in order, at least one; and how each is read.

    Raises:
        SubjectError: one of them is damaged or too large, or folders say no class.
    """
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
