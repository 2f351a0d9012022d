// ---- elements and numbers, as all panels write them ----------------------------------------------------------------
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const html = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

const minus = (text) => text.replace("-", "−");
const fixed = (value, digits) => (value === null ? "–" : minus(value.toFixed(digits)));
const whole = (value) => value.toLocaleString("en-GB");

// As many digits as one reads: 97.3, 0.483, 1,234, 0.00078
function short(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size >= 1000) return minus(Math.round(value).toLocaleString("en-GB"));
  if (size > 0 && size < 1e-6) return minus(value.toExponential(1));
  if (size > 0 && size < 0.001) return minus(value.toFixed(1 - Math.floor(Math.log10(size))));
  return minus(String(Number(value.toPrecision(3))));
}

// Text nodes are written only where they change: a browser lays out again even what reads the same.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// One of many by stop, or the same at all.
const at = (values, stop) => values[Math.min(stop, values.length - 1)];

const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;

// A panel: its title, something live beside it, what is drawn, and a line below.
function frame(panel, ...children) {
  const aside = html("span", { class: "aside" });
  const caption = panel.title ? html("figcaption", {}, html("span", { class: "title" }, panel.title), " ", aside) : null;
  const note = panel.note ? html("p", { class: "note" }, panel.note) : null;
  const figure = html("figure", { class: `panel ${panel.kind}`, "data-kind": panel.kind, "data-title": panel.title || null });
  figure.append(...[caption, ...children, note].filter(Boolean));
  return { figure, aside };
}

// Which leave between two stops: each is touched only where it goes or comes back.
function exits(leaves) {
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
function drawnToWidth(box, draw) {
  let drawn = 0;
  const look = () => {
    const width = Math.round(box.clientWidth);
    if (!width || Math.abs(width - drawn) < 2) return;
    drawn = width;
    draw(width);
  };
  return { look, again: () => { drawn = 0; look(); } };
}
