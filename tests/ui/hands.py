"""What a person's hands do on a page without a browser, where AppTest has no word for it."""

import json
from collections.abc import Iterable
from itertools import count
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

_REVISIONS = count(1)


def amount_shown(app: AppTest, key: str = "amount_curve-state") -> float | None:
    """The percent at which the handle on the curve and its box stand; None where there is no handle."""
    amount = json.loads(component(app, key).json)["amount"]
    return None if amount is None else round(amount * 100, 1)


def release_amount(app: AppTest, percent: float, key: str = "amount_curve-view", revision: int | None = None) -> None:
    """Let go of a slider that is a component, and run.

    Args:
        revision: of the release; by default one that comes after all others.
    """
    number = next(_REVISIONS) if revision is None else revision
    states: WidgetStates = app._tree.get_widget_states()
    value = json.dumps({"release": {"amount": percent / 100, "revision": number}})
    states.widgets.append(WidgetState(id=component(app, key).id, json_value=value))
    app._run(states)


def open_layer(app: AppTest) -> str:
    """The layer that the list of layers marks as open."""
    return str(json.loads(component(app, "explore-layers").json)["opened"])


def pick_layer(app: AppTest, name: str) -> None:
    """Click a layer in the list, and run."""
    states: WidgetStates = app._tree.get_widget_states()
    states.widgets.append(WidgetState(id=component(app, "layer_list").id, json_value=json.dumps({"opened": name})))
    app._run(states)


def layers_shown(app: AppTest) -> dict[str, bool]:
    """The layers on offer in the sidebar's tree, by name, and whether each is chosen."""
    data = json.loads(component(app, "layer_tree").json)
    return {name: digit == "1" for (name, *_), digit in zip(data["layers"], data["chosen"], strict=True)}


def layers_not_offered(app: AppTest) -> dict[str, str]:
    """Name -> reason, as the tree has them below its layers."""
    return dict(json.loads(component(app, "layer_tree").json)["refused"])


def choose_layers(app: AppTest, names: Iterable[str], revision: int | None = None) -> None:
    """Tick exactly these in the sidebar's tree, and run.

    Args:
        revision: of the choice; by default one that comes after all others.
    """
    wanted, among = set(names), layers_shown(app)
    assert wanted <= set(among)
    number = next(_REVISIONS) if revision is None else revision
    offer = json.loads(component(app, "layer_tree").json)["offer"]
    choice = {"offer": offer, "chosen": "".join(str(int(name in wanted)) for name in among), "revision": number}
    states: WidgetStates = app._tree.get_widget_states()
    value = json.dumps({"choice": choice})
    states.widgets.append(WidgetState(id=component(app, "layer_tree").id, json_value=value))
    app._run(states)


def controlled(widgets: Iterable[Any], name: str) -> Any:
    """The widget of a name whose key has a number, since it is replaced when something else sets its value."""
    return next(each for each in widgets if name in (each.key, str(each.key).rpartition("-")[0]))


def component(app: AppTest, key: str) -> Any:
    """What a component of ours was sent."""
    return next(each.proto for each in app.get("bidi_component") if each.proto.id.endswith(f"-{key}"))
