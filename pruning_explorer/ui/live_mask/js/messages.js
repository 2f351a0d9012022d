import { decodeLayer, decodeWindow } from "./decode.js";
import { CURSOR, VIEW, invalidate } from "./view.js";
import { wholePicture } from "./viewport.js";
import { askForWindow } from "./window.js";

// What Python sends: the layer, a window of it, and where the slider stands.

export function take(app, kind) {
  const message = app.store.messages.get(kind);
  if (kind === "layer" && message) takeLayer(app, message);
  if (kind === "window") takeWindow(app, message);
  if (kind === "state" && message) takeState(app, message);
}

function takeLayer(app, message) {
  if (app.layer?.digest === message.digest && app.layerKey === message.layer) return;
  const layer = decodeLayer(message.bytes);
  layer.digest = message.digest;
  const same =
    app.memory.layerKey === message.layer && app.memory.rows === layer.rows && app.memory.cols === layer.cols;
  if (!same) Object.assign(app.memory, { port: wholePicture(layer), cursor: null });
  Object.assign(app.memory, { layerKey: message.layer, rows: layer.rows, cols: layer.cols });
  app.layer = layer;
  app.layerKey = message.layer;
  app.cursor = app.memory.cursor;
  app.raster = null;
  app.asked = null;
  takeWindow(app, app.store.messages.get("window"));
  askForWindow(app);
  invalidate(app, VIEW | CURSOR);
}

function takeWindow(app, message) {
  app.window = message && app.layer?.mode === "blocks" ? decodeWindow(message.bytes, app.layer) : null;
  app.raster = null;
  invalidate(app, VIEW);
}

function takeState(app, message) {
  app.$(".label").textContent = message.label;
  app.$(".help").textContent = message.help;
  app.slider.disabled = message.disabled;
  app.root.classList.toggle("follows", Boolean(message.group));
  app.amount.take(message);
}
