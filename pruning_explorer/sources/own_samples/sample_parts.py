"""Parts of a set of samples, such as train and test: which there are, by their names, and which is judged."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pruning_explorer.errors import SubjectError

TRAIN = ("train", "training")
VALIDATION = ("val", "valid", "validation", "validate", "dev", "development", "eval", "evaluation")
TEST = ("test", "testing", "holdout", "heldout")
KINDS = {word: kind for kind, words in enumerate((TEST, VALIDATION, TRAIN)) for word in words}
"""What parts are called, with what is judged first: what was held out to the last."""
UNKNOWN = 2.5
MOST_NAMED = 20
"""Most files of samples in one archive or folder that are offered one by one."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


@dataclass(frozen=True)
class Parts:
    """The parts in which a file holds its samples.

    Attributes:
        names: as the file has them, each once.
        default: the one that is judged where nobody chooses; None where the names do not say.
        of: the part of each thing in the file, and what it is called within; what is of none is not there.
    """

    names: tuple[str, ...]
    default: str | None
    of: Mapping[str, tuple[str, str]]

    def choose(self, name: str, part: str | None) -> str:
        """The part that is asked for, or the default.

        Args:
            name: of the file, for messages.

        Raises:
            SubjectError: there is none of that name, or none is asked for and the names do not say which is judged.
        """
        chosen = self.default if part is None else part
        listed = ", ".join(each[:60] for each in self.names[:6]) + " …" * (len(self.names) > 6)
        if chosen is None:
            raise SubjectError(f"{name} holds {listed}; say which is judged, as {name}#{self.names[0][:60]}")
        if chosen not in self.names:
            raise SubjectError(f"{name} has no part {chosen[:60]!r}; it has {listed}")
        return chosen

    def left_aside(self, chosen: str, counts: Mapping[str, int]) -> tuple[str, ...]:
        """A sentence on the parts that are not used, as none is where there is only one.

        Args:
            counts: how many samples each part has, as far as that is known.
        """
        others = [
            each[:60] + (f" ({counts[each]:,} samples)" if each in counts else "")
            for each in self.names
            if each != chosen
        ]
        if not others:
            return ()
        shown = ", ".join(others[:6]) + " …" * (len(others) > 6)
        verb = "is" if len(others) == 1 else "are"
        why = f"{chosen[:60]} is held out by its name" if kind_of(chosen) in (0, 1) else f"{chosen[:60]} is judged"
        return (f"Of the same file {shown} {verb} not judged: {why}.",)


def kind_of(name: str) -> int | None:
    """0 for a part to test on, 1 to validate on, 2 to train on; None where a name says nothing of it.

    >>> [kind_of(name) for name in ("test", "ValSet", "mnist_train", "held-out", "X_test", "xtrain", "cat")]
    [0, 1, 2, 0, 0, 2, None]
    """
    return _kind_and_rest(name)[0]


def _kind_and_rest(name: str) -> tuple[int | None, str, str]:
    """The kind of part in a name, the word that says so, and the name without it."""
    joined = re.sub(r"(?i)h[eo]ld[_ -]?out", "holdout", name[:200])
    if joined[:1] in "xyXY" and joined[1:].lower() in KINDS:
        joined = f"{joined[:1]}_{joined[1:]}"
    words = _WORDS.findall(joined)
    found = [word for word in words if word.lower() in KINDS]
    if len({KINDS[word.lower()] for word in found}) != 1:
        return None, "", name
    return KINDS[found[0].lower()], found[0].lower(), "_".join(word for word in words if word not in found)


def held_out(names: Sequence[str]) -> str:
    """Which of the parts is judged: the last held out.

    >>> held_out(["train", "val"]), held_out(["test", "train", "val"])
    ('val', 'test')
    """
    return min(names, key=lambda each: UNKNOWN if (kind := kind_of(each)) is None else kind)


def parts_by_folder(places: Iterable[PurePosixPath]) -> Parts | None:
    """Parts by the folders of files; None where they are in none.

    Folders side by side are parts where at least two are called so, of different kinds; else all files must be in a
    folder that is called so, whatever else is around it.

    >>> parts = parts_by_folder(map(PurePosixPath, ("a/train/cat/1.png", "a/test/cat/1.png")))
    >>> parts.default, parts.of["a/test/cat/1.png"]
    ('test', ('test', 'a/cat/1.png'))
    """
    paths = list(places)
    beside: dict[tuple[str, ...], set[str]] = {}
    for path in paths:
        for place, folder in enumerate(path.parts[:-1]):
            beside.setdefault(path.parts[:place], set()).add(folder)
    divided = {above for above, names in beside.items() if len({kind_of(name) for name in names} - {None}) > 1}
    of: dict[str, tuple[str, str]] = {}
    for path in paths:
        for place, folder in enumerate(path.parts[:-1]):
            if path.parts[:place] in divided if divided else folder.lower() in KINDS:
                of[str(path)] = folder, str(PurePosixPath(*path.parts[:place], *path.parts[place + 1 :]))
                break
    names = tuple(dict.fromkeys(part for part, _ in of.values()))
    if not names or (not divided and (len(of) < len(paths) or len(names) > 1)):
        return None
    return Parts(names, held_out(names), of)


def parts_by_file(places: Iterable[PurePosixPath]) -> Parts | None:
    """Parts where each file is a set of samples: by names of files or folders, else each file by itself.

    None where there is only one file.

    >>> parts_by_file(map(PurePosixPath, ("train.csv", "test.csv", "sample_submission.csv"))).names
    ('train', 'test', 'sample_submission')

    Raises:
        SubjectError: there are too many, and no names say which is judged.
    """
    paths = {PurePosixPath(*place.parts[:-1], place.stem, place.name): place for place in places}
    if len(paths) < 2:
        return None
    named = parts_by_folder(paths)
    if named is not None and len(named.names) > 1 and len({*named.of.values()}) == len(named.names) == len(paths):
        return Parts(
            named.names, named.default, {str(paths[PurePosixPath(key)]): each for key, each in named.of.items()}
        )
    names = tuple(str(place) for place in paths.values())
    if len(names) > MOST_NAMED:
        raise SubjectError(f"there are {len(names):,} files of samples; put those that are judged into one")
    kinds = {kind_of(name) for name in names} - {None}
    return Parts(names, held_out(names) if kinds else None, {name: (name, name) for name in names})


def parts_by_name(keys: Sequence[str]) -> Parts | None:
    """Parts by the names of arrays; None where these name less than two kinds of parts, or not all name the only one.

    >>> parts_by_name(["x_train", "y_train", "x_test", "y_test"]).of["y_test"]
    ('test', 'y')
    """
    found = {key: _kind_and_rest(key) for key in keys}
    of = {key: (word, rest) for key, (kind, word, rest) in found.items() if kind is not None}
    names = tuple(dict.fromkeys(word for word, _ in of.values()))
    if len({KINDS[word] for word in names}) < 2 and (len(names) != 1 or len(of) < len(keys)):
        return None
    return Parts(names, held_out(names), of)
