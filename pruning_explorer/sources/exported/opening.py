"""Exported programs: network and weights in one ``.pt2`` file, with no code of the author's."""

import hashlib
from pathlib import Path

from pruning_explorer.errors import SubjectError
from pruning_explorer.prune.stored_files import StoredFile
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.exported.archive import LARGEST_JSON, Archive
from pruning_explorer.sources.exported.graph import read_program
from pruning_explorer.sources.exported.inputs import SAMPLES, Signature, make_samples
from pruning_explorer.sources.exported.network import ExportedNetwork, held_by
from pruning_explorer.sources.exported.program import Program
from pruning_explorer.sources.exported.weights import read_state
from pruning_explorer.sources.exported.work import weigh

LIGHT_WORK = 10**11
LIGHT_BYTES = 1 << 30
"""Most steps of work, and most bytes, of one pass over made-up samples; a heavy network gets fewer samples."""


def open_exported(path: Path, *, name: str | None = None) -> Subject:
    """The network that ``torch.export.save`` wrote, on inputs of noise made from its own signature.

    Nothing in the file is executed: it is not given to ``torch.export.load``. Its graph is read as data, its operators
    are looked up in a list, and its work is bounded before it is run.

    Args:
        path: of the file; its weights are read as they are used, so it must stay there.
        name: of the subject; else the file's.

    Raises:
        SubjectError: it is broken, holds what is not read here, or does what is not run here.
    """
    shown = name or path.stem
    try:
        return _open(path, shown)
    except SubjectError as error:
        raise SubjectError(f"{shown} cannot be opened: {error}") from error


def _open(path: Path, name: str) -> Subject:
    try:
        file = StoredFile.now(path)
    except OSError as error:
        raise SubjectError(f"it cannot be read ({error.strerror}); give the path of an exported program") from None
    archive = Archive(path)
    models = archive.named(r"models/(.+)\.json")
    if len(models) != 1:
        raise SubjectError(
            f"it holds {len(models)} programs, and one is what is opened; save each in a file of its own"
        )
    record = f"models/{models[0]}.json"
    program = read_program(archive.json(record))
    state = read_state(archive, models[0])
    digest = hashlib.blake2b(archive.content(record, LARGEST_JSON), digest_size=16).hexdigest()
    network = ExportedNetwork(program, state, digest)
    signature = held_by(network).signature
    count = _sample_count(network)
    samples = make_samples(program, signature, state, count)
    weigh(network, samples)
    return Subject.from_module(
        network,
        samples,
        name=name,
        about=_about(program),
        about_samples=_about_samples(signature, count),
        loading=f"import torch\n\nmodel = torch.export.unflatten(torch.export.load({path.name!r}))",
        origin="exported program",
        files=(file,),
    )


def _sample_count(network: ExportedNetwork) -> int:
    signature = held_by(network).signature
    if signature.fixed:
        return signature.least
    most = SAMPLES if signature.most is None else min(SAMPLES, signature.most)
    least = signature.least
    if most <= least:
        return least
    one = weigh(network, make_samples(held_by(network).program, signature, dict(network.state_dict()), least))
    room = min(LIGHT_WORK / max(1, one.steps), LIGHT_BYTES / max(1, one.bytes))
    return max(least, min(most, int(least * room)))


def _about(program: Program) -> str:
    version = "".join(each for each in program.torch_version if each.isalnum() or each in "+.")[:30]
    return f"A network exported with torch {version or 'of an unknown version'}."


def _about_samples(signature: Signature, count: int) -> str:
    if signature.fixed:
        batch = f"It was exported for batches of {count}, so there {'is' if count == 1 else 'are'} {count} of them."
    else:
        batch = f"There {'is' if count == 1 else 'are'} {count} of them."
    return (
        f"Its inputs are noise, made from its own signature: they show how far outputs drift, not how good they are. "
        f"{batch} Give samples of your own, with labels, to see more."
    )
