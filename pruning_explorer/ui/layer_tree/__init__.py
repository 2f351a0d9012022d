"""The layers on offer as a tree, with a box to tick for each layer and each block."""

from pruning_explorer.ui.layer_tree.component import Choice, chosen_in_tree, layer_tree

__all__ = ["Choice", "chosen_in_tree", "layer_tree"]
