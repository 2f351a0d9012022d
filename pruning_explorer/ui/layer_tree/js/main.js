import { component } from "../../browser/js/component.js";
import { nextRevision } from "../../browser/js/slider.js";
import { followTheme } from "../../browser/js/theme.js";
import { carryChoice, choose, chooseOnly, countChosen, readChoice, writeChoice } from "./choice.js";
import { bindKeys } from "./keys.js";
import { writeRows } from "./rows.js";
import { bindTypes, writeTypes } from "./types.js";
import { buildTree, findLayers, isBranch, openAtFirst, visibleRows } from "./tree.js";
import { layersText, shareText } from "./words.js";

// A tree of layers with boxes to tick. Python hears of each tick with the whole choice and a number that grows, and
// answers with the number of the last one that it has taken: until then what a hand did stands here.
const MOST_ROWS = 400; // rows that are drawn; a search leads to the others
// Which branches are open, by network, also after the tree was away; this module may be evaluated again
const OPEN = (globalThis.pruningExplorerOpenBranches ??= new Map());

function open(parent) {
  const root = parent.querySelector(".layer-tree");
  const $ = (selector) => root.querySelector(selector);
  const app = {
    root,
    search: $(".search"),
    list: $(".rows"),
    nothing: $(".nothing"),
    more: $(".more"),
    refused: $(".refused"),
    count: $(".count"),
    byType: $(".by-type"),
    types: $(".types"),
    acts: Object.fromEntries([...root.querySelectorAll("[data-act]")].map((button) => [button.dataset.act, button])),
    elements: new Map(),
    offer: null,
    layers: [],
    chosen: new Uint8Array(0),
    found: null,
    revision: 0, // of the last tick here
    at: 0,
    rows: [],
  };
  app.weightsOf = (layers) => layers.reduce((sum, layer) => sum + app.layers[layer][3], 0);
  app.goTo = (at) => goTo(app, at);
  app.fold = (node, wide) => fold(app, node, wide);
  app.toggle = ({ layers }) => take(app, choose(app.chosen, layers));
  app.only = (layers) => take(app, chooseOnly(app.chosen, layers));
  bindKeys(app);
  bindTypes(app);
  bindPointer(app);
  bindSearch(app);
  const seen = () => [...(app.found ?? app.tree.layers)];
  app.acts.all.onclick = () => take(app, choose(app.chosen, seen(), true));
  app.acts.none.onclick = () => take(app, choose(app.chosen, seen(), false));
  app.acts.only.onclick = () => app.only(seen());
  return app;
}

function bindPointer(app) {
  app.list.onclick = ({ target }) => {
    const element = target.closest(".row");
    if (!element) return;
    app.at = app.rows.indexOf(element.row);
    const { node } = element.row;
    if (isBranch(node) && !target.closest(".check")) fold(app, node, !app.open.has(node.id));
    else app.toggle(element.row);
    goTo(app, app.at);
  };
  app.list.onfocusin = ({ target }) => {
    const at = app.rows.indexOf(target.row);
    if (at >= 0 && at !== app.at) goTo(app, at);
  };
}

function bindSearch(app) {
  app.search.oninput = () => {
    app.found = findLayers(app.layers, app.search.value);
    app.at = 0;
    show(app);
  };
  app.search.onkeydown = (event) => {
    event.stopPropagation(); // Streamlit has keys of its own
    if (event.key === "Escape" && app.search.value) {
      event.preventDefault();
      app.search.value = "";
      app.search.oninput();
    } else if (event.key === "ArrowDown" && app.rows.length) {
      event.preventDefault();
      goTo(app, app.at);
    }
  };
}

// By a hand here.
function take(app, chosen) {
  app.chosen = chosen;
  app.revision = nextRevision(app.revision);
  show(app);
  app.send("choice", { offer: app.offer, chosen: writeChoice(chosen), revision: app.revision });
}

function fold(app, node, wide) {
  if (!isBranch(node) || app.found) return;
  const at = app.rows[app.at]?.node;
  if (wide) app.open.add(node.id);
  else app.open.delete(node.id);
  show(app, at);
}

function goTo(app, at) {
  if (at >= app.rows.length) return;
  app.at = at;
  const elements = [...app.elements.values()];
  elements.forEach((element, i) => (element.tabIndex = i === at ? 0 : -1));
  elements[at]?.focus({ preventScroll: true });
  elements[at]?.scrollIntoView({ block: "nearest" });
}

/** Draw what is seen; the keyboard stays with the row of a node, or at its place. */
function show(app, node = app.rows[app.at]?.node) {
  const held = app.list.contains(app.list.getRootNode().activeElement);
  const rows = visibleRows(app.tree, app.open, app.found);
  app.rows = rows.slice(0, MOST_ROWS);
  const at = app.rows.findIndex((row) => row.node === node);
  app.at = at >= 0 ? at : Math.max(0, Math.min(app.at, app.rows.length - 1));
  writeRows(app, app.rows);
  [...app.elements.values()].forEach((element, i) => (element.tabIndex = i === app.at ? 0 : -1));
  if (held) goTo(app, app.at);
  app.list.hidden = !app.rows.length;
  app.nothing.hidden = Boolean(app.rows.length);
  app.nothing.textContent = app.layers.length ? "No layer has that in its name or type." : "No layer is on offer.";
  app.more.hidden = rows.length <= MOST_ROWS;
  app.more.textContent = `${rows.length - app.rows.length} more rows: search to see them`;
  writeCount(app);
}

function writeCount(app) {
  const all = app.tree.layers;
  const share = shareText(app.weightsOf(all.filter((layer) => app.chosen[layer])) / app.weights);
  const text = `${countChosen(all, app.chosen)} of ${layersText(all.length)}, ${share} of weights`;
  if (app.count.textContent !== text) app.count.textContent = text; // it is read out when it changes
  const found = app.found?.size;
  const says = app.found
    ? { all: `Add ${found}`, none: `Drop ${found}`, only: `Only ${found}` }
    : { all: "All", none: "None" };
  for (const [act, words] of Object.entries(says)) app.acts[act].textContent = words;
  app.acts.only.hidden = !app.found;
  app.byType.hidden = Boolean(app.found) || app.types.children.length < 2;
  for (const button of Object.values(app.acts)) button.disabled = found === 0;
}

function takeOffer(app, { network, offer, layers, search, refused }) {
  app.offer = offer;
  app.network = network;
  app.layers = layers;
  app.tree = buildTree(layers.map(([name]) => name));
  app.weights = app.weightsOf(app.tree.layers) || 1;
  if (!OPEN.has(network)) OPEN.set(network, openAtFirst(app.tree));
  app.open = OPEN.get(network);
  app.search.hidden = !search;
  if (app.search.hidden) app.search.value = "";
  app.found = findLayers(layers, app.search.value);
  writeTypes(app);
  writeRefused(app, refused);
}

function writeRefused(app, refused) {
  app.refused.hidden = !refused.length;
  app.refused.querySelector("summary").textContent = `${refused.length} not offered: why`;
  app.refused.querySelector("dl").replaceChildren(
    ...refused.flatMap(([name, reason]) => {
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      text.textContent = reason;
      return [term, text];
    }),
  );
}

export default component({
  open,
  take(app, data) {
    followTheme(app.root);
    const told = readChoice(data.chosen);
    const heard = data.revision >= app.revision;
    const before = { network: app.network, names: app.layers.map(([name]) => name), chosen: app.chosen };
    if (data.offer !== app.offer) takeOffer(app, data);
    if (heard) app.revision = data.revision;
    if (heard || before.network !== app.network) app.chosen = told;
    else
      app.chosen = carryChoice(
        data.layers.map(([name]) => name),
        told,
        before.names,
        before.chosen,
      );
    show(app);
  },
  leave: (app) => app.types.matches(":popover-open") && app.types.hidePopover(),
});
