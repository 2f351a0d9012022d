"""What comes out of a file of whatever kind: tensors by name, what is to be said of them, how Python loads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from pruning_explorer.prune.stored_files import StoredFile


@dataclass(frozen=True)
class StoredWeights:
    """Tensors by name, and what is to be said of the file they come from.

    Attributes:
        kind: of the file, in a few words.
        imported: the lines of Python that import what reads it.
        loaded: the expression that reads it.
        aside: what else is in it, by name.
        versions: of modules by their paths, as a ``state_dict`` keeps them.
        ties: further name -> name of a tensor.
        metadata: what the file says of itself.
        mapped: False where it was read whole.
        refused: name -> reason, of tensors that are in it and cannot be read.
        notes: sentences on what is unusual about it.
        before: lines of Python that go before the weights are read.
        after: lines of Python that put right what ``weights`` holds then.
        also: further files that it is read from.
        names: of all networks in it, as one writes them behind ``FILE#``.
        opened: the name of this one among them.
        usual: whether this is the network that opens without such a name.
    """

    tensors: dict[str, Tensor]
    kind: str
    imported: str
    loaded: str
    aside: tuple[str, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
    ties: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    mapped: bool = True
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    also: tuple[StoredFile, ...] = ()
    names: tuple[str, ...] = ()
    opened: str = ""
    usual: bool = True
