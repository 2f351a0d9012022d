"""What makes a weight important: one of many criteria, or a file of one's own."""

from collections.abc import Iterator

import streamlit as st

from pruning_explorer.lessons.glossary import glossary
from pruning_explorer.prune.criteria import CRITERIA, Criterion
from pruning_explorer.prune.subject import Subject
from pruning_explorer.ui import session, state
from pruning_explorer.ui.controls.focus import take_focus
from pruning_explorer.ui.controls.own_file import PROBLEM, draw_own_file, is_own, own_note
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.papers import link_papers
from pruning_explorer.ui.plain_text import plain

OPEN = session.Key[bool]("criterion_open")
"""Whether the list of criteria is open."""

GROUPS = {
    "From the weights alone": ("weights", "example"),
    "Needs inputs (of a calibration part, none that is judged)": ("inputs",),
    "Needs labels (of a calibration part, none that is judged)": ("labels",),
}


def draw_criterion() -> None:
    """The present criterion with what it is; all others, while one looks for another."""
    text = session.CRITERION.get()
    criterion = CRITERIA.read(text)
    choice = st.popover(f"Criterion: {criterion.title}", key=OPEN, on_change="rerun", width="stretch")
    if choice.open:
        with choice:
            for group, members in _groups():
                st.markdown(f"**{group}**")
                for each in members:
                    _offer(each, state.subject())
            draw_own_file(close)
            take_focus(OPEN)
    note = own_note(text) if is_own(criterion.name) else criterion.advice
    st.caption(
        " ".join(filter(None, (criterion.help, _paper(criterion), note))),
        help=help_with_glossary_link(
            "What makes a weight important. The list above has all criteria, with what each looks at.",
            "criterion",
            glossary().word_for("criterion", criterion.name),
        ),
    )


def choose(text: str) -> None:
    """Take a criterion and close the list."""
    session.CRITERION.set(text)
    close()


def close() -> None:
    """Close the list of criteria."""
    OPEN.set(False)
    PROBLEM.set(None)


def _groups() -> Iterator[tuple[str, list[Criterion]]]:
    for group, needs in GROUPS.items():
        yield group, [each for each in CRITERIA.values() if each.needs in needs and not is_own(each.name)]


def _offer(criterion: Criterion, subject: Subject) -> None:
    reason = _why_not(criterion, subject)
    name, about = st.columns([2, 3], gap="small", vertical_alignment="center")
    name.button(
        criterion.title,
        key=f"criterion_{criterion.name}",
        on_click=choose,
        args=(criterion.name,),
        disabled=reason is not None,
        icon=":material/check:" if criterion.name == session.CRITERION.get() else None,
        width="stretch",
    )
    note = f"**Not for this network**: {plain(reason)}" if reason else criterion.advice
    about.caption(" ".join(filter(None, (criterion.help, _paper(criterion), note))))


def _why_not(criterion: Criterion, subject: Subject) -> str | None:
    """Why no layer of the network can be judged, as far as one can say without running it on many inputs."""
    if (missing := criterion.missing(subject)) or criterion.needs not in ("weights", "example"):
        return missing
    reasons = [criterion.refuse(subject, target) for target in subject.targets if target.role == "weight"]
    return reasons[0] if reasons and all(reasons) else None


def _paper(criterion: Criterion) -> str:
    return criterion.paper and f"{link_papers(criterion.paper)}."
