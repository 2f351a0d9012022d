"""The sidebar: what to prune, by which method, how much."""

import pandas as pd
import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.prune.code import torch_name
from pruning_explorer.prune.criteria import CRITERIA
from pruning_explorer.prune.granularities import GRANULARITIES
from pruning_explorer.prune.recipe import SCOPES, SETTINGS, Recipe
from pruning_explorer.prune.settings import Setting
from pruning_explorer.prune.subject import Subject
from pruning_explorer.sources.samples import sample_names
from pruning_explorer.ui import state

DIMS = {0: "0 · outputs", 1: "1 · inputs"}
SCOPE_TITLES = {"layer": "Each layer", "global": "All together"}
NORMS = ["1", "2", "inf", "-inf"]


def draw_controls() -> Recipe:
    """Draw every control and say what they stand for.

    Raises:
        PruningExplorerError: they make no recipe; all of them are drawn nevertheless.
    """
    with st.sidebar:
        _layers(_subject())
        _method()
        _torch_name()
        _amount()
        _layer_amounts()
        _more()
    return state.recipe()


def _subject() -> Subject:
    st.selectbox(
        "Network",
        sample_names(),
        key="subject",
        persist_state="session",
        help="A small network and the samples it is judged on; all but tutorial-mlp are trained.",
        on_change=state.on_subject_change,
        filter_mode=None,
    )
    subject = state.subject()
    st.caption(subject.about)
    return subject


def _layers(subject: Subject) -> None:
    on_offer = state.offered_targets()
    names = [target.name for target in on_offer]
    st.session_state["layers"] = state.chosen_names()
    st.multiselect(
        "Layers",
        names,
        key="layers",
        placeholder="Search a layer, or choose all",
        help="Only these lose weights; all others stay dense. Type to search.",
        on_change=lambda: state.choose(st.session_state["layers"]),
    )
    types = sorted({target.layer_type for target in on_offer})
    with st.container(horizontal=True, gap="small"):
        st.button("All", key="layers_all", on_click=state.choose, args=(names,), help="Choose every layer on offer.")
        st.button("None", key="layers_none", on_click=state.choose, args=((),), help="Start from an empty choice.")
        by_type = st.popover(
            "By type", key="types_open", on_change="rerun", help="Choose all layers of one type, and no others."
        )
    if by_type.open:
        with by_type:
            for kind in types:
                of_kind = [target.name for target in on_offer if target.layer_type == kind]
                st.button(f"{kind} ({len(of_kind)})", key=f"layers_{kind}", on_click=state.choose, args=(of_kind,))
    if subject.refused:
        with st.popover(f"{len(subject.refused)} not offered", help="Parameters that cannot be pruned, and why."):
            for name, reason in subject.refused.items():
                st.markdown(f"`{name}`: {reason}")


def _method() -> None:
    st.segmented_control(
        "Criterion",
        list(CRITERIA),
        key="criterion",
        persist_state="session",
        format_func=lambda name: CRITERIA[name].title,
        help="\n".join(f"- **{each.title}**: {each.help}" for each in CRITERIA.values()),
        required=True,
        width="stretch",
    )
    st.segmented_control(
        "Granularity",
        list(GRANULARITIES),
        key="granularity",
        persist_state="session",
        format_func=lambda name: GRANULARITIES[name].title,
        help="\n".join(f"- **{each.title}**: {each.help}" for each in GRANULARITIES.values()),
        required=True,
        width="stretch",
    )
    if st.session_state["granularity"] == "channel":
        dim, norm = GRANULARITIES["channel"].settings
        left, right = st.columns(2)
        options = list(DIMS) if st.session_state["dim"] in DIMS else [*DIMS, st.session_state["dim"]]
        left.selectbox(
            dim.label,
            options,
            key="dim",
            format_func=lambda d: DIMS.get(d, str(d)),
            help=dim.help,
            persist_state="session",
        )
        orders = NORMS if st.session_state["norm"] in NORMS else [*NORMS, st.session_state["norm"]]
        right.selectbox(
            norm.label,
            orders,
            key="norm",
            help=f"{norm.help} Type any other number. A random criterion needs none.",
            accept_new_options=True,
            disabled=st.session_state["criterion"] == "random",
            persist_state="session",
        )
    st.segmented_control(
        "Scope",
        list(SCOPES),
        key="scope",
        persist_state="session",
        format_func=SCOPE_TITLES.__getitem__,
        help="\n".join(f"- **{SCOPE_TITLES[name]}**: {text}" for name, text in SCOPES.items()),
        required=True,
        width="stretch",
    )


def _torch_name() -> None:
    try:
        call, joint, note = torch_name(state.recipe()).partition(" on each layer")
    except PruningExplorerError:
        return  # the page says what is wrong
    st.caption(f"`{call}`{joint}{note}", help="What torch calls this combination; the Code tab has all of it.")


def _amount() -> None:
    setting = SETTINGS["amount"]
    st.session_state["amount_slider"] = st.session_state["amount_box"] = st.session_state["amount"]
    slider, box = st.columns([3, 2], vertical_alignment="bottom")
    slider.slider(
        "Amount, %",
        0.0,
        100.0,
        step=0.1,
        format="%.1f",
        key="amount_slider",
        help=f"{setting.help} The layer's own slider on the page follows the pointer while you drag.",
        on_change=lambda: state.set_amount(st.session_state["amount_slider"] / 100),
    )
    box.number_input(
        "Amount, exact, %",
        0.0,
        100.0,
        step=0.1,
        format="%.1f",
        key="amount_box",
        label_visibility="collapsed",
        help="The same amount, typed.",
        on_change=lambda: state.set_amount(st.session_state["amount_box"] / 100),
    )


def _layer_amounts() -> None:
    names = state.chosen_names()
    if st.session_state.get("amounts_names") != names:
        # Other rows: the table starts anew, from the amounts as they are now
        st.session_state["amounts_names"] = names
        state.set_layer_amounts(st.session_state["layer_amounts"])
    amounts, base = st.session_state["layer_amounts"], st.session_state["amounts_base"]
    count = sum(name in amounts for name in names)
    # Its label is part of its identity: one that counts would fold it with each new amount
    table = st.expander(
        "Amounts per layer",
        key="amounts_open",
        # The table is not kept while it is closed: it starts anew, from the amounts as they are then
        on_change=lambda: state.set_layer_amounts(st.session_state["layer_amounts"]),
    )
    if table.open:
        with table:
            _amounts_table(names, base)
            if count:
                st.button(
                    "Back to one amount for all", key="amounts_reset", on_click=state.set_layer_amounts, args=({},)
                )
    if count:
        have = "layer has an amount of its own" if count == 1 else "layers have amounts of their own"
        st.caption(f"{count} {have}.")


def _amounts_table(names: list[str], base: dict[str, float]) -> None:
    st.caption("A layer with an amount of its own is cut by itself; the others keep the shared one.")
    frame = pd.DataFrame({"layer": names, "amount": pd.Series([_percent(base.get(n)) for n in names], dtype="Float64")})
    key = f"amounts_{st.session_state['amounts_edition']}"
    st.data_editor(
        frame,
        key=key,
        hide_index=True,
        disabled=["layer"],
        column_config={
            "layer": st.column_config.TextColumn("Layer", width=132),
            "amount": st.column_config.NumberColumn(
                "Own, %",
                width=64,
                min_value=0.0,
                max_value=100.0,
                step=0.1,
                format="%.1f",
                help="Amount of this layer alone. Empty: the shared amount.",
            ),
        },
        on_change=_take_edits,
        args=(key, names),
    )


def _take_edits(key: str, names: list[str]) -> None:
    amounts = dict(st.session_state["layer_amounts"])
    for row, edit in st.session_state[key]["edited_rows"].items():
        if "amount" in edit:
            percent = edit["amount"]
            if percent is None:
                amounts.pop(names[int(row)], None)
            else:
                amounts[names[int(row)]] = round(min(max(float(percent), 0.0), 100.0) / 100, 4)
    st.session_state["layer_amounts"] = amounts


def _percent(amount: float | None) -> float | None:
    return None if amount is None else round(amount * 100, 1)


def _more() -> None:
    more = st.expander("Cap, seed, biases", key="more_open", on_change="rerun")
    if not more.open:
        return
    with more:
        cap = SETTINGS["cap"]
        st.slider(
            f"{cap.label}, %",
            0.0,
            100.0,
            step=0.1,
            format="%.1f",
            key="cap",
            persist_state="session",
            help=f"{cap.help} A layer collapses when one ranking for all leaves nothing of it.",
        )
        seed = SETTINGS["seed"]
        st.number_input(
            seed.label, int(seed.low), int(seed.high), step=1, key="seed", persist_state="session", help=seed.help
        )
        _switch(SETTINGS["biases"])
        _switch(SETTINGS["norms"])


def _switch(setting: Setting) -> None:
    st.toggle(setting.label, key=setting.name, help=setting.help, persist_state="session")
