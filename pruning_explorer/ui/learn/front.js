// Prints the page, lets keys turn its leaves, and begins each at its top.
const WRITES =
  "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=range], [role=combobox])";
const NO_LETTERS = "input[type=checkbox], input[type=radio], input[type=range]";
const BUTTONS = { PageDown: "learn_next", PageUp: "learn_previous", n: "learn_next", p: "learn_previous" };

let leaf = null;

// A clicker's keys; and the buttons' own letters where Streamlit leaves them alone: while one is at a slider or an answer.
function buttonFor(event, clicker) {
  const at = event.composedPath()[0];
  if (event.ctrlKey || event.metaKey || event.altKey || at.matches?.(WRITES)) return null;
  if (at.getAttribute?.("aria-expanded") === "true") return null; // an open list has a use for them
  const known = event.key.length > 1 ? clicker : at.matches?.(NO_LETTERS);
  return known ? BUTTONS[event.key] : null;
}

export default function ({ data, parentElement }) {
  if (leaf !== null && leaf !== data.leaf) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
  leaf = data.leaf;
  const button = parentElement.querySelector(".print");
  button.textContent = data.label;
  button.title = data.help;
  button.onclick = () => window.print();
  const turn = (event) => {
    const name = buttonFor(event, data.clicker);
    const target = name && document.querySelector(`.st-key-${name} button:not(:disabled)`);
    if (!target) return;
    event.preventDefault();
    target.click();
  };
  document.addEventListener("keydown", turn);
  return () => document.removeEventListener("keydown", turn);
}
