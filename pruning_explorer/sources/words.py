"""Subjects by the words that a person writes for them, the same everywhere: in Python, in a terminal, for the app."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.by_name.library import LIBRARIES, load_by_name
from pruning_explorer.sources.checkpoints.kinds import head_of, is_exported, is_of_torch
from pruning_explorer.sources.checkpoints.shards import CHECKPOINTS, broken_link
from pruning_explorer.sources.samples import SAMPLES, load_sample

EXPORTED = ".pt2"
_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def load_subject(
    words: str,
    samples: str | Path | None = None,
    *,
    calibration: str | Path | None = None,
    calibration_share: float | None = None,
    calibration_seed: int = 0,
) -> Subject:
    """A network by its words, with what it is judged on.

    Args:
        words: one of

            - a sample's name, ``"digits-cnn"``;
            - a checkpoint alone, ``"model.safetensors"``, the index of one in parts, a folder that holds one, or what
              ``torch.save`` made of a ``state_dict``: its weights can be looked at and pruned, nothing is run;
            - one network of a file that holds several, ``"gan.pt#generator"``;
            - an exported program, ``"model.pt2"``;
            - a function that makes the network, ``"package.module:function"``
              (:func:`~pruning_explorer.sources.factory.call_factory` shows one);
            - a network of a library, ``"timm:resnet18"``, ``"torchvision:resnet18"``, ``"hf:bert-base-uncased"``.
        samples: a file or folder of inputs to judge it on in place of its own
            (:func:`~pruning_explorer.sources.own_samples.sample_files.read_samples` says of which kinds);
            ``"data.zip#test"`` for one part of it.
        calibration: a file or folder of inputs that criteria may look at, in place of its own; those that are judged,
            too, are left out.
        calibration_share: of the samples, in (0, 1): so many are kept apart for calibration and not judged.
        calibration_seed: which ones are drawn for it.

    Raises:
        SubjectError: there is no such network, or it cannot be read, or the samples do not fit it.

    >>> load_subject("tutorial-mlp").weight("fc1.weight").shape
    torch.Size([4, 5])
    """
    if calibration is not None and calibration_share is not None:
        raise SubjectError("calibration inputs come from a file or as a share of the samples; give one of them")
    subject = _load(words.strip())
    if samples is None and calibration is None and calibration_share is None:
        return subject
    from pruning_explorer.sources.own_samples.sample_files import read_samples
    from pruning_explorer.sources.own_samples.sample_fit import fit_calibration, fit_samples
    from pruning_explorer.sources.own_samples.sample_share import keep_apart

    if samples is not None:
        subject = fit_samples(subject, read_samples(Path(samples)))
    if calibration is not None:
        return fit_calibration(subject, read_samples(Path(calibration)))
    return subject if calibration_share is None else keep_apart(subject, calibration_share, calibration_seed)


def open_file(path: Path, name: str | None = None, key: str | None = None) -> Subject:
    """A checkpoint or an exported program, by its content.

    Args:
        name: what to call it; without it, the file's.
        key: which network of a checkpoint that holds several.

    Raises:
        SubjectError: it cannot be read as what it is.
    """
    if path.is_file() and key is None and _is_exported(path):
        from pruning_explorer.sources.exported import open_exported

        return open_exported(path, name=name)
    from pruning_explorer.sources.checkpoints.checkpoint import open_checkpoint

    return open_checkpoint(path, name=name, key=key)


def networks_in_file(path: Path, name: str) -> tuple[str, ...]:
    """The names of the networks in a checkpoint, by one of which :func:`open_file` opens it; empty for any other file.

    Args:
        name: what to call it.

    Raises:
        SubjectError: it cannot be read.
    """
    if not path.is_file() or _is_exported(path):
        return ()
    from pruning_explorer.sources.checkpoints.reading import networks_in

    return networks_in(path, name)


def _is_exported(path: Path) -> bool:
    try:
        return is_exported(path) or (path.suffix.lower() == EXPORTED and not is_of_torch(head_of(path)))
    except OSError:  # which whoever opens it says
        return path.suffix.lower() == EXPORTED


def names_a_library(words: str) -> bool:
    """Whether these are words for :func:`~pruning_explorer.sources.by_name.library.load_by_name`."""
    prefix, colon, _ = words.partition(":")
    return bool(colon) and prefix in LIBRARIES


class Loader:
    """Loads one subject by its words, whatever name it is asked for; may be sent to other processes.

    Each process loads it once.
    """

    def __init__(self, words: str, samples: str | Path | None = None, **calibration: Any) -> None:
        """Of what is loaded.

        Args:
            words, samples, calibration: as :func:`load_subject` takes them.
        """
        self._asked = words, samples, tuple(calibration.items())

    def __call__(self, _name: str) -> Subject:
        return _load_once(*self._asked)


@lru_cache(maxsize=2)
def _load_once(words: str, samples: str | Path | None, calibration: tuple[tuple[str, Any], ...]) -> Subject:
    return load_subject(words, samples, **dict(calibration))


def _load(words: str) -> Subject:
    if words in SAMPLES:
        return load_sample(words)
    if names_a_library(words):
        return load_by_name(words)
    path = Path(words).expanduser()
    if words and path.exists():
        return open_file(path)
    if words and path.is_symlink():
        raise SubjectError(broken_link(path))
    for place in [found.start() for found in re.finditer("#", words)][::-1]:
        if words[:place] and (path := Path(words[:place]).expanduser()).exists():
            return open_file(path, key=words[place + 1 :])
    if words.lower().endswith((EXPORTED, *CHECKPOINTS, ".json")) or "/" in words or "#" in words:
        raise SubjectError(f"there is no file {words}; give the path of a checkpoint or of an exported program")
    if _FACTORY.fullmatch(words):
        from pruning_explorer.sources.factory import call_factory

        return call_factory(words)
    return load_sample(words)  # which says what there is
