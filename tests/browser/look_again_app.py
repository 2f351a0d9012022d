"""A small app with a part that is drawn again until it has been drawn often enough; its button holds the page up."""

import time

import streamlit as st

from pruning_explorer.ui.look_again import draw_until_done

ENOUGH = 5
SECONDS = 0.3
LONG = 1.5


def part() -> bool:
    st.session_state.looks += 1
    st.markdown(f"look {st.session_state.looks}")
    return bool(st.session_state.looks < ENOUGH)


def main() -> None:
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    pressed = st.button("Hold up", key="hold")
    if pressed or "looks" not in st.session_state:
        st.session_state.looks = 0
    draw_until_done(part, key="part", seconds=SECONDS)
    if pressed:
        time.sleep(LONG)
        st.markdown(f"{st.session_state.looks} while it ran")
    st.markdown(f"run {st.session_state.runs}")


main()
