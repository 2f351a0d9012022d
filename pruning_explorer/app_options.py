"""What whoever starts the app says on the command line: ``streamlit run app.py -- --subject model.safetensors``."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

DEFAULT_CACHE_MIB = 4096


@dataclass(frozen=True)
class Asked:
    """A network that every visitor shall find.

    Attributes:
        words: as :func:`~pruning_explorer.sources.words.load_subject` takes them.
        samples: path of what it is judged on; None for what it brings itself.
        calibration: path of the inputs that criteria may look at.
        calibration_share: of the samples, kept apart for that.
        calibration_seed: which ones are.
        name: what to call it; None for the name that it brings itself.
    """

    words: str
    samples: str | None = None
    name: str | None = None
    calibration: str | None = None
    calibration_share: float | None = None
    calibration_seed: int | None = None


@dataclass(frozen=True)
class Options:
    """Of one start of the app.

    Attributes:
        subjects: networks to open, in order; the first one is shown first.
        lessons: folders, or files, whose lessons every visitor finds.
        cache_mib: MiB that rankings, outputs and pictures of all sessions together may hold.
    """

    subjects: tuple[Asked, ...] = ()
    lessons: tuple[Path, ...] = ()
    cache_mib: int = DEFAULT_CACHE_MIB


def options_parser(prog: str = "streamlit run app.py --", epilog: str = "") -> argparse.ArgumentParser:
    """The flags of the app.

    Args:
        prog: how such a command line begins, for the help.
        epilog: the help's last words.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Open the app with networks of your own.",
        epilog=epilog,
        allow_abbrev=False,
    )
    parser.set_defaults(subjects=[])
    parser.add_argument(
        "--subject",
        metavar="SUBJECT",
        action=_Subject,
        help="a checkpoint (.safetensors, .pt; FILE#NETWORK for one of several in it), an exported program (.pt2), "
        "package.module:function, or timm:NAME, torchvision:NAME, hf:NAME; may be given several times",
    )
    parser.add_argument(
        "--samples",
        metavar="FILE",
        action=_OfTheLast,
        help="inputs to judge the --subject before it on: .npz, .csv, .txt, or a folder of images; FILE#PART for one "
        "of several parts in it; else the held-out one",
    )
    parser.add_argument(
        "--calibration",
        metavar="FILE",
        action=_OfTheLast,
        help="inputs that criteria may look at, for the --subject before it; those that are judged are left out",
    )
    parser.add_argument(
        "--calibration-share",
        metavar="FRACTION",
        type=float,
        action=_OfTheLast,
        help="keep this share of its samples apart for criteria to look at, and judge the others",
    )
    parser.add_argument(
        "--calibration-seed", metavar="SEED", type=int, action=_OfTheLast, help="which ones are kept apart [default 0]"
    )
    parser.add_argument(
        "--name",
        metavar="NAME",
        action=_OfTheLast,
        help="what to call the --subject before it; else its function, or the last part of its path",
    )
    parser.add_argument(
        "--lessons",
        metavar="FOLDER",
        type=Path,
        action="append",
        default=[],
        help="show the lessons in this folder (.toml) on the Learn page; may be given several times",
    )
    parser.add_argument(
        "--cache-mib",
        metavar="MIB",
        type=int,
        default=DEFAULT_CACHE_MIB,
        help="memory that all sessions' rankings, outputs and pictures together may hold [default %(default)s]",
    )
    return parser


def read_options(arguments: Sequence[str], prog: str = "streamlit run app.py --", epilog: str = "") -> Options:
    """Read a command line; what makes no sense ends the program with a line that says why.

    Args:
        prog, epilog: as of :func:`options_parser`.
    """
    parser = options_parser(prog, epilog)
    read = parser.parse_args(list(arguments))
    if read.cache_mib < 1:
        parser.error(f"argument --cache-mib: {read.cache_mib} is too little; give at least 1, better 512 or more")
    for folder in read.lessons:
        if not folder.exists():
            parser.error(f"argument --lessons: {folder} is not there; give a folder with lessons in it, or one file")
    return Options(tuple(read.subjects), tuple(path.resolve() for path in read.lessons), read.cache_mib)


class _Subject(argparse.Action):
    def __call__(self, _parser: Any, namespace: argparse.Namespace, value: Any, _flag: Any = None) -> None:
        namespace.subjects = [*namespace.subjects, Asked(value)]


class _OfTheLast(argparse.Action):
    """Sets the field called like the flag of the network before it, once."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, value: Any, flag: Any = None
    ) -> None:
        if not namespace.subjects or getattr(namespace.subjects[-1], self.dest) is not None:
            parser.error(f"argument {flag}: {value} belongs to no --subject; write it after the one it is for")
        *others, last = namespace.subjects
        namespace.subjects = [*others, replace(last, **{self.dest: value})]
