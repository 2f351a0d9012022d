"""What a network is made of, as text."""

import textwrap
from typing import TYPE_CHECKING

from pruning_explorer.cli.text import WIDTH, in_columns
from pruning_explorer.figures.numbers import count, memory

if TYPE_CHECKING:
    from pruning_explorer.prune.subject import Subject


def write_inventory(subject: "Subject") -> str:
    """A network and its parameters, before anything is pruned: those that can be, then those that cannot, and why."""
    from pruning_explorer.measure.inventory import take_inventory

    inventory = take_inventory(subject)
    offered = inventory.table[inventory.table["offered"]]
    rows = [[*map(str, row)] for row in offered[["parameter", "layer_type", "role", "shape", "dtype"]].values]
    cells = [
        ["parameter", "type", "role", "shape", "weights", "dtype"],
        *([*row[:4], count(weights), row[4]] for row, weights in zip(rows, offered["weights"], strict=True)),
    ]
    parts = [
        textwrap.fill(f"{subject.name}: {subject.description}", WIDTH),
        "",
        textwrap.fill(
            f"{count(inventory.parameters)} parameters, {memory(inventory.nbytes)}, {', '.join(inventory.dtypes)}; "
            f"{count(inventory.layers)} layers can be pruned, {count(len(offered))} with embeddings, biases and norms.",
            WIDTH,
        ),
        "",
        in_columns(cells, [False, False, False, False, True, False]),
    ]
    if subject.refused:
        parts += ["", "Not offered:"]
        parts += [
            textwrap.fill(f"{name}: {why}", WIDTH, subsequent_indent="  ") for name, why in subject.refused.items()
        ]
    return "\n".join(parts)
