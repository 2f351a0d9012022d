"""A small app around the amount's curve alone, for its tests.

``?points=none&amount=40``, or ``begun``, ``half``; ``several=1`` for two recipes at 80 % and at 60 %.
"""

import math

import streamlit as st

from pruning_explorer.figures.colours import recipe_look
from pruning_explorer.ui.amount_curve import amount_curve, released_on_curve, send_curves, send_points
from tests.browser.emptied import emptied

AMOUNTS = tuple(i / 10 for i in range(11))
SAMPLES = 200


def point(amount: float) -> dict[str, float]:
    """Of a network that keeps its accuracy of 90 % up to half of the weights, and then loses it in a straight line."""
    lost = max(0.0, 2 * amount - 1)
    quality, agreement = 0.9 * (1 - lost), 1 - lost
    around = {"quality_low": quality - 0.05 * quality, "quality_high": quality + 0.05 * (1 - quality)}
    return {"amount": amount, "quality": quality, **around, "agreement": agreement, "kl_nats": 3 * lost}


def take() -> None:
    if (released := released_on_curve("curve")) is not None:
        st.session_state.update(amount=released.amount, revision=released.revision)


def main() -> None:
    if emptied():
        return
    st.set_page_config(page_title="Amount", layout="wide")
    st.session_state.setdefault("amount", float(st.query_params.get("amount", "40")) / 100)
    st.session_state.setdefault("points", st.query_params.get("points", "all"))
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    labels = "unlabelled" not in st.query_params
    several = "several" in st.query_params
    apart = several and "revision" not in st.session_state
    looks = [recipe_look(0), recipe_look(1)]
    with st.container(width=int(st.query_params.get("width", "1000"))):
        amount_curve(
            key="curve",
            page="page",
            label="Amount to remove",
            exact="Amount, exact, %",
            amount=None if apart else st.session_state.amount,
            own=[(look.letter, look.colour, at) for look, at in zip(looks, (0.8, 0.6), strict=True)] if apart else [],
            revision=st.session_state.get("revision", 0),
            group="shared",
            note="There is no curve.",
            on_release=take,
        )
    measured = {"none": 0, "begun": 0, "half": 6, "all": len(AMOUNTS)}[st.session_state.points]
    points = [point(amount) for amount in AMOUNTS[:measured]]
    if not labels:
        points = [{**each, **dict.fromkeys(("quality", "quality_low", "quality_high"), math.nan)} for each in points]
    if several:
        slower = [{**each, "quality": each["quality"] / 2 + 0.45} for each in points]
        common = {"quality_name": "accuracy", "dense_quality": 0.9, "samples": SAMPLES, "done": True, "note": ""}
        send_curves("page", [(looks[0], points), (looks[1], slower)], planned=22, measured=22, **common)
    elif st.session_state.points != "none":
        send_points(
            "page",
            points,
            planned=len(AMOUNTS),
            measured=measured,
            quality_name="accuracy",
            dense_quality=0.9 if labels else None,
            samples=SAMPLES,
            done=measured == len(AMOUNTS),
            mark={"amount": 0.505, "words": "most for 1 point", "exact": True} if measured > 6 else None,
            note="Measuring …",
        )
    st.write(f"Python sees {100 * st.session_state.amount:.1f} %, run {st.session_state.runs}")
    st.button("More points", on_click=st.session_state.update, kwargs={"points": "all"})
    for line in range(40):
        st.write(f"Line {line}")


if __name__ == "__main__":
    main()
