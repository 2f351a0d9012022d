"""The ways in which a network comes: as a file, by its name in a library, or from code of one's own."""

import streamlit as st

from pruning_explorer.errors import PruningExplorerError
from pruning_explorer.sources.by_name.library import Library, libraries
from pruning_explorer.ui.glossary_link import help_with_glossary_link
from pruning_explorer.ui.models.files import draw_upload
from pruning_explorer.ui.models.looked_at import look_at
from pruning_explorer.ui.plain_text import plain
from pruning_explorer.ui.session import Key
from pruning_explorer.ui.subjects import bring_by_name

FACTORY = '''import torch
from torchvision.models import resnet18

def pets():
    """A module; or a dict with what it is judged on."""
    model = resnet18(num_classes=37)
    model.load_state_dict(torch.load("pets.pt", weights_only=True))
    images, labels = torch.load("held_out.pt", weights_only=True)
    return {"model": model, "samples": images, "labels": labels}
'''

COMMANDS = """streamlit run app.py -- --subject my_models:pets
streamlit run app.py -- --subject /data/llama.safetensors
streamlit run app.py -- --subject model.pt2 --samples held_out.npz
python -m pruning_explorer report my_models:pets --amount 0.8"""

PROBLEM = Key[str]("name_problem", "")


def draw_ways_in() -> None:
    """One tab for each way; only the open one is drawn."""
    ways = {"A file": draw_upload, "By name": _by_name, "Your code": _by_code}
    for tab, draw in zip(st.tabs(list(ways), key="ways_in", on_change="rerun"), ways.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def _by_name() -> None:
    known = {library.prefix: library for library in libraries()}
    with st.form("by_name", border=False):
        left, right = st.columns([1, 2], vertical_alignment="bottom")
        prefix = left.selectbox(
            "Library",
            list(known),
            key="library",
            format_func=lambda prefix: known[prefix].title + ("" if known[prefix].installed else ", not installed"),
            help=help_with_glossary_link(
                "Where the network's code comes from; it is imported when you press Load.", "library"
            ),
            persist_state="session",
            filter_mode=None,
        )
        name = right.text_input(
            "Name",
            key="library_name",
            placeholder="resnet18, vit_base_patch16_224, bert-base-uncased …",
            help=help_with_glossary_link("As the library calls the network.", "library"),
            persist_state="session",
        )
        pretrained = st.toggle(
            "Trained weights",
            value=True,
            key="library_pretrained",
            help=help_with_glossary_link(
                "From this machine's cache, or from the network where it can be reached. Off: random weights, which "
                "show shapes and speed and nothing about what a network knows.",
                "trained-weights",
            ),
            persist_state="session",
        )
        asked = st.form_submit_button("Load", type="primary")
    if asked:
        _load(known[prefix], name.strip(), trained=pretrained)
    elif problem := PROBLEM.get():
        st.error(plain(problem, longest=900), icon=":material/error:")
    else:
        st.caption("A library is imported when you ask for it. Inputs are noise until you bring samples.")


def _load(library: Library, name: str, *, trained: bool) -> None:
    PROBLEM.forget()
    if not name:
        PROBLEM.set(f"no name is given; write the name of a network of {library.title}")
        st.rerun()
    words = f"{library.prefix}:{name}" + ("" if trained else ",pretrained=false")
    try:
        with st.spinner(f"Loading {plain(words)} …", show_time=True):
            subject = bring_by_name(words)
    except PruningExplorerError as error:
        PROBLEM.set(str(error))
    else:
        look_at(subject.name)
    st.rerun()


def _by_code() -> None:
    st.caption(
        "A function of yours that makes the network runs with all rights of this program, so it is named by whoever "
        "starts it, never in the browser. A file larger than an upload may be comes in the same way."
    )
    st.code(FACTORY, language="python", wrap_lines=True)
    st.code(COMMANDS, language="sh", wrap_lines=True)
    st.caption(
        "Put the function's file into the folder from which you start. Further keys it may give: `score`, a function "
        "of logits and labels that gives each sample a number in [0, 1], which the pages name; `calibration` and "
        "`calibration_labels`, inputs of the training part, which gradient criteria, Wanda and recalibration look at; "
        "`output_names`, `about`."
    )
