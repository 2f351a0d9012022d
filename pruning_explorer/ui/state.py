"""What a person has set, in the browser session: the one place that widgets write to and the page reads from.

A layer is remembered when it is *not* wanted, so that layers which come in later (biases, another granularity) are
chosen, and what somebody took out stays out when the offer changes and changes back.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

import streamlit as st

from pruning_explorer.errors import RecipeError
from pruning_explorer.figures.numbers import capitalised
from pruning_explorer.measure.recalibration import why_no_recalibration
from pruning_explorer.prune.criteria import CRITERIA, Criterion
from pruning_explorer.prune.granularities import GRANULARITIES, GranularitySpec
from pruning_explorer.prune.recipe import Recipe, offered, passed_over, why_nothing
from pruning_explorer.prune.schedule import SCHEDULES, STEPS
from pruning_explorer.prune.settings import Setting, Value, format_value
from pruning_explorer.prune.subject import Subject
from pruning_explorer.prune.targets import OPTIONAL, Target
from pruning_explorer.ui import session
from pruning_explorer.ui.one_by_one import first_layer, one_by_one
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.release import Release
from pruning_explorer.ui.subjects import find_subject, first_subject, is_there

AMOUNT_STEPS = 1000
"""Steps of an amount slider between 0 and 1: 0.1 % each."""

SHARED_AMOUNT = "shared"
"""Group of the controls that set the amount of all layers together."""


def show(subject: Subject, recipe: Recipe, layer: str | None = None) -> tuple[str, ...]:
    """Set every control to ``recipe`` on ``subject``. To be called before the controls are drawn, or in a callback.

    Returns:
        One sentence for each value that no control can hold as it is, and what is shown instead.
    """
    session.SUBJECT.set(subject.name)
    session.CRITERION.set(str(recipe.criterion))
    session.SCOPE.set(recipe.scope)
    session.ALLOCATION.set(recipe.allocation)
    _show_granularity(recipe.granularity)
    session.SCHEDULE.set(recipe.schedule.name)
    session.STEPS.set(int(recipe.schedule.values.get(STEPS.name, STEPS.default)))
    session.RECALIBRATE.set(recipe.recalibrate)
    session.CAP.set(_in_steps(recipe.cap))
    named = [subject.target(each) for each in (*(recipe.targets or ()), *recipe.amounts)]
    # A bias that the recipe names is a layer to choose here only once biases are on offer
    for role, switch in OPTIONAL.items():
        session.SWITCHES[switch].set(getattr(recipe, switch) or any(target.role == role for target in named))
    session.ASKED.set({target.name for target in named if target.role == "other"})
    session.SEED.set(recipe.seed)
    chosen = _chosen(subject, recipe)
    frozen = {subject.target(each).name for each in recipe.frozen}
    if chosen is None and one_by_one(subject):
        chosen = {first_layer(subject).name}
    session.UNWANTED.set(
        {t.name for t in subject.targets if t.name in frozen or (chosen is not None and t.name not in chosen)}
    )
    set_amount(recipe.amount)
    session.LAYER_AMOUNTS.set({subject.target(each).name: amount for each, amount in recipe.amounts.items()})
    session.OPEN_LAYER.set(subject.target(layer).name if layer else None)
    notes = [
        f"{what} {format_value(asked)} is shown as {key.get() * 100:g} %, because the page sets it in steps of 0.1 %"
        for what, asked, key in (("amount", recipe.amount, session.AMOUNT), ("cap", recipe.cap, session.CAP))
        if abs(asked - key.get()) > 1e-11
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


def granularity_key(name: str, setting: Setting) -> session.Key[Any]:
    """Under which a setting of a granularity is kept, also while another is chosen: ``"channel_dim"``."""
    return session.Key(f"{name}_{setting.name}")


def _show_granularity(granularity: GranularitySpec) -> None:
    session.GRANULARITY.set(granularity.name)
    for spec in GRANULARITIES.values():
        for setting in spec.settings:
            value = (granularity if spec.name == granularity.name else spec).values[setting.name]
            granularity_key(spec.name, setting).set(format_value(value) if setting.typed else value)


def set_amount(amount: float) -> None:
    """Take over an amount in [0, 1], from wherever it was set; every control that shows it follows.

    To be called in a callback, or in a run before the controls are drawn; later in a run, call ``st.rerun`` after it.
    """
    session.AMOUNT.set(_in_steps(amount))


def _in_steps(fraction: float) -> float:
    """The nearest that a slider can be set to."""
    return round(fraction * AMOUNT_STEPS) / AMOUNT_STEPS


def take_release(release: Release | None, take: Callable[[float], None]) -> None:
    """Take over the amount, in [0, 1], of a release that is later than all that were taken so far.

    What a browser reports may be late: a look at the work behind the page can come in after the move that followed it.
    And what a hand does next may stop this anywhere: so the amount is set before that is noted, and a release that was
    not noted is taken once more by the run that follows.
    """
    if release is None or release.revision <= session.LAST_RELEASE.get():
        return
    take(release.amount)
    session.LAST_RELEASE.set(release.revision)


def subject() -> Subject:
    return find_subject(session.SUBJECT.get())


def recover_subject() -> None:
    """Where the chosen network is gone (forgotten, or its session was away for long), say so and show the first one."""
    if not session.SUBJECT.is_set() or is_there(name := session.SUBJECT.get()):
        return
    instead = first_subject()
    session.SUBJECT.set(instead)
    on_subject_change()
    st.warning(
        f"{plain(name)} is no longer here, so {instead} is shown. Bring its file again on Models.",
        icon=":material/deployed_code_alert:",
    )


def on_subject_change() -> None:
    """Another network has other layers: what was set for the old one's would be lost anyway."""
    session.UNWANTED.set(unwanted_at_first())
    session.ASKED.set(set())
    session.OPEN_LAYER.set(None)
    session.LAYER_AMOUNTS.set({})


def unwanted_at_first() -> set[str]:
    """The layers that are not wanted as the network begins."""
    now = subject()
    if not one_by_one(now):
        return set()
    return {target.name for target in now.targets} - {first_layer(now).name}


def offered_targets() -> tuple[Target, ...]:
    """The layers among which the person chooses, under the present method and switches.

    Where the method makes no sense as it stands, those that could be pruned weight by weight.
    """
    try:
        return offered(subject(), replace(_method(norms_of_order_2=True), **_switches()), session.ASKED.get())
    except RecipeError:
        return offered(subject(), Recipe(**_switches()), session.ASKED.get())


def passed_over_targets() -> dict[str, str]:
    """What is switched on and cannot be pruned by the present method, with the reasons."""
    try:
        return passed_over(subject(), replace(_method(norms_of_order_2=True), **_switches()))
    except RecipeError:
        return {}


def chosen_names() -> list[str]:
    return [target.name for target in offered_targets() if target.name not in session.UNWANTED.get()]


def choose(names: Iterable[str], among: Collection[str] | None = None) -> None:
    """Choose exactly these of the layers ``among``, or of those on offer; the others keep what was said of them."""
    known = {target.name for target in offered_targets()} if among is None else set(among)
    session.UNWANTED.set((session.UNWANTED.get() - known) | (known - set(names)))


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
    amounts = {name: amount for name, amount in session.LAYER_AMOUNTS.get().items() if name in chosen}
    all_of_them = len(chosen) == len(on_offer) and not session.ASKED.get().intersection(chosen)
    return replace(
        base,
        amount=session.AMOUNT.get(),
        amounts=amounts,
        # Without names an address means the layers that a network begins with, which may be one alone
        targets=None if all_of_them and not one_by_one(subject()) else tuple(chosen),
    )


def open_layer(chosen: tuple[Target, ...]) -> Target:
    """The layer that is looked at: the one the person opened, else the largest."""
    by_name = {target.name: target for target in chosen}
    name = session.OPEN_LAYER.get()
    if name in by_name:
        return by_name[name]
    return max(chosen, key=lambda target: target.numel)


def _recipe_without_layers() -> Recipe:
    return replace(
        _method(),
        cap=session.CAP.get(),
        **_switches(),
        seed=session.SEED.get(),
        recalibrate=session.RECALIBRATE.get() and why_no_recalibration(subject()) is None,
    )


def _switches() -> dict[str, Any]:
    return {name: key.get() for name, key in session.SWITCHES.items()}


def _method(*, norms_of_order_2: bool = False) -> Recipe:
    """Criterion, granularity, scope, allocation and schedule.

    Args:
        norms_of_order_2: leave the norm order aside, which decides nothing about what is on offer and may be nonsense
            at the moment.
    """
    settings = granularity_values(without_numbers=norms_of_order_2)
    scope = session.SCOPE.get()
    return Recipe(
        criterion=CRITERIA.read(session.CRITERION.get()),
        granularity=GRANULARITIES[session.GRANULARITY.get()].under(settings),
        scope=scope,
        # A global ranking decides by itself; what was chosen waits for another scope
        allocation="each" if scope == "global" else session.ALLOCATION.get(),
        schedule=SCHEDULES[session.SCHEDULE.get()].under({STEPS.name: session.STEPS.get()}),
    )


def granularity_values(*, without_numbers: bool = False) -> dict[str, Value]:
    """What the widgets of the chosen granularity hold.

    Args:
        without_numbers: leave out what a person types as any number, which may be nonsense at the moment.

    Raises:
        RecipeError: such a number cannot be read.
    """
    values: dict[str, Value] = {}
    name = session.GRANULARITY.get()
    for setting in GRANULARITIES[name].settings:
        value = granularity_key(name, setting).get()
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
