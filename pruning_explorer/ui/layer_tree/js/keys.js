import { isBranch } from "./tree.js";

// The keyboard in the tree, as ARIA's pattern for trees has it: one row can be tabbed to, and arrows lead on from there.
const PAUSE = 700; // ms after which a letter begins a new word

/**
 * @param app its `rows` as they are seen, the `at`th of which has the keyboard; `goTo`, `fold` and `toggle` do what a key asks for
 */
export function bindKeys(app) {
  const typed = { text: "", when: 0 };
  app.list.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !app.rows.length) return;
    if (!press(app, event.key, typed, event.timeStamp)) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has keys of its own
  };
}

const KEYS = {
  ArrowDown: (app) => app.goTo(Math.min(app.at + 1, app.rows.length - 1)),
  ArrowUp: (app) => app.goTo(Math.max(app.at - 1, 0)),
  Home: (app) => app.goTo(0),
  End: (app) => app.goTo(app.rows.length - 1),
  ArrowRight: (app, node, opened) => (opened ? app.goTo(app.at + 1) : app.fold(node, true)),
  ArrowLeft: (app, node, opened) =>
    opened && !app.found ? app.fold(node, false) : app.goTo(parentOf(app.rows, app.at)),
  Enter: (app, node, opened) => (isBranch(node) ? app.fold(node, !opened) : app.toggle(app.rows[app.at])),
  " ": (app) => app.toggle(app.rows[app.at]),
  "*": (app, node) => {
    for (const beside of node.parent.children) app.fold(beside, true);
  },
};

// Whether the key was one of the tree's.
function press(app, key, typed, now) {
  const { node } = app.rows[app.at];
  if (KEYS[key]) KEYS[key](app, node, isBranch(node) && Boolean(app.found || app.open.has(node.id)));
  else if (key.length === 1) app.goTo(rowOfWord(app.rows, app.at, word(typed, key, now)));
  else return false;
  return true;
}

/** The row of the branch that a row stands under; the row itself at the top. */
export function parentOf(rows, at) {
  for (let i = at - 1; i >= 0; i--) if (rows[i].level < rows[at].level) return i;
  return at;
}

function word(typed, letter, now) {
  typed.text = now - typed.when > PAUSE ? letter : typed.text + letter;
  typed.when = now;
  return typed.text;
}

/** The next row whose label, or a part of it, begins with a word; one letter again and again leads from one to the next. */
export function rowOfWord(rows, at, text) {
  const same = [...text].every((letter) => letter === text[0]);
  const wanted = (same ? text[0] : text).toLowerCase();
  const begins = ({ label }) => `.${label.toLowerCase()}`.includes(`.${wanted}`);
  for (let step = same ? 1 : 0; step < rows.length + 1; step++) {
    const i = (at + step) % rows.length;
    if (begins(rows[i])) return i;
  }
  return at;
}
