import { checkedOf, countChosen } from "./choice.js";
import { isBranch } from "./tree.js";
import { layersText, shapeText, shareText } from "./words.js";

// Rows of the tree, one element each. Names come from files of anybody: they are only ever set as text.
const DEEPEST = 6; // levels that a row is set in

function makeRow() {
  const element = document.createElement("div");
  element.className = "row";
  element.setAttribute("role", "treeitem");
  element.tabIndex = -1;
  const parts = {};
  for (const part of ["fold", "check", "label", "type", "shape", "share"]) {
    parts[part] = document.createElement("span");
    parts[part].className = part;
  }
  const words = document.createElement("span");
  words.className = "words";
  const about = document.createElement("span");
  about.className = "about";
  about.append(parts.type, " ", parts.shape);
  words.append(parts.label, about);
  element.append(parts.fold, parts.check, words, parts.share);
  element.parts = parts;
  return element;
}

/** Write these rows; an element that stands for the same node as before is the same element. */
export function writeRows(app, rows) {
  const before = app.elements;
  app.elements = new Map(rows.map(({ node }) => [node.id, before.get(node.id) ?? makeRow()]));
  const elements = [...app.elements.values()];
  const same = elements.length === app.list.children.length && elements.every((e, i) => e === app.list.children[i]);
  if (!same) app.list.replaceChildren(...elements);
  rows.forEach((row, i) => writeRow(app, row, elements[i]));
}

function writeRow(app, row, element) {
  const { node, layers, level } = row;
  const { parts } = element;
  const branch = isBranch(node);
  const share = shareText(app.weightsOf(layers) / app.weights);
  const chosen = countChosen(layers, app.chosen);
  const { name } = node;
  const [, type, shape] = app.layers[layers[0]];
  const about = branch
    ? [chosen && chosen < layers.length ? `${chosen} of ${layers.length}` : layersText(layers.length), ""]
    : [type, shapeText(shape)];
  const says = {
    "aria-level": level,
    "aria-posinset": row.place,
    "aria-setsize": row.among,
    "aria-checked": checkedOf(layers, app.chosen),
    "aria-label": [name, ...about.filter(Boolean), `${share} of weights`].join(", "),
    title: branch ? name : `${name}: ${about.join(" ")}`,
  };
  for (const [attribute, value] of Object.entries(says)) element.setAttribute(attribute, value);
  if (branch) element.setAttribute("aria-expanded", Boolean(app.found || app.open.has(node.id)));
  else element.removeAttribute("aria-expanded");
  element.style.setProperty("--level", Math.min(level, DEEPEST) - 1);
  element.row = row;
  for (const [part, text] of Object.entries({ label: row.label, type: about[0], shape: about[1], share })) {
    if (parts[part].textContent !== text) parts[part].textContent = text;
  }
}
