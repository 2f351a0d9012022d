"""How to load a saved file in plain torch: lines of Python that need nothing of ours."""

from collections.abc import Sequence

from torch import nn

from pruning_explorer.exports.contents import What
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target, layer_class

PUT_ON = """
for name, mask in {load}.items():
    layer, _, parameter = name.rpartition(".")
    prune.custom_from_mask(model.get_submodule(layer), parameter, mask)"""

PAIRS = """
for name in saved:
    if name.endswith("_mask") and name[:-5] + "_orig" in saved:
        layer, _, parameter = name[:-5].rpartition(".")
        prune.identity(model.get_submodule(layer), parameter)
model.load_state_dict(saved)"""

NOT_CALLED = """
# MultiheadAttention reads these without calling their layer, so no hook would ever make them: make them for good
for layer, parameter in {names!r}:
    prune.remove(model.get_submodule(layer), parameter)"""


NAMES_OF_FILE = (
    "# Its names are those of the network's own file, and not those that its library has in memory: the script under\n"
    "# “Code and recipe” brings these masks to the network",
    "# Its names are those of the network's own file, which its library turns into those that it has in memory: put\n"
    "# it in the place of that file, as {place} beside config.json, and load the folder by from_pretrained",
)
"""Of masks, and of weights."""


def loading_lines(subject: Subject, targets: Sequence[Target], what: What, file: str) -> str:
    """Lines that load a saved file into ``model``, a fresh copy of the dense network.

    Args:
        targets: what was pruned.
        file: its name.
    """
    safetensors = file.endswith(".safetensors")
    if subject.finishing:
        return NAMES_OF_FILE[what == "weights"].format(
            place="model.safetensors" if safetensors else "pytorch_model.bin"
        )
    if what == "weights":
        if safetensors:
            return f"from safetensors.torch import load_model\n\nload_model(model, {file!r})"
        return f"import torch\n\nmodel.load_state_dict(torch.load({file!r}, weights_only=True))"
    load = f"load_file({file!r})" if safetensors else f"torch.load({file!r}, weights_only=True)"
    head = "from safetensors.torch import load_file" if safetensors else "import torch"
    head += "\nfrom torch.nn.utils import prune\n"
    if what == "masks":
        return head + PUT_ON.format(load=load)
    lines = f"{head}\nsaved = {load}{PAIRS}"
    names = [each.rpartition(".")[::2] for target in targets for each in (target.name, *target.aliases)]
    if silent := [(layer, leaf) for layer, leaf in names if _is_not_called(subject, layer)]:
        lines += NOT_CALLED.format(names=silent)
    return lines


def _is_not_called(subject: Subject, layer: str) -> bool:
    above, _, own = layer.rpartition(".")
    return own == "out_proj" and issubclass(layer_class(subject.model.get_submodule(above)), nn.MultiheadAttention)
