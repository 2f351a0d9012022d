"""The JavaScript of the tree of layers by itself: what it makes of names and of hands, with no page around it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.browser.conftest import UI, Js

TREE, CHOICE, WORDS, KEYS, MAIN = (f"layer_tree/js/{name}.js" for name in ("tree", "choice", "words", "keys", "main"))

BERT = [
    *(
        f"encoder.layer.{i}.{part}.weight"
        for i in range(12)
        for part in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
            "intermediate.dense",
            "output.dense",
        )
    ),
    "pooler.dense.weight",
    "classifier.weight",
]
SEEN = "m.visibleRows(tree, OPEN, FOUND).map(({ label, level }) => `${' '.repeat(level)}${label}`)"


def seen(js: Js, names: list[str], opened: str = "m.openAtFirst(tree)", found: str = "null") -> list[str]:
    """The labels of the rows, each set in by its level."""
    rows = SEEN.replace("OPEN", opened).replace("FOUND", found)
    return list(js(TREE, f"((tree) => {rows})(m.buildTree(x))", names))


def test_blocks_are_rows_and_chains_of_them_are_one(js: Js) -> None:
    names = ["conv1.weight", "block.conv1.weight", "block.conv2.weight", "stem.0.norm.weight", "weight"]
    assert seen(js, names) == [" conv1", " block", "  conv1", "  conv2", " stem.0.norm", " weight"]
    assert seen(js, ["a.b.c.weight", "a.b.c.bias", "a.b.d.weight"]) == [" a.b", "  c", "   weight", "   bias", "  d"]


@pytest.mark.parametrize(
    "names", [[], [""], ["."], ["a", "a."], ["a", "a.b", "a.b.c", "a.b.d"], ["a.", "a..b", "..", "a"]]
)
def test_any_names_make_a_tree_with_a_row_for_each(js: Js, names: list[str]) -> None:
    tree = """((tree) => {
      const leaves = m.visibleRows(tree, new Set(x.map((_, i) => i)), new Set(x.map((_, i) => i)))
        .filter(({ node }) => !m.isBranch(node));
      const ids = m.visibleRows(tree, m.openAtFirst(tree)).map(({ node }) => node.id);
      const [layers, called] = ["layers", "name"].map((of) => leaves.map(({ node }) => node[of]));
      return [layers, called, new Set(ids).size === ids.length];
    })(m.buildTree(x))"""
    layers, called, all_differ = js(TREE, tree, names)
    assert sorted(layers) == [[i] for i in range(len(names))]
    assert [called[layers.index([i])] for i in range(len(names))] == names
    assert all_differ


def test_a_layer_called_as_a_block_keeps_the_ends_of_names(js: Js) -> None:
    assert seen(js, ["a", "a.weight"]) == [" a", " a.weight"]


def test_a_large_network_begins_with_its_top_blocks(js: Js) -> None:
    assert seen(js, BERT) == [" encoder.layer", *(f"  {i}" for i in range(12)), " pooler.dense", " classifier"]
    twelve = BERT[:12]
    assert len(seen(js, twelve)) == 1 + 2 * 3 + 12, "a small one is wholly open: two blocks with attention and self"


def test_what_is_looked_for_stands_in_its_blocks(js: Js) -> None:
    found = 'm.findLayers(x.map((name) => [name, "Linear"]), "layer.3 OUTPUT")'
    assert seen(js, BERT, found=found) == [" encoder.layer.3", "  attention.output.dense", "  output.dense"]
    find = "m.findLayers(x, {}) && [...m.findLayers(x, {})]"
    layers = [["conv1.weight", "Conv2d"], ["fc.weight", "Linear"]]
    assert js(TREE, find.replace("{}", "'conv2D'"), layers) == [0]
    assert js(TREE, find.replace("{}", "'none such'"), layers) == []
    assert js(TREE, find.replace("{}", "'  '"), layers) is None


def test_long_names_are_shortened_and_stay_different(js: Js) -> None:
    long = ["x" * 40 + f"{i}" + "y" * 40 for i in range(3)]
    short = js(TREE, "m.shortLabels(x, 12)", [*long, "short"])
    assert len(set(short)) == 4
    assert short[3] == "short"
    assert js(TREE, "m.shortLabels(x, 10)", ["a_very_long_projection", "b"]) == ["a_v…ection", "b"]
    # no letter is cut in two, and none is markup
    assert js(TREE, "m.shortLabels(x, 4)", ["😀😀😀😀😀😀"]) == ["😀…😀😀"]


@given(st.lists(st.text("ab", min_size=1, max_size=9), unique=True, min_size=1, max_size=9), st.integers(3, 8))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_short_labels_are_as_many_as_the_names(js: Js, names: list[str], longest: int) -> None:
    short = js(TREE, f"m.shortLabels(x, {longest})", names)
    assert len(set(short)) == len(names)
    assert all(label == name or "…" in label for label, name in zip(short, names, strict=True))


def test_a_block_is_on_off_or_half_chosen(js: Js) -> None:
    checked = "[[0, 1], [1, 2], [2]].map((layers) => m.checkedOf(layers, m.readChoice(x)))"
    assert js(CHOICE, checked, "110") == ["true", "mixed", "false"]
    after = "m.writeChoice(m.choose(m.readChoice(x), [1, 2]))"
    assert js(CHOICE, after, "110") == "111", "half chosen: all of it"
    assert js(CHOICE, after, "111") == "100"
    assert js(CHOICE, "m.writeChoice(m.chooseOnly(m.readChoice(x), [2]))", "110") == "001"


def test_a_tick_that_python_has_not_heard_of_stays_while_the_offer_changes(js: Js) -> None:
    carry = "m.carryChoice(['a', 'bias', 'b'], [1, 1, 1], ['a', 'b', 'c'], [0, 1, 0])"
    assert js(CHOICE, carry) == [0, 1, 1]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0004, "<0.1 %"),
        (0.001, "0.1 %"),
        (0.0499, "5 %"),
        (0.0836, "8.4 %"),
        (0.0997, "10 %"),
        (0.836, "84 %"),
        (0.9999, "99 %"),
        (1, "100 %"),
    ],
)
def test_a_share_is_said_in_few_digits(js: Js, share: float, text: str) -> None:
    assert js(WORDS, "m.shareText(x)", share) == text


def test_letters_lead_to_the_row_that_begins_so(js: Js) -> None:
    at = "x.reduce((at, text) => m.rowOfWord(rows, at, text), 0)"
    labels = ["conv1", "block1", "conv2", "stem.block2"]
    rows = f"((rows) => {at})({[{'label': label} for label in labels]})"
    assert js(KEYS, rows, ["b"]) == 1
    assert js(KEYS, rows, ["b", "bb"]) == 3, "the same letter again: the next one"
    assert js(KEYS, rows, ["c"]) == 2, "the first is where one stands"
    assert js(KEYS, rows, ["conv1"]) == 0
    assert js(KEYS, rows, ["z"]) == 0


NAMES = ["a.x.weight", "a.y.weight", "b.weight"]
LIFE = """(() => {
  const element = document.createElement("div");
  element.innerHTML = x.html;
  document.body.append(element);
  const sent = [];
  const setStateValue = (name, value) => sent.push(value);
  const told = (data) => m.default({ data: { ...x.data, ...data }, parentElement: element, setStateValue });
  const rows = () => [...element.querySelectorAll("[role=treeitem]")];
  const tick = (i) => rows()[i].querySelector(".check").click();
  const ticked = () => rows().map((row) => row.getAttribute("aria-checked")).join(" ");
  const seen = [];
  const look = () => seen.push(ticked());
  EVENTS
  element.remove();
  return [seen, sent.map(({ offer, chosen }) => `${offer} ${chosen}`), sent.map(({ revision }) => revision)];
})()"""


def live(js: Js, events: str) -> tuple[list[str], list[str], list[int]]:
    """What the rows a, a.x, a.y and b showed at each ``look()``, what was sent, and its numbers.

    In ``events`` the component is ``told`` something by Python, and a hand does ``tick`` a row's box.
    """
    layers = [[name, "Linear", [2, 2], 4] for name in NAMES]
    data: dict[str, Any] = {"network": "n", "offer": "first", "layers": layers, "chosen": "111", "revision": 0}
    data |= {"refused": [], "search": False}
    html = (UI / "layer_tree/layer_tree.html").read_text(encoding="utf-8")
    seen, sent, revisions = js(MAIN, LIFE.replace("EVENTS", events), {"html": html, "data": data})
    return seen, sent, revisions


def test_a_hand_is_told_to_python_with_numbers_that_grow(js: Js) -> None:
    seen, sent, revisions = live(js, "told({}); look(); tick(0); look(); tick(2); look();")
    assert seen == ["true true true true", "false false false true", "mixed false true true"]
    assert sent == ["first 001", "first 011"]
    assert 0 < revisions[0] < revisions[1]


def test_an_answer_to_an_earlier_tick_does_not_undo_a_later_one(js: Js) -> None:
    seen, _, _ = live(
        js,
        """told({}); tick(1); tick(3);
        told({ chosen: "111", revision: 0 }); look();
        told({ chosen: "011", revision: sent[0].revision }); look();
        told({ chosen: "010", revision: sent[1].revision }); look();
        told({ chosen: "111", revision: sent[1].revision }); look();""",
    )
    assert seen[:3] == ["mixed false true false"] * 3
    assert seen[3] == "true true true true", "what else sets it, once all has been heard"


def test_layers_that_come_in_before_the_answer_are_as_python_says(js: Js) -> None:
    seen, _, _ = live(
        js,
        """told({}); tick(3);
        told({ offer: "second", layers: [...x.data.layers, ["c", "Linear", [1], 1]], chosen: "1110" }); look();""",
    )
    assert seen == ["true true true false false"]


def test_another_network_takes_nothing_over(js: Js) -> None:
    seen, _, _ = live(js, 'told({}); tick(3); told({ network: "other", offer: "other" }); look();')
    assert seen == ["true true true true"]
