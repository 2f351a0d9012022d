"""What a person has set, in the browser session: the one place that widgets write to and the page reads from.

A layer is remembered when it is *not* wanted, so that layers which come in later (biases, another granularity) are
chosen, and what somebody took out stays out when the offer changes and changes back.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import streamlit as st

from pruning_explorer.errors import RecipeError
from pruning_explorer.figures.numbers import capitalised
from pruning_explorer.measure.recalibration import why_no_recalibration
from pruning_explorer.prune.criteria import Criterion
from pruning_explorer.prune.granularities import GRANULARITIES, GranularitySpec
from pruning_explorer.prune.recipe import Recipe, offered, passed_over, why_nothing
from pruning_explorer.prune.schedule import SCHEDULES, STEPS
from pruning_explorer.prune.settings import Setting, Value, format_value
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import OPTIONAL, Target
from pruning_explorer.ui.one_by_one import first_layer, one_by_one
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.release import Release
from pruning_explorer.ui.subjects import find_subject, first_subject, is_there

AMOUNT_STEPS = 1000
"""Of the amount slider: 0.1 % each."""

SHARED_AMOUNT = "shared"
"""The group of the controls that set the amount of all layers, not of one alone."""


def show(subject: Subject, recipe: Recipe, layer: str | None = None) -> tuple[str, ...]:
    """Set every control to ``recipe`` on ``subject``. To be called before the controls are drawn, or in a callback.

    Returns:
        One sentence for each value that no control can hold as it is, and what is shown instead.
    """
    state = st.session_state
    state["subject"] = subject.name
    state["criterion"], state["scope"], state["allocation"] = str(recipe.criterion), recipe.scope, recipe.allocation
    _show_granularity(recipe.granularity)
    state["schedule"] = recipe.schedule.name
    state["steps"] = recipe.schedule.values.get(STEPS.name, STEPS.default)
    state["recalibrate"] = recipe.recalibrate
    state["cap"] = round(recipe.cap * 100, 1)
    named = [subject.target(each) for each in (*(recipe.targets or ()), *recipe.amounts)]
    # A bias that the recipe names is a layer to choose here only once biases are on offer
    for role, switch in OPTIONAL.items():
        state[switch] = getattr(recipe, switch) or any(target.role == role for target in named)
    state["seed"] = recipe.seed
    chosen = _chosen(subject, recipe)
    frozen = {subject.target(each).name for each in recipe.frozen}
    if chosen is None and one_by_one(subject):
        chosen = {first_layer(subject).name}
    state["unwanted"] = {
        t.name for t in subject.targets if t.name in frozen or (chosen is not None and t.name not in chosen)
    }
    set_amount(recipe.amount)
    set_layer_amounts({subject.target(each).name: amount for each, amount in recipe.amounts.items()})
    state["open_layer"] = subject.target(layer).name if layer else None
    notes = [
        f"{what} {format_value(asked)} is shown as {shown:g} %, because the page sets it in steps of 0.1 %"
        for what, asked, shown in (("amount", recipe.amount, state["amount"]), ("cap", recipe.cap, state["cap"]))
        if abs(asked * 100 - shown) > 1e-9
    ]
    if recipe.recalibrate and (reason := why_no_recalibration(subject)):
        notes.append(f"recalibrate true is shown as false, because {reason}")
    return tuple(notes)


def _chosen(subject: Subject, recipe: Recipe) -> set[str] | None:
    """The layers that a recipe names; None where it takes all that its method and its switches offer."""
    if recipe.targets is not None:
        return {subject.target(each).name for each in recipe.targets}
    chosen, on_offer = recipe.chosen(subject), offered(subject, recipe)
    return {target.name for target in chosen} if set(chosen) - set(on_offer) else None


def granularity_key(name: str, setting: Setting) -> str:
    """Under which a setting of a granularity is kept, also while another is chosen: ``"channel_dim"``."""
    return f"{name}_{setting.name}"


def _show_granularity(granularity: GranularitySpec) -> None:
    st.session_state["granularity"] = granularity.name
    for spec in GRANULARITIES.values():
        for setting in spec.settings:
            value = (granularity if spec.name == granularity.name else spec).values[setting.name]
            st.session_state[granularity_key(spec.name, setting)] = format_value(value) if setting.typed else value


def set_amount(amount: float) -> None:
    """Take over an amount in [0, 1], from wherever it was set; every control that shows it follows.

    To be called in a callback, or in a run before the controls are drawn; later in a run, call ``st.rerun`` after it.
    """
    percent = round(amount * AMOUNT_STEPS) / AMOUNT_STEPS * 100
    st.session_state["amount"] = round(percent, 1)


def take_release(release: Release | None, take: Callable[[float], None]) -> None:
    """Take over the amount, in [0, 1], of a release that is later than all that were taken so far.

    What a browser reports may be late: a look at the work behind the page can come in after the move that followed it.
    And what a hand does next may stop this anywhere: so the amount is set before that is noted, and a release that was
    not noted is taken once more by the run that follows.
    """
    if release is None or release.revision <= last_release():
        return
    take(release.percent / 100)
    st.session_state["last_release"] = release.revision


def last_release() -> int:
    """The number of the last release of an amount that was taken; 0 before the first."""
    return int(st.session_state.get("last_release", 0))


def set_layer_amounts(amounts: dict[str, float]) -> None:
    """Take over amounts in [0, 1] of single layers; the table starts anew from them."""
    st.session_state["layer_amounts"] = amounts
    st.session_state["amounts_base"] = dict(amounts)
    st.session_state["amounts_edition"] = st.session_state.get("amounts_edition", 0) + 1


def subject() -> Subject:
    return find_subject(st.session_state["subject"])


def recover_subject() -> None:
    """Where the chosen network is gone (forgotten, or its session was away for long), say so and show the first one."""
    name = st.session_state.get("subject")
    if name is None or is_there(name):
        return
    instead = first_subject()
    st.session_state["subject"] = instead
    on_subject_change()
    st.warning(
        f"{plain(name)} is no longer here, so {instead} is shown. Bring its file again on Models.",
        icon=":material/deployed_code_alert:",
    )


def on_subject_change() -> None:
    """Another network has other layers: what was set for the old one's would be lost anyway."""
    now = subject()
    first = {first_layer(now).name} if one_by_one(now) else set()
    st.session_state["unwanted"] = {target.name for target in now.targets if first and target.name not in first}
    st.session_state["open_layer"] = None
    set_layer_amounts({})


def offered_targets() -> tuple[Target, ...]:
    """The layers among which the person chooses, under the present method and switches.

    Where the method makes no sense as it stands, those that could be pruned weight by weight.
    """
    switches = {name: st.session_state[name] for name in OPTIONAL.values()}
    try:
        return offered(subject(), replace(_method(norms_of_order_2=True), **switches))
    except RecipeError:
        return offered(subject(), Recipe(**switches))


def passed_over_targets() -> dict[str, str]:
    """What is switched on and cannot be pruned by the present method, with the reasons."""
    switches = {name: st.session_state[name] for name in OPTIONAL.values()}
    try:
        return passed_over(subject(), replace(_method(norms_of_order_2=True), **switches))
    except RecipeError:
        return {}


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
    if missing := base.criterion.missing(subject()):
        raise RecipeError(_cannot_judge(base.criterion, missing))
    if not on_offer:
        raise RecipeError(_nothing_on_offer(base))
    if not chosen:
        raise RecipeError("No layer is chosen, so there is nothing to prune. Choose at least one under “Layers”.")
    amounts = {name: amount for name, amount in st.session_state["layer_amounts"].items() if name in chosen}
    return replace(
        base,
        amount=round(st.session_state["amount"] / 100, 4),
        amounts=amounts,
        # Without names an address means the layers that a network begins with, which may be one alone
        targets=None if len(chosen) == len(on_offer) and not one_by_one(subject()) else tuple(chosen),
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
    return replace(
        _method(),
        cap=round(float(state["cap"]) / 100, 4),
        **{switch: state[switch] for switch in OPTIONAL.values()},
        seed=int(state["seed"]),
        recalibrate=state["recalibrate"] and why_no_recalibration(subject()) is None,
    )


def _method(*, norms_of_order_2: bool = False) -> Recipe:
    """Criterion, granularity, scope, allocation and schedule.

    Args:
        norms_of_order_2: leave the norm order aside, which decides nothing about what is on offer and may be nonsense
            at the moment.
    """
    state = st.session_state
    settings = granularity_values(without_numbers=norms_of_order_2)
    return Recipe(
        criterion=state["criterion"],
        granularity=GRANULARITIES[state["granularity"]].under(settings),
        scope=state["scope"],
        # A global ranking decides by itself; what was chosen waits for another scope
        allocation="each" if state["scope"] == "global" else state["allocation"],
        schedule=SCHEDULES[state["schedule"]].under({STEPS.name: int(state["steps"])}),
    )


def granularity_values(*, without_numbers: bool = False) -> dict[str, Value]:
    """What the widgets of the chosen granularity hold.

    Args:
        without_numbers: leave out what a person types as any number, which may be nonsense at the moment.

    Raises:
        RecipeError: such a number cannot be read.
    """
    values: dict[str, Value] = {}
    name = st.session_state["granularity"]
    for setting in GRANULARITIES[name].settings:
        value = st.session_state[granularity_key(name, setting)]
        if not setting.typed:
            values[setting.name] = setting.check(value)
        elif not without_numbers:
            values[setting.name] = _number(setting, value)
    return values


def _cannot_judge(criterion: Criterion, missing: str) -> str:
    return f"“{criterion.title}” cannot judge {subject().name}: {missing}. Or choose another criterion in the sidebar."


def _nothing_on_offer(base: Recipe) -> str:
    return f"{capitalised(why_nothing(subject(), base))}. Choose otherwise in the sidebar."


def _number(setting: Setting, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise RecipeError(f"{setting.label} {text!r} is no number; write one, as 1, 0.5 or inf.") from None
