"""Names of layers and classes as short as a label needs them, and never two the same."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

LONGEST = 18
"""Characters of a label; more where so few would not tell it from the others."""


def short_names(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Each name in at most ``longest`` characters, or in as many more as keep different names apart.

    A long dotted name keeps its numbers and its last word, by which layers of one network differ; where others have the
    same, also the first part in which it differs from them.

    >>> short_names(["encoder.layers.11.self_attn.out_proj", "layer4.0.downsample.0", "a_name_without_a_single_dot"])
    ['11.out_proj', '4.0.downsample.0', '…hout_a_single_dot']
    >>> short_names(["encoder.layers.0.attention.query", "decoder.layers.0.attention.query", "head"])
    ['encoder.0.query', 'decoder.0.query', 'head']
    """
    short = {name: _short(name, longest) for name in names}
    for label in _shared(short):
        alike = [name for name in short if short[name] == label]
        parts = [name.split(".") for name in alike]
        place = next(i for i, each in enumerate(zip_longest(*parts)) if len(set(each)) > 1)
        for name, own in zip(alike, parts, strict=True):
            short[name] = f"{own[place][:longest]}.{label}" if place < len(own) - 1 else name
    while shared := _shared(short):
        short |= {name: name for name in short if short[name] in shared}
    return [short[name] for name in names]


def short_layers(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """:func:`short_names` of targets, without the ``.weight`` that most of them end in.

    >>> short_layers(["block1.shortcut.weight", "block1.shortcut.bias", "weight"])
    ['block1.shortcut', '1.bias', 'weight']
    """
    bare = [name.removesuffix(".weight") for name in names]
    return short_names(bare if len(set(bare)) == len(set(names)) else names, longest)


def short_layer(name: str, among: Sequence[str], longest: int = LONGEST) -> str:
    """The label of :func:`short_layers` for one name; ``among`` are the network's names, with or without it.

    >>> short_layer("decoder.layers.0.linear1.weight", ["encoder.layers.0.linear1.weight"])
    'decoder.0.linear1'
    """
    return short_layers([name, *among], longest)[0]


def _short(name: str, longest: int) -> str:
    if len(name) > longest:
        parts = name.split(".")
        word = max((place for place, part in enumerate(parts) if not part.isdigit()), default=0)
        numbers = [found[0] for part in parts[:word] if (found := re.search(r"\d+$", part))]
        name = ".".join([*numbers, *parts[word:]])
    return name if len(name) <= longest else f"…{name[-(longest - 1) :]}"


def _shared(short: dict[str, str]) -> set[str]:
    """Labels that several names have."""
    return {label for label, count in Counter(short.values()).items() if count > 1}
