"""A widget that something else may set: a hand keeps it, a tell makes a new one, and the old one is not heard."""

from streamlit.testing.v1 import AppTest

from tests.ui.hands import controlled


def script() -> None:
    import streamlit as st

    from pruning_explorer.ui.controlled_widget import controlled_widget

    st.session_state.setdefault("amount", 10)
    box = controlled_widget("box", st.session_state["amount"])
    st.number_input(
        "Box", 0, 100, box.value, key=box.key, on_change=box.on_change(lambda v: st.session_state.update(amount=v))
    )
    st.button("Set to 50", key="set", on_click=lambda: st.session_state.update(amount=50))
    st.text(f"{st.session_state['amount']} in {box.key}")


def test_the_hand_keeps_its_widget_and_a_tell_makes_a_new_one() -> None:
    app = AppTest.from_function(script).run()
    for value in (11, 12):
        controlled(app.number_input, "box").set_value(value).run()
        assert app.text[0].value == f"{value} in box-0"
    app.button(key="set").click().run()
    assert app.text[0].value == "50 in box-1"
    assert controlled(app.number_input, "box").value == 50
    app.button(key="set").click().run()
    assert app.text[0].value == "50 in box-1", "it says so already"
    controlled(app.number_input, "box").set_value(51).run()
    assert app.text[0].value == "51 in box-1"


def test_what_the_browser_still_reports_of_the_old_widget_is_no_hand_on_it() -> None:
    app = AppTest.from_function(script).run()
    controlled(app.number_input, "box").set_value(20).run()
    before = app._tree.get_widget_states()
    app.button(key="set").click().run()
    before.widgets[0].int_value = 21  # a second key, before the browser has heard of the tell
    app._run(before)
    assert not app.exception
    assert app.text[0].value == "50 in box-1"
    assert controlled(app.number_input, "box").value == 50
