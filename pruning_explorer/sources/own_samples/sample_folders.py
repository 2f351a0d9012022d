"""Samples as the files of a folder, or of a zip of one: images, or tables, lines and arrays; in parts, if there are."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.npz_file import ARCHIVE_ERRORS, open_archive
from pruning_explorer.sources.own_samples.sample_arrays import read_arrays
from pruning_explorer.sources.own_samples.sample_images import IMAGES, Open, is_image, read_images
from pruning_explorer.sources.own_samples.sample_lines import read_lines
from pruning_explorer.sources.own_samples.sample_parts import Parts, parts_by_file, parts_by_folder
from pruning_explorer.sources.own_samples.sample_set import SampleSet, judged_part
from pruning_explorer.sources.own_samples.sample_tables import read_csv

LARGEST_ARCHIVE = 1 << 30
LARGEST_IMAGE = 64 << 20
LARGEST_FILE = 512 << 20

_READERS: dict[str, Callable[[str, bytes], SampleSet]] = {".npz": read_arrays, ".csv": read_csv, ".txt": read_lines}
_NO_SAMPLES = ("readme", "license", "licence", "notice", "changelog", "requirements", "classes", "citation")
"""What texts are called that lie beside samples."""

Files = Mapping[PurePosixPath, Open]


def read_folder(path: Path, name: str, part: str | None = None) -> SampleSet:
    """The samples of a folder, in the order of their names.

    Args:
        part: which is judged, of several; without it the one that is held out by its name.

    Raises:
        SubjectError: there are none, one of them is damaged or too large, or there is no such part.
    """
    return _read(name, _in_folder(path, name), part)


def read_archive(name: str, content: bytes, part: str | None = None) -> SampleSet:
    """The samples of a zipped folder, in the order of their names; nothing is written anywhere.

    Raises:
        SubjectError: it is damaged, unpacks to too much, or is refused as :func:`read_folder` does.
    """
    try:
        with open_archive(name, content, LARGEST_ARCHIVE) as archive:
            return _read(name, _in_archive(name, archive), part)
    except ARCHIVE_ERRORS as error:
        raise SubjectError(f"{name} cannot be unpacked ({error or type(error).__name__}); zip it again") from None


def parts_of_archive(name: str, content: bytes) -> Parts | None:
    """The parts of a zipped folder's samples; None where there is only one.

    Raises:
        SubjectError: as :func:`read_archive`.
    """
    try:
        with open_archive(name, content, LARGEST_ARCHIVE) as archive:
            return _parts(_in_archive(name, archive))
    except ARCHIVE_ERRORS as error:
        raise SubjectError(f"{name} cannot be unpacked ({error or type(error).__name__}); zip it again") from None


def _in_folder(path: Path, name: str) -> Files:
    return _samples_among(
        {
            PurePosixPath(file.relative_to(path).as_posix()): _reader(file, name)
            for file in sorted(path.rglob("*"))
            if file.is_file()
        }
    )


def _in_archive(name: str, archive: zipfile.ZipFile) -> Files:
    members: dict[PurePosixPath, Open] = {}
    for member in sorted(archive.infolist(), key=lambda member: member.filename):
        place = PurePosixPath(member.filename.replace("\\", "/"))  # as some programs of Windows write it
        if member.filename.endswith("/") or not _may_be_samples(place):
            continue
        if place in members:
            raise SubjectError(f"{name} holds {place} twice; put it in once")
        members[place] = _member(archive, member)
    return _samples_among(members)


def _may_be_samples(place: PurePosixPath) -> bool:
    # macOS puts a `._1.png` beside `1.png`, and in a zip a whole tree of them
    if not place.parts or place.name.startswith(".") or place.parts[0] == "__MACOSX":
        return False
    return is_image(place) or (place.suffix.lower() in _READERS and place.stem.lower() not in _NO_SAMPLES)


def _samples_among(files: Files) -> Files:
    """The images; where there are none, the files that are sets of samples."""
    samples = {place: read for place, read in files.items() if _may_be_samples(place)}
    return {place: read for place, read in samples.items() if is_image(place)} or samples


def _largest(place: PurePosixPath) -> int:
    return LARGEST_IMAGE if is_image(place) else LARGEST_FILE


def _reader(file: Path, name: str) -> Open:
    def read() -> bytes:
        if file.stat().st_size > (most := _largest(PurePosixPath(file.name))):
            raise SubjectError(f"{file.name} in {name} is larger than {most >> 20} MiB; make it smaller")
        return file.read_bytes()

    return read


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Open:
    def read() -> bytes:
        if member.file_size > (most := _largest(PurePosixPath(member.filename))):
            raise SubjectError(f"{member.filename} is larger than {most >> 20} MiB; make it smaller")
        with archive.open(member) as file:
            return file.read(member.file_size)

    return read


def _parts(files: Files) -> Parts | None:
    images = any(map(is_image, files))
    return parts_by_folder(files) if images else parts_by_file(files)


def _read(name: str, files: Files, part: str | None) -> SampleSet:
    if not files:
        raise SubjectError(
            f"{name} holds no image; put {', '.join(IMAGES[:3])} … into it, in a folder for each class, or a .csv"
        )
    parts = _parts(files)
    if parts is None:
        if part is not None:
            raise SubjectError(f"{name} holds its samples in one part, so none is called {part[:60]!r}; leave it out")
        return _read_files(name, name, files)
    chosen = parts.choose(name, part)
    held = {
        PurePosixPath(parts.of[str(place)][1]): read for place, read in files.items() if _is_of(parts, place, chosen)
    }
    called = name if len(parts.names) == 1 else f"{name}#{chosen}"
    samples = _read_files(name, called, held)
    if not any(map(is_image, files)):
        return judged_part(samples, parts, chosen, {})
    of = [part for part, _ in parts.of.values()]
    return judged_part(samples, parts, chosen, {each: of.count(each) for each in parts.names}, len(files) - len(of))


def _is_of(parts: Parts, place: PurePosixPath, chosen: str) -> bool:
    return parts.of.get(str(place), ("", ""))[0] == chosen and str(place) in parts.of


def _read_files(name: str, called: str, files: Files) -> SampleSet:
    place, read = next(iter(files.items()))
    if is_image(place):
        return read_images(called, files)
    inner = called if called != name else f"{place.name} in {name}"
    return _READERS[place.suffix.lower()](inner, read())
