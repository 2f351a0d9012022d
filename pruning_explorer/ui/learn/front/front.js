// Prints the page, lets a clicker turn its leaves, and begins each at its top.
const USES_THE_KEY = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])";
const TURNS = { PageDown: "learn_next", PageUp: "learn_previous" };

let leaf = null;

export default function ({ data, parentElement }) {
  if (leaf !== null && leaf !== data.leaf) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
  leaf = data.leaf;
  const button = parentElement.querySelector(".print");
  button.textContent = data.label;
  button.title = data.help;
  button.onclick = () => window.print();
  const turn = (event) => {
    const name = TURNS[event.key];
    if (!data.clicker || !name || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.composedPath()[0].matches?.(USES_THE_KEY)) return;
    const target = document.querySelector(`.st-key-${name} button:not(:disabled)`);
    if (!target) return;
    event.preventDefault();
    target.click();
  };
  document.addEventListener("keydown", turn);
  return () => document.removeEventListener("keydown", turn);
}
