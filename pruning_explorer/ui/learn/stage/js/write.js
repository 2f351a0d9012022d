// Elements, as all panels write them.
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
export const html = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// Text nodes are written only where they change: a browser lays out again even what reads the same.
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// One of many by stop, or the same at all.
export const at = (values, stop) => values[Math.min(stop, values.length - 1)];

export const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;

// A panel: its title, something live beside it, what is drawn, and a line below.
export function frame(panel, ...children) {
  const aside = html("span", { class: "aside" });
  const caption = panel.title
    ? html("figcaption", {}, html("span", { class: "title" }, panel.title), " ", aside)
    : null;
  const note = panel.note ? html("p", { class: "note" }, panel.note) : null;
  const figure = html("figure", {
    class: `panel ${panel.kind}`,
    "data-kind": panel.kind,
    "data-title": panel.title || null,
  });
  figure.append(...[caption, ...children, note].filter(Boolean));
  return { figure, aside };
}

// Which leave between two stops: each is touched only where it goes or comes back.
export function exits(leaves) {
  const buckets = new Map();
  leaves.forEach((stop, index) => {
    if (!buckets.has(stop)) buckets.set(stop, []);
    buckets.get(stop).push(index);
  });
  return {
    at: (stop) => buckets.get(stop) ?? [],
    step(from, to, change) {
      const gone = to > from;
      for (let stop = Math.min(from, to) + 1; stop <= Math.max(from, to); stop++) {
        for (const index of buckets.get(stop) ?? []) change(index, gone);
      }
    },
  };
}

// Draws again where the width is another one; `draw` gets it in CSS pixels.
export function drawnToWidth(box, draw) {
  let drawn = 0;
  const look = () => {
    const width = Math.round(box.clientWidth);
    if (!width || Math.abs(width - drawn) < 2) return;
    drawn = width;
    draw(width);
  };
  return { look };
}

// What has to be scrolled must be reached by keyboard; what fits is no stop on the way.
export function reachable(scroll, name) {
  const wide = scroll.scrollWidth > scroll.clientWidth + 1;
  if (wide === scroll.hasAttribute("tabindex")) return;
  for (const [attribute, value] of [
    ["tabindex", "0"],
    ["role", "region"],
    ["aria-label", `${name}, to be scrolled`],
  ]) {
    if (wide) scroll.setAttribute(attribute, value);
    else scroll.removeAttribute(attribute);
  }
  const told = scroll.nextElementSibling?.classList.contains("more");
  if (!told) scroll.after(html("p", { class: "more", "aria-hidden": "true" }, "more to the right →"));
  scroll.nextElementSibling.hidden = !wide;
}
