"""Check a saved file: open it with its own library and compare it with what was to be saved."""

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor

from pruning_explorer.errors import ExportError
from pruning_explorer.exports.tensor_values import WORTH_GIVING_BACK, Values
from pruning_explorer.prune.mapped import give_back


def compare(
    wanted: Mapping[str, Values],
    names: Iterable[str],
    read: Callable[[str], Tensor],
    tell: Callable[[int], None],
) -> None:
    """Compare each tensor of a file with what it should be, bit by bit.

    Args:
        wanted: by name.
        names: that the file has.
        read: the file's tensor of a name, best mapped from it.
        tell: called for each tensor with the number of its bytes.

    Raises:
        ExportError: one differs, is missing, or is too many.
    """
    if others := set(names) ^ wanted.keys():
        raise ExportError(f"what was written has not the tensors that it should have ({min(others)!a}); save it again")
    for name, each in wanted.items():
        found = read(name)
        if not each.same_as(found):
            raise ExportError(f"{name} in the file is not what was computed; see whether its disk is sound")
        if found.nbytes >= WORTH_GIVING_BACK:
            give_back(found)
        tell(each.nbytes)
