// Prints the page, and lets a clicker turn its leaves.
const TURNS = { PageDown: "learn_next", PageUp: "learn_previous" };

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".print");
  button.textContent = data.label;
  button.title = data.help;
  button.onclick = () => window.print();
  const turn = (event) => {
    const name = TURNS[event.key];
    if (!data.clicker || !name || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(input|textarea|select)$/i.test(event.composedPath()[0].tagName ?? "")) return;
    const target = document.querySelector(`.st-key-${name} button:not(:disabled)`);
    if (!target) return;
    event.preventDefault();
    target.click();
  };
  document.addEventListener("keydown", turn);
  return () => document.removeEventListener("keydown", turn);
}
