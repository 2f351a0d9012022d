"""What a visitor must have seen, worked out by the package alone: no page, no session, no cache of the server's."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pruning_explorer import Subject, build_report, compute_masks, load_subject
from pruning_explorer.figures.numbers import count, decimal, percent, short_count
from pruning_explorer.prune.masks import Masks
from pruning_explorer.sources.samples import sample_names
from pruning_explorer.ui.address import write_address
from pruning_explorer.ui.browser.message import read_header, unpack_arrays
from pruning_explorer.ui.live_mask.layout import picture_layout, to_picture
from tests.load import own_model
from tests.load.visitor import Asked, Diary, Shown


@dataclass(frozen=True)
class Answer:
    """The right answer to what was asked."""

    asked: Asked
    subject: Subject
    masks: Masks
    query: dict[str, list[str]]
    figures: dict[str, tuple[str, str]]


def faults(diary: Diary) -> Iterator[str]:
    """What a visitor saw that was not the answer to what they had asked, a sentence each."""
    for place, (shown, asked) in enumerate(diary.seen):
        who = f"visitor {diary.number}, page {place}"
        networks = ((own_model.NAME,) if diary.brought else ()) + sample_names()
        if shown.networks != networks:
            yield f"{who}: it offers the networks {shown.networks}"
        if shown.alerts:
            yield f"{who}: the page says {shown.alerts}"
            continue
        fitting = [each for each in asked if answer_to(each).query == shown.query]
        if not fitting:
            yield f"{who}: asked for {asked[-1]}, its address is {shown.query}"
            continue
        yield from (f"{who}: {fault} where {fitting[-1]} was asked" for fault in _faults_of(shown, fitting[-1]))


def _faults_of(shown: Shown, asked: Asked) -> Iterator[str]:
    right = answer_to(asked)
    figures = {label: (number, below) for label, number, below in shown.figures}
    for label, (number, below) in right.figures.items():
        seen = figures.pop(label, ("", ""))
        if seen[0] != number or below not in seen[1]:
            yield f"{label} is {seen} and not {(number, below)}"
    if figures:
        yield f"it also shows {figures}"
    if shown.stands.get("amount") != round(asked.recipe.amount, 3):
        yield f"the live slider stands at {shown.stands.get('amount')}"
    if problem := _fault_of_layer(shown.layer, right):
        yield problem


def _fault_of_layer(message: bytes, right: Answer) -> str | None:
    """What is wrong with the layer that was sent: its weights, or the mask that it makes at the amount asked for."""
    if not message:
        return "no layer was sent"
    opened = max(right.masks.targets, key=lambda target: target.numel)
    outer = read_header(message)
    if outer["layer"] != f"{right.subject.id}-{opened.name}":
        return f"the open layer is {outer['layer']}"
    header, arrays = unpack_arrays(_inside(message))
    if header["digest"] != outer["digest"] or header["title"] != opened.name:
        return f"the message says {outer} and holds {header['title']}, {header['digest']}"
    layout = picture_layout(opened.shape)
    weights = right.subject.weight(opened.name).float().contiguous().numpy().reshape(-1)
    if not np.array_equal(arrays["weights"], to_picture(weights, layout)):
        return f"the weights of {opened.name} are another's"
    position = round(right.asked.recipe.amount * 1000)
    kept = arrays["ranks"] >= arrays["removed_at"][position]
    if not np.array_equal(kept, to_picture(right.masks[opened.name].numpy().reshape(-1), layout)):
        return f"the mask of {opened.name} at {position / 10} % is another's"
    return None


def _inside(message: bytes) -> bytes:
    return message[8 + int.from_bytes(message[4:8], "little") :]


@lru_cache(maxsize=4096)
def answer_to(asked: Asked) -> Answer:
    """Work it out."""
    subject = load_subject(asked.subject) if asked.owner is None else own_model.model_of(asked.owner)
    masks = compute_masks(subject, asked.recipe)
    return Answer(
        asked,
        subject,
        masks,
        write_address(subject, asked.recipe, None),
        _figures(build_report(subject, masks).totals, "no samples" if subject.runnable else "weights only"),
    )


def _figures(totals: dict[str, Any], absent: str) -> dict[str, tuple[str, str]]:
    sparsity, cost, drift, quality = (totals[name] for name in ("sparsity", "cost", "drift", "quality"))
    nonzero = sparsity["nonzero_parameters"]  # of a checkpoint alone they are not counted
    left = sparsity["parameters"] - sparsity["removed"] if nonzero is None else nonzero
    figures = {
        "Sparsity": (percent(sparsity["achieved"]), f"requested {percent(sparsity['requested'])}"),
        "Parameters": (short_count(left), ""),
        "Multiply-adds": (short_count(cost["macs_theoretical"]), "theoretical") if cost else ("–", absent),
        "Accuracy": (percent(quality["pruned"]), "points") if quality else ("–", absent),
        "Drift, nats": ("–", absent),
    }
    if drift:
        figures["Drift, nats"] = (decimal(drift["kl_nats"]), f"{count(drift['flipped'])} of {count(drift['samples'])}")
    return figures
