"""What is set differently from the default: a mark beside its control, and the way back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pruning_explorer.figures.numbers import percent
from pruning_explorer.measure.recalibration import has_batchnorm, why_no_recalibration
from pruning_explorer.prune.allocation import ALLOCATIONS
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.recipe_settings import SCOPES, SETTINGS
from pruning_explorer.prune.registry import Choices
from pruning_explorer.prune.schedule import SCHEDULES, STEPS
from pruning_explorer.prune.settings import Setting, Value, format_value
from pruning_explorer.ui import session, state
from pruning_explorer.ui.session import Key

CHOICES: dict[str, Choices[Any]] = {
    "criterion": CRITERIA,
    "granularity": GRANULARITIES,
    "scope": SCOPES,
    "allocation": ALLOCATIONS,
    "schedule": SCHEDULES,
}


@dataclass(frozen=True)
class Standing:
    """Where a control stands, and where it stands by default.

    Attributes:
        label: of the control.
        key: of what it sets.
        now: what is set.
        default: what would be.
        words: the default as a page shows it.
    """

    label: str
    key: Key[Any]
    now: object
    default: object
    words: str

    @property
    def differs(self) -> bool:
        """Whether another value is set than the default."""
        return self.now != self.default


def standings() -> dict[str, Standing]:
    """Of everything in the sidebar that decides about the recipe now, by the key of what it sets.

    The network and the amount are not among them: they have no default that one would go back to.
    """
    subject, granularity = state.subject(), GRANULARITIES[session.GRANULARITY.get()]
    settings: dict[Key[Any], Setting] = {Key(name): each for name, each in SETTINGS.items() if name != "amount"}
    settings |= {state.granularity_key(granularity.name, each): each for each in granularity.settings}
    if SCHEDULES[session.SCHEDULE.get()].settings:
        settings[session.STEPS] = STEPS
    if session.SCOPE.get() == "global":
        settings.pop(session.ALLOCATION)
    if not has_batchnorm(subject) or why_no_recalibration(subject) is not None:
        settings.pop(session.RECALIBRATE)
    on_offer, first = {target.name for target in state.offered_targets()}, state.unwanted_at_first()
    unwanted = session.UNWANTED.get() & on_offer
    amounts = {name: amount for name, amount in session.LAYER_AMOUNTS.get().items() if name in on_offer - unwanted}
    all_of_these = (
        *(_of_setting(key, setting) for key, setting in settings.items()),
        Standing("Layers", session.UNWANTED, unwanted, first & on_offer, "one layer" if first else "all"),
        Standing("Amounts per layer", session.LAYER_AMOUNTS, amounts, {}, "one amount for all"),
    )
    return {each.key: each for each in all_of_these}


def _of_setting(key: Key[Any], setting: Setting) -> Standing:
    default = format_value(setting.default) if setting.typed else setting.default
    return Standing(setting.label, key, key.get(), default, _words(setting))


def _words(setting: Setting) -> str:
    default: Value = setting.default
    if setting.name in CHOICES:
        return str(CHOICES[setting.name][str(default)].title)
    if isinstance(default, bool):
        return "on" if default else "off"
    return percent(float(default)) if setting.unit == "fraction" else setting.labels.get(default, format_value(default))


@contextmanager
def marked(*keys: str, place: str = "label", fold: str = "") -> Iterator[None]:
    """Draw a control, or a fold with several, and beside it the way back where it differs from its default.

    Args:
        keys: of what it sets; those that decide nothing at the moment count as not different.
        place: beside what it stands: ``"label"``, or ``"button"`` where a control is one.
        fold: name of the fold, where it is one.
    """
    name = fold or keys[0]
    with st.container(key=f"marked_{place}_{name}", gap="xxsmall"):
        yield
        known = standings()
        different = [known[key] for key in keys if key in known and known[key].differs]
        if different:
            words = ", ".join(f"{each.label} {each.words}" if fold else each.words for each in different)
            _draw_way_back(f"back_{name}", f"Back to the default: {words}", different)


def draw_ways_back() -> None:
    """How many differ, and one button that takes them all back; its room is kept where none does."""
    different = [each for each in standings().values() if each.differs]
    with st.container(key="all_back"):
        if different:
            names = ", ".join(each.label for each in different)
            st.button(
                f"{len(different)} changed: take all back",
                key="back_all",
                icon=":material/undo:",
                type="tertiary",
                help=f"Not at their defaults: {names}. The amount stays.",
                on_click=_take_back,
                args=(different,),
            )


def _draw_way_back(key: str, words: str, different: list[Standing]) -> None:
    st.button(
        words, key=key, icon=":material/undo:", type="tertiary", help=words, on_click=_take_back, args=(different,)
    )


def _take_back(different: list[Standing]) -> None:
    for each in different:
        each.key.set(state.unwanted_at_first() if each.key == session.UNWANTED else each.default)
