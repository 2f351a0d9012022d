import { LAST_POSITION, keepAmount } from "../../browser/js/amount.js";
import { component } from "../../browser/js/component.js";
import { whole } from "../../browser/js/numbers.js";
import { listenTo, storeOf, unpack } from "../../browser/js/store.js";
import { followTheme, partsOf, pixelOf } from "../../browser/js/theme.js";
import { writeShortCount } from "../../key_figures/js/write.js";
import { ROW, aboutPicture, inSight, keptAt, paint, rampBetween, search, sizes, stepOf, totalAt } from "./model.js";

// A row for each layer, of which only those in sight are in the document.
const TYPING_PAUSE = 600; // ms after which a letter begins a new word

function open(parent, { page }) {
  const root = parent.querySelector(".layer-list");
  const app = {
    root,
    page,
    store: storeOf(page),
    list: root.querySelector(".list"),
    rows: root.querySelector(".rows"),
    total: root.querySelector(".total"),
    template: root.querySelector("template").content.firstElementChild,
    drawn: new Map(), // row number -> its elements
    seen: { top: 0, height: 0 }, // of the list, in pixels; a frame reads no layout
    counts: null,
    thumbnails: null,
    opened: null,
    active: 0,
    typed: "",
    frame: 0,
    ramp: null,
  };
  root.frames = { times: new Float32Array(512), count: 0 };
  app.amount = keepAmount({ memory: {}, show: () => drawSoon(app) });
  app.deafen = listenTo(page, (kind) => hear(app, kind));
  for (const kind of ["counts", "thumbnails", "layers"]) hear(app, kind);
  app.list.addEventListener("scroll", () => look(app), { passive: true });
  app.list.onkeydown = (event) => press(app, event);
  app.list.onclick = (event) => {
    const row = event.target.closest(".row");
    if (row) choose(app, Number(row.dataset.row));
  };
  app.resize = new ResizeObserver(() => look(app));
  app.resize.observe(app.list);
  return app;
}

function hear(app, kind) {
  const message = app.store.messages.get(kind);
  if (!message) return;
  if (kind === "counts") takeCounts(app, unpack(message.bytes));
  else if (kind === "thumbnails") app.thumbnails = unpack(message.bytes);
  else if (kind === "layers") {
    app.opened = message.opened;
    app.amount.take(message);
    if (app.counts) show(app, app.counts.header.names.indexOf(app.opened));
  } else return;
  drawSoon(app);
}

function takeCounts(app, counts) {
  const before = app.counts?.header.names;
  app.counts = counts;
  const { names, weights } = counts.header;
  if (before && before.join("\n") === names.join("\n")) return;
  app.sizes = sizes(weights);
  app.rows.style.height = `${names.length * ROW}px`;
  app.rows.replaceChildren();
  app.drawn.clear();
  app.list.scrollTop = 0;
  show(app, names.indexOf(app.opened));
}

// Take what is in sight.
function look(app) {
  app.seen.top = app.list.scrollTop;
  app.seen.height = app.list.clientHeight;
  drawSoon(app);
}

// Bring a row into sight.
function show(app, row) {
  if (row < 0) return;
  app.active = row;
  const { list } = app;
  const top = row * ROW;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
  look(app);
}

function choose(app, row) {
  const name = app.counts.header.names[row];
  app.active = row;
  if (name !== app.opened) {
    app.opened = name;
    app.send("opened", name);
  }
  drawSoon(app);
}

function press(app, event) {
  if (!app.counts || event.ctrlKey || event.metaKey || event.altKey) return;
  const { names, labels } = app.counts.header;
  const { key } = event;
  const next = stepOf(key, app.active, names.length, Math.max(1, Math.floor(app.list.clientHeight / ROW) - 1));
  if (next !== null) show(app, next);
  else if (key === "Enter" || (key === " " && !app.typed)) choose(app, app.active);
  else if (key.length === 1) type(app, key, labels);
  else return;
  event.preventDefault();
  drawSoon(app);
}

function type(app, letter, labels) {
  clearTimeout(app.typing);
  app.typing = setTimeout(() => (app.typed = ""), TYPING_PAUSE);
  app.typed += letter;
  const found = search(labels, app.typed, app.active);
  if (found >= 0) show(app, found);
}

function drawSoon(app) {
  app.frame ||= requestAnimationFrame(() => {
    app.frame = 0;
    draw(app);
  });
}

function draw(app) {
  const { counts, list, drawn, amount, seen } = app;
  if (!counts || amount.position === null || !app.ramp) return;
  const began = performance.now();
  const [first, end] = inSight(seen.top, seen.height, counts.header.names.length);
  for (const [row, parts] of drawn) {
    if (row >= first && row < end) continue;
    parts.element.remove();
    drawn.delete(row);
  }
  for (let row = first; row < end; row++) {
    if (!drawn.has(row)) drawn.set(row, makeRow(app, row));
    drawRow(app, row, drawn.get(row));
  }
  writeTotal(app);
  hideNote(amount);
  const active = drawn.get(app.active)?.element.id ?? ""; // scrolled out of sight it is not in the document
  if (list.getAttribute("aria-activedescendant") !== active) list.setAttribute("aria-activedescendant", active);
  app.root.frames.times[app.root.frames.count++ & 511] = performance.now() - began;
}

// What the page says below of empty layers is of the amount that Python knows.
function hideNote({ told, position }) {
  const note = document.querySelector(".st-key-layers_note");
  const visibility = Math.round(told.amount * LAST_POSITION) === position ? "" : "hidden";
  if (note && note.style.visibility !== visibility) note.style.visibility = visibility;
}

function writeTotal(app) {
  const { kept, all } = totalAt(app.counts, app.amount.position);
  const text = `${writeShortCount(kept)} of ${writeShortCount(all)}`;
  if (app.total.textContent !== text) app.total.textContent = text;
}

function makeRow(app, row) {
  const element = app.template.cloneNode(true);
  const { names, labels } = app.counts.header;
  const part = (selector) => element.querySelector(selector);
  element.id = `layer-${row}`;
  element.dataset.row = row;
  element.style.top = `${row * ROW}px`;
  element.setAttribute("aria-setsize", names.length);
  element.setAttribute("aria-posinset", row + 1);
  element.title = names[row];
  part(".label").textContent = labels[row];
  part(".bar").style.width = `${app.sizes[row].length}%`;
  const canvas = part("canvas");
  canvas.style.width = canvas.style.height = `${app.sizes[row].side}px`;
  app.rows.append(element);
  return {
    element,
    canvas,
    picture: part(".picture"),
    context: canvas.getContext("2d"),
    left: part(".left"),
    gone: part(".gone"),
    image: null,
    pixels: null,
    at: "",
  };
}

function drawRow(app, row, parts) {
  const { counts, thumbnails, amount } = app;
  const selected = String(counts.header.names[row] === app.opened);
  if (parts.element.getAttribute("aria-selected") !== selected) parts.element.setAttribute("aria-selected", selected);
  parts.element.classList.toggle("active", row === app.active);
  const state = keptAt(counts, row, amount.position);
  if (parts.counts !== counts || parts.kept !== state.kept) {
    Object.assign(parts, { counts, kept: state.kept });
    parts.left.style.transform = `scaleX(${state.share})`;
    parts.gone.textContent = state.text;
    parts.element.classList.toggle("empty", state.empty);
    const words = `${counts.header.names[row]}: ${whole(state.kept)} of ${whole(state.all)} weights kept`;
    parts.element.setAttribute("aria-label", state.empty ? `${words}, layer collapse` : words);
  }
  const picture = thumbnails?.header.pictures[row];
  if (!picture || (parts.thumbnails === thumbnails && parts.position === amount.position && parts.ramp === app.ramp))
    return;
  if (parts.thumbnails !== thumbnails) parts.picture.title = aboutPicture(picture);
  Object.assign(parts, { thumbnails, position: amount.position, ramp: app.ramp });
  const { canvas } = parts;
  if (!parts.image || canvas.width !== picture.cols || canvas.height !== picture.rows) {
    Object.assign(canvas, { width: picture.cols, height: picture.rows });
    parts.image = new ImageData(picture.cols, picture.rows);
    parts.pixels = new Uint32Array(parts.image.data.buffer);
  }
  paint(parts.pixels, picture, thumbnails, amount.position, app.ramp);
  parts.context.putImageData(parts.image, 0, 0);
}

// Streamlit calls again when the theme changes.
function readTheme(app) {
  followTheme(app.root);
  const style = getComputedStyle(app.root);
  const colour = (name) => partsOf(pixelOf(style.getPropertyValue(name).trim()));
  app.ramp = rampBetween(colour("--kept"), colour("--removed"));
  drawSoon(app);
}

export default component({
  open,
  take: readTheme,
  leave(app) {
    app.amount.leave();
    app.deafen();
    app.resize.disconnect();
    cancelAnimationFrame(app.frame);
    clearTimeout(app.typing);
  },
  fits: (app, { page }) => app.page === page && app.store === storeOf(page),
});
