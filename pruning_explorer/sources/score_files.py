"""Read scores or masks of one's own from a file. Nothing in a file is ever executed."""

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from pruning_explorer.errors import SubjectError
from pruning_explorer.sources.npz_file import read_npz

LARGEST = 256 << 20
"""Most bytes of a score file, and of what it holds when unpacked."""


def read_scores(name: str, content: bytes) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors`` or ``.npz`` file, as they are, in the order of their names.

    Whether they fit a network shows where they are used.

    Args:
        name: of the file; its ending says how it is read.
        content: of the file.

    Raises:
        SubjectError: it is of another kind, too large, broken, empty, or holds what is no array of real numbers.
    """
    if len(content) > LARGEST:
        raise SubjectError(
            f"{name} is {len(content) >> 20} MiB large, and {LARGEST >> 20} MiB is the most; store float16, or masks"
        )
    ending = name.lower().rpartition(".")[2]
    if ending not in ("safetensors", "npz"):
        raise SubjectError(f"{name} is neither a .safetensors nor an .npz file; save it as one of them")
    tensors = _read_safetensors(name, content) if ending == "safetensors" else read_npz(name, content, LARGEST)
    if not tensors:
        raise SubjectError(f"{name} holds no tensor; save one for each layer, by the layer's name")
    for key, each in tensors.items():
        if each.is_complex():
            raise SubjectError(f"{key} in {name} holds complex numbers, which have no order; save real ones")
    return dict(sorted(tensors.items()))


def _read_safetensors(name: str, content: bytes) -> dict[str, Tensor]:
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, RuntimeError, OverflowError) as error:
        raise SubjectError(f"{name} cannot be read as .safetensors ({error}); save it again") from None
