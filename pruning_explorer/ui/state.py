"""What a person has set, in the browser session: the one place that widgets write to and the page reads from.

A layer is remembered when it is *not* wanted, so that layers which come in later (biases, another granularity) are
chosen, and what somebody took out stays out when the offer changes and changes back.
"""

from collections.abc import Iterable
from dataclasses import replace

import streamlit as st

from pruning_explorer.errors import RecipeError
from pruning_explorer.prune.granularities import granularity_settings
from pruning_explorer.prune.recipe import Recipe, offered
from pruning_explorer.prune.settings import format_value, write_choice
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import Target
from pruning_explorer.sources.samples import load_subject

STEPS = 1000
"""Steps of the amount slider: 0.1 % each."""


def show(subject: Subject, recipe: Recipe, layer: str | None = None) -> tuple[str, ...]:
    """Set every control to ``recipe`` on ``subject``. To be called before the controls are drawn, or in a callback.

    Returns:
        One sentence for each number that no control can hold as it is, and what is shown instead.
    """
    state = st.session_state
    name, settings = granularity_settings(recipe.granularity)
    channel = dict(granularity_settings("channel")[1]) | settings
    state["subject"] = subject.name
    state["criterion"], state["scope"], state["granularity"] = recipe.criterion, recipe.scope, name
    state["dim"], state["norm"] = int(channel["dim"]), format_value(channel["n"])
    state["cap"] = round(recipe.cap * 100, 1)
    named = [subject.target(each) for each in recipe.targets or ()]
    # A bias that the recipe names is a layer to choose here only once biases are on offer
    state["biases"] = recipe.biases or any(target.role == "bias" for target in named)
    state["norms"] = recipe.norms or any(target.role == "norm" for target in named)
    state["seed"] = recipe.seed
    chosen = None if recipe.targets is None else {target.name for target in named}
    frozen = {subject.target(each).name for each in recipe.frozen}
    state["unwanted"] = {
        t.name for t in subject.targets if t.name in frozen or (chosen is not None and t.name not in chosen)
    }
    set_amount(recipe.amount)
    set_layer_amounts({subject.target(each).name: amount for each, amount in recipe.amounts.items()})
    state["open_layer"] = subject.target(layer).name if layer else None
    return tuple(
        f"{what} {format_value(asked)} is shown as {shown:g} %, because the page sets it in steps of 0.1 %"
        for what, asked, shown in (("amount", recipe.amount, state["amount"]), ("cap", recipe.cap, state["cap"]))
        if abs(asked * 100 - shown) > 1e-9
    )


def set_amount(amount: float) -> None:
    """Take over an amount in [0, 1], from wherever it was set, for every control that shows it."""
    percent = round(amount * STEPS) / STEPS * 100
    st.session_state["amount"] = round(percent, 1)


def set_layer_amounts(amounts: dict[str, float]) -> None:
    """Take over amounts in [0, 1] of single layers; the table starts anew from them."""
    st.session_state["layer_amounts"] = amounts
    st.session_state["amounts_base"] = dict(amounts)
    st.session_state["amounts_edition"] = st.session_state.get("amounts_edition", 0) + 1


def subject() -> Subject:
    return load_subject(st.session_state["subject"])


def on_subject_change() -> None:
    """Another network has other layers: what was set for the old one's would be lost anyway."""
    st.session_state["unwanted"] = set()
    st.session_state["open_layer"] = None
    set_layer_amounts({})


def offered_targets() -> tuple[Target, ...]:
    """The layers among which the person chooses, under the present granularity and switches."""
    state = st.session_state
    # Without the norm order, which decides nothing here and may be nonsense at the moment
    settings = {"dim": state["dim"]} if state["granularity"] == "channel" else {}
    granularity = write_choice(state["granularity"], settings)
    return offered(subject(), Recipe(granularity=granularity, biases=state["biases"], norms=state["norms"]))


def chosen_names() -> list[str]:
    return [target.name for target in offered_targets() if target.name not in st.session_state["unwanted"]]


def choose(names: Iterable[str]) -> None:
    """Choose exactly these of the layers on offer; the others keep what was said of them."""
    on_offer = {target.name for target in offered_targets()}
    st.session_state["unwanted"] = (st.session_state["unwanted"] - on_offer) | (on_offer - set(names))


def recipe() -> Recipe:
    """The recipe that the controls stand for.

    Raises:
        RecipeError: a control holds something that makes no sense, or no layer is chosen.
    """
    on_offer, chosen = offered_targets(), chosen_names()
    base = _recipe_without_layers()
    if not on_offer:
        raise RecipeError(
            f"No layer of {subject().name} can be pruned by {base.granularity}. Choose another dim or granularity."
        )
    if not chosen:
        raise RecipeError("No layer is chosen, so there is nothing to prune. Choose at least one under “Layers”.")
    amounts = {name: amount for name, amount in st.session_state["layer_amounts"].items() if name in chosen}
    return replace(
        base,
        amount=round(st.session_state["amount"] / 100, 4),
        amounts=amounts,
        targets=None if len(chosen) == len(on_offer) else tuple(chosen),
    )


def open_layer(chosen: tuple[Target, ...]) -> Target:
    """The layer that is looked at: the one the person opened, else the largest."""
    by_name = {target.name: target for target in chosen}
    name = st.session_state.get("open_layer")
    if name in by_name:
        return by_name[name]
    return max(chosen, key=lambda target: target.numel)


def _recipe_without_layers() -> Recipe:
    state = st.session_state
    settings = {"dim": state["dim"], "n": _norm_order(state["norm"])} if state["granularity"] == "channel" else {}
    return Recipe(
        criterion=state["criterion"],
        granularity=write_choice(state["granularity"], settings),
        scope=state["scope"],
        cap=round(float(state["cap"]) / 100, 4),
        biases=state["biases"],
        norms=state["norms"],
        seed=int(state["seed"]),
    )


def _norm_order(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise RecipeError(f"The norm order {text!r} is no number; write 1, 2, 0.5, inf or -inf.") from None
