"""Which weights are removed together: all that a person can choose, with the settings and the words of each.

To add one, write a subclass of :class:`~pruning_explorer.prune.grouping.Granularity` and register it in
``GRANULARITIES``, or offer it from a package of your own (:mod:`pruning_explorer.prune.registry`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from pruning_explorer.prune.grouping import Channel, Element, Granularity
from pruning_explorer.prune.patterns import Block, NOfM
from pruning_explorer.prune.registry import Choices
from pruning_explorer.prune.settings import Choice, Setting, Value, format_value

Say = Callable[[Mapping[str, Value]], str]
"""Describes the values of settings in words; empty where there is nothing to say."""


@dataclass(frozen=True)
class TorchMethods:
    """The names of a granularity in ``torch.nn.utils.prune``.

    Attributes:
        ranked, drawn: its functions for one layer, by magnitude and by chance.
        arguments: what the settings are in a call of these, ``("n=2", "dim=0")``; and whether it is by chance.
        across_layers: whether ``global_unstructured`` ranks it over several layers.
    """

    ranked: str
    drawn: str
    arguments: Callable[[Mapping[str, Value], bool], tuple[str, ...]] = lambda _values, _drawn: ()
    across_layers: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class GranularitySpec(Choice):
    """A registered granularity, with its description for a person.

    Attributes:
        settings: what can be set in ``name:key=value,...``; pages and terminal make widgets and help of it.
        make: the granularity under their values.
        note: a sentence on what these values mean, below their widgets.
        in_title: how the title of a recipe calls it, ``"2:4"``; as it is written where this is None.
        together: what goes together, in half a sentence, where ``unit`` and ``within_rows`` do not say it.
        torch: what torch has for it; None where it has nothing.
    """

    settings: tuple[Setting, ...] = field(kw_only=False)
    make: Callable[[Mapping[str, Value]], Granularity]
    note: Say = lambda _: ""
    in_title: Say | None = None
    together: Say = lambda _: ""
    torch: TorchMethods | None = None

    @property
    def grouping(self) -> Granularity:
        """The granularity itself, as its settings are."""
        return self.make(self.values)

    def under(self, values: Mapping[str, Value]) -> Self:
        chosen = super().under(values)
        chosen.make(chosen.values)  # which says if they do not go together
        return chosen


def _norm_order(of: str) -> Setting:
    return Setting(
        "n",
        "Norm order n",
        f"A {of}'s importance is the Ln norm of its scores: 1, 2, inf, -inf, or any other number. A random criterion "
        "needs none.",
        2.0,
        labels={value: format_value(value) for value in (1.0, 2.0, math.inf, -math.inf)},
        word="norm-order",
        of_scores=True,
    )


def _channels_in_torch(values: Mapping[str, Value], drawn: bool) -> tuple[str, ...]:
    n, dim = format_value(values["n"]), f"dim={values['dim']}"
    return (dim,) if drawn else (f'n=float("{n}")' if "inf" in n else f"n={n}", dim)


def _n_of_m_stay(values: Mapping[str, Value]) -> str:
    return f"{values['n']} of every {values['m']} weights stay"


def _most_that_n_m_removes(values: Mapping[str, Value]) -> str:
    n, m = int(values["n"]), int(values["m"])
    return f"{_n_of_m_stay(values)}, so {n}:{m} removes at most {100 * (1 - n / m):.3g} %." if n <= m else ""


GRANULARITIES: Choices[GranularitySpec] = Choices(
    "granularity",
    GranularitySpec,
    (
        GranularitySpec(
            "element",
            "Single weights",
            "Every weight stands or falls by itself (unstructured).",
            (),
            lambda _: Element(),
            in_title=lambda _: "",
            torch=TorchMethods("l1_unstructured", "random_unstructured", across_layers=True),
        ),
        GranularitySpec(
            "channel",
            "Whole channels",
            "All weights of a neuron, filter or input go together (structured).",
            (
                Setting(
                    "dim",
                    "Channel dim",
                    "0: output channels (neurons, filters), 1: input channels; the other way round in transposed "
                    "convolutions and GPT-2's Conv1D.",
                    0,
                    -5,
                    4,
                    labels={0: "0 · rows", 1: "1 · columns"},
                    word="dim",
                ),
                _norm_order("channel"),
            ),
            lambda values: Channel(dim=int(values["dim"]), n=float(values["n"])),
            in_title=lambda values: "channels" if values["dim"] == 0 else f"channels of dim {values['dim']}",
            torch=TorchMethods("ln_structured", "random_structured", _channels_in_torch),
        ),
        GranularitySpec(
            "n_m",
            "N of every M",
            "Of every M neighbours along the input dim N stay, as in 2:4 sparsity; no amount removes more.",
            (
                Setting("n", "N", "How many of each group stay.", 2, 1, 255),
                Setting("m", "M", "How many neighbours along the input dim make a group.", 4, 2, 256),
            ),
            lambda values: NOfM(n=int(values["n"]), m=int(values["m"])),
            _most_that_n_m_removes,
            in_title=lambda values: f"{values['n']}:{values['m']}",
            together=_n_of_m_stay,
        ),
        GranularitySpec(
            "block",
            "Blocks",
            "Blocks of outputs x inputs go together; small ones at the far edges where sizes do not divide.",
            (
                Setting("rows", "Rows", "Outputs in one block.", 4, 1, 4096),
                Setting("cols", "Columns", "Inputs in one block; of a convolution, inputs x kernel.", 1, 1, 4096),
                _norm_order("block"),
            ),
            lambda values: Block(rows=int(values["rows"]), cols=int(values["cols"]), n=float(values["n"])),
            in_title=lambda values: f"{values['rows']}×{values['cols']} blocks",
        ),
    ),
    group="pruning_explorer.granularities",
)
