// Prints the page, lets keys turn its leaves, and begins each at its top.
const USES_LETTERS = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=range])";
const BUTTONS = { PageDown: "learn_next", PageUp: "learn_previous", n: "learn_next", p: "learn_previous" };

let leaf = null;

// A clicker's keys; and the buttons' own letters where Streamlit leaves them alone: while one is at the slider.
function buttonFor(event, clicker) {
  const at = event.composedPath()[0];
  if (event.ctrlKey || event.metaKey || event.altKey || at.matches?.(USES_LETTERS)) return null;
  const known = event.key.length > 1 ? clicker : at.matches?.("input[type=range]");
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
