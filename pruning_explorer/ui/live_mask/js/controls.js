import { PANES } from "./heatmaps.js";
import { describe, readoutText } from "./readout.js";
import { CURSOR, VIEW, invalidate } from "./view.js";
import { cellAt, frame, reveal, wholePicture, zoomAt } from "./viewport.js";
import { askForWindow } from "./window.js";

// Hands at the pictures: mouse, touch, keyboard.

export function bindPictures(app) {
  app.$(".tools").onclick = (event) => {
    const button = event.target.closest("button");
    if (!button || !app.seen) return;
    const { width, height } = app.seen;
    zoom(app, { in: 2, out: 0.5, whole: 0 }[button.dataset.zoom], width / 2, height / 2);
  };
  for (const name of PANES) bindPane(app, app.panes[name].canvas);
}

export function zoom(app, factor, x, y) {
  const { memory, layer, seen } = app;
  if (!layer || !seen) return;
  if (factor === 0) memory.port = wholePicture(layer);
  else zoomAt(memory.port, layer, seen, factor, x, y);
  viewMoved(app);
}

function viewMoved(app) {
  invalidate(app, VIEW);
  askForWindow(app);
}

function setCursor(app, cell) {
  if (cell?.row === app.cursor?.row && cell?.col === app.cursor?.col) return;
  app.cursor = app.memory.cursor = cell;
  invalidate(app, CURSOR);
}

function bindPane(app, canvas) {
  const fingers = new Map();
  let pinch = 0;
  let moved = false;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return { far: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };
  canvas.onpointerdown = (event) => {
    if (!app.seen || event.button > 0) return;
    fingers.set(event.pointerId, place(event));
    canvas.setPointerCapture(event.pointerId);
    moved = false;
    if (fingers.size === 2) pinch = spread().far;
    setTabStop(app, canvas);
  };
  canvas.onpointermove = (event) => {
    if (!app.seen) return;
    const now = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") pointAt(app, now);
      return;
    }
    if (!moved && Math.hypot(now.x - before.x, now.y - before.y) < 4) return;
    moved = true;
    fingers.set(event.pointerId, now);
    if (fingers.size === 2) {
      const { far, x, y } = spread();
      if (pinch > 0) zoom(app, far / pinch, x, y);
      pinch = far;
    } else if (app.memory.port.zoom > 1) {
      app.root.classList.add("panning");
      app.memory.port.cx -= (now.x - before.x) / app.seen.sx;
      app.memory.port.cy -= (now.y - before.y) / app.seen.sy;
      viewMoved(app);
    } else {
      pointAt(app, now);
    }
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (fingers.delete(event.pointerId) && !moved && event.type === "pointerup") pointAt(app, place(event));
    if (!fingers.size) app.root.classList.remove("panning");
  };
  canvas.ondblclick = (event) => {
    const { x, y } = place(event);
    zoom(app, 2, x, y);
  };
  // set as an option, not as onwheel: only a listener that is not passive may keep the page from zooming
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
      event.preventDefault();
      const { x, y } = place(event);
      zoom(app, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.004)), x, y);
    },
    { passive: false },
  );
  canvas.onkeydown = (event) => {
    if (!app.seen || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!steer(app, event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function pointAt(app, { x, y }) {
  const cell = cellAt(app.layer, app.seen, x, y);
  if (cell) setCursor(app, cell);
}

// One tab stop for the four pictures: the one used last.
function setTabStop(app, canvas) {
  for (const name of PANES) app.panes[name].canvas.tabIndex = app.panes[name].canvas === canvas ? 0 : -1;
}

function steer(app, event) {
  const { seen, layer } = app;
  const far = event.shiftKey ? 10 : 1;
  const steps = {
    ArrowLeft: [0, -far],
    ArrowRight: [0, far],
    ArrowUp: [-far, 0],
    ArrowDown: [far, 0],
    Home: [0, -Infinity],
    End: [0, Infinity],
    PageUp: [-(seen.r1 - seen.r0), 0],
    PageDown: [seen.r1 - seen.r0, 0],
  };
  if (event.key === "+" || event.key === "=") zoomAtCursor(app, 2);
  else if (event.key === "-" || event.key === "_") zoomAtCursor(app, 0.5);
  else if (event.key === "0") zoom(app, 0, 0, 0);
  else if (steps[event.key]) {
    const at = app.cursor;
    const [down, right] = at ? steps[event.key] : [0, 0];
    const from = at ?? { row: seen.r0, col: seen.c0 };
    const inside = (v, length) => Math.min(length - 1, Math.max(0, v));
    const cell = { row: inside(from.row + down, layer.rows), col: inside(from.col + right, layer.cols) };
    setCursor(app, cell);
    const { cx, cy } = app.memory.port;
    reveal(app.memory.port, seen, cell);
    if (cx !== app.memory.port.cx || cy !== app.memory.port.cy) viewMoved(app);
    sayCursor(app);
  } else return false;
  return true;
}

// Zooming by key goes towards the cursor where it is in view, and leaves all of its cell there.
function zoomAtCursor(app, factor) {
  const { x, y, inside } = cursorPlace(app);
  zoom(app, factor, x, y);
  if (!inside || !app.cursor) return;
  const { port } = app.memory;
  reveal(port, frame(port, app.layer, app.seen.width, app.seen.height), app.cursor);
}

function cursorPlace(app) {
  const { seen, cursor } = app;
  const x = cursor ? (cursor.col + 0.5 - seen.x0) * seen.sx : seen.width / 2;
  const y = cursor ? (cursor.row + 0.5 - seen.y0) * seen.sy : seen.height / 2;
  const inside = x >= 0 && y >= 0 && x <= seen.width && y <= seen.height;
  return inside ? { x, y, inside } : { x: seen.width / 2, y: seen.height / 2, inside };
}

// Only keys are spoken: a moving pointer would drown a screen reader.
function sayCursor(app) {
  clearTimeout(app.saying);
  app.saying = setTimeout(() => (app.$(".said").textContent = readoutText(describe(app))), 150);
}
