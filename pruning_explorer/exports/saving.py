"""Save a pruned network: written beside its place, opened again, compared bit by bit, and only then put there."""

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pruning_explorer.errors import NO_ROOM, ExportError
from pruning_explorer.exports.contents import What, contents_of
from pruning_explorer.exports.in_turn import MasksInTurn, masks_in_turn
from pruning_explorer.exports.loading_lines import loading_lines
from pruning_explorer.exports.safetensors_format import SafetensorsFile
from pruning_explorer.exports.torch_format import TorchFile
from pruning_explorer.measure.recalibration import recalibrated_statistics
from pruning_explorer.prune.engine import compute_masks
from pruning_explorer.prune.masks import Masks
from pruning_explorer.prune.recipe import Recipe
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target

FORMATS: Mapping[str, type[SafetensorsFile] | type[TorchFile]] = {
    ".safetensors": SafetensorsFile,
    ".pt": TorchFile,
    ".pth": TorchFile,
}
"""The class that writes a file, by the ending of its name."""

Tell = Callable[[float], None]


@dataclass(frozen=True)
class Saved:
    """A file that was written, opened again and found to be what was computed.

    Attributes:
        path: where it lies.
        what: ``"weights"``, ``"masks"`` or ``"prune"``.
        nbytes: its size.
        tensors: how many tensors it holds.
        library: by which it was opened again.
        loading: lines of Python that load it into ``model``, in plain torch.
    """

    path: Path
    what: What
    nbytes: int
    tensors: int
    library: str
    loading: str


class AlreadyThereError(ExportError):
    """There is such a file already, and it is not to be overwritten."""

    def __init__(self, path: Path, hint: str = "give overwrite=True to write over it") -> None:
        super().__init__(f"{path} is there already; name another file, or {hint}")
        self.path = path


class Export:
    """A result that can be saved; nothing is read or written yet.

    Attributes:
        nbytes: size of the file in bytes: exact for .safetensors, approximate for .pt.
    """

    def __init__(
        self,
        subject: Subject,
        pruned: Recipe | Masks,
        what: What = "weights",
        ending: str = ".safetensors",
    ) -> None:
        """See :func:`export`.

        Args:
            ending: of the file.
        """
        if ending.lower() not in FORMATS:
            raise ExportError(f"a file cannot end in {ending!r}; choose one of {', '.join(FORMATS)}")
        self._subject, self._what = subject, what
        self._targets, masks, whole = _masks_of(subject, pruned)
        statistics = recalibrated_statistics(subject, whole) if whole is not None and whole.recalibrate else {}
        self._contents = contents_of(
            subject,
            self._targets,
            masks,
            what,
            statistics=statistics,
            recipe=pruned if isinstance(pruned, Recipe) else pruned.recipe,
        )
        self._file = FORMATS[ending.lower()](self._contents)
        self.nbytes = self._file.nbytes

    def save(self, path: Path, *, overwrite: bool = False, tell: Tell = lambda _: None) -> Saved:
        """Write the file; as :func:`export`.

        Args:
            path: with the ending that the export was made for.
            tell: called with the progress, in [0, 1]; an exception from it stops the saving.
        """
        check_place(path, overwrite)
        progress = _Progress(2 * self._contents.nbytes, tell, self._subject.check_files)
        beside = path.parent / f".{path.name[:100]}.{secrets.token_hex(8)}.part"
        try:
            with beside.open("xb") as file:  # where nobody can have put a link
                self._file.write(file, progress.add)
                file.flush()
                os.fsync(file.fileno())
            self._file.check(beside, progress.add)
            nbytes = beside.stat().st_size
            if path.exists() and not overwrite:
                raise AlreadyThereError(path)
            os.replace(beside, path)
        except OSError as error:
            raise _cannot_be_written(path, error, self.nbytes) from error
        finally:
            beside.unlink(missing_ok=True)
        tell(1.0)
        loading = loading_lines(self._subject, self._targets, self._what, path.name)
        return Saved(path, self._what, nbytes, len(self._contents.values), self._file.library, loading)

    def check(self, path: Path) -> None:
        """Open a file and hold every bit of it against what is to be saved.

        Raises:
            ExportError: the file holds something else.
        """
        self._file.check(path, lambda _: None)


def export(
    subject: Subject,
    pruned: Recipe | Masks,
    path: str | os.PathLike[str],
    what: What = "weights",
    *,
    overwrite: bool = False,
) -> Saved:
    """Save what a recipe, or masks, make of a network, so that plain torch can load it.

    The names are those of the network's ``state_dict``; dtypes, buffers and ties are as they were. What BatchNorm
    measured again under the masks is in the file, too, unless that is of masks alone. The file is written beside its
    place, opened again by its own library and compared bit by bit; only then it gets its name.

    A tensor is written piece by piece. So are the masks of a recipe that looks at nothing but weights, which are made
    layer after layer; where each weight has a score by itself no layer is ever in memory as a whole.

    Args:
        path: the file; it ends in ``.safetensors``, ``.pt`` or ``.pth``.
        what: ``"weights"``: all tensors, zero where weights are removed; ``"masks"``: one bool a weight, True = kept;
            ``"prune"``: all tensors, each pruned one as the pair ``weight_orig`` and ``weight_mask`` that
            ``torch.nn.utils.prune`` makes of it.
        overwrite: whether the file may be there already.

    Raises:
        ExportError: the network holds what the format cannot, or the file cannot be written, or is there already.
        RecipeError, TargetError, MaskError, ScoreError, SubjectError: the masks cannot be made.
    """
    path = Path(path)
    return Export(subject, pruned, what, path.suffix).save(path, overwrite=overwrite)


def _masks_of(subject: Subject, pruned: Recipe | Masks) -> tuple[Sequence[Target], Masks | MasksInTurn, Masks | None]:
    if isinstance(pruned, Recipe):
        in_turn = masks_in_turn(subject, pruned)
        if in_turn is not None:
            return in_turn.targets, in_turn, None
        pruned = compute_masks(subject, pruned)
    for target in pruned.targets:
        if subject.target(target.name).shape != target.shape:
            raise ExportError(f"these masks are of another network than {subject.name}; compute them for this one")
    return pruned.targets, pruned, pruned


class _Progress:
    def __init__(self, total: int, tell: Tell, check_source: Callable[[], None]) -> None:
        self._total, self._tell, self._done = max(total, 1), tell, 0
        self._check_source = check_source

    def add(self, nbytes: int) -> None:
        self._check_source()  # before the next piece is read
        self._done += nbytes
        self._tell(min(self._done / self._total, 1.0))


def check_place(path: Path, overwrite: bool) -> None:
    """Refuse a place before anything is computed.

    Raises:
        ExportError: nothing can be written there, or something is there already.
    """
    if path.is_dir():
        raise ExportError(f"{path} cannot be written: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise ExportError(f"{path} cannot be written: there is no folder {path.parent}; name one that exists")
    if path.suffix.lower() not in FORMATS:
        raise ExportError(f"{path} has no ending that says what to write; end it in {' or '.join(FORMATS)}")
    if os.path.lexists(path) and not overwrite:
        raise AlreadyThereError(path)


def _cannot_be_written(path: Path, error: OSError, nbytes: int) -> ExportError:
    if error.errno in NO_ROOM:
        return ExportError(
            f"{path} cannot be written: the disk is full, and the file needs {nbytes / 2**20:,.1f} MiB; free some room "
            "there, or name another place"
        )
    return ExportError(f"{path} cannot be written ({error.strerror or error}); name another place")
