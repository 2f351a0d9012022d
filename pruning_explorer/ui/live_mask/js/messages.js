import { decodeLayer, decodeWindow } from "./decode.js";
import { CURSOR, VIEW, invalidate } from "./view.js";
import { wholePicture } from "./viewport.js";
import { askForWindow } from "./window.js";

// What Python sends: the layer, a window of it, and where the slider stands.

export function take(app, slot) {
  const parcel = app.room.parcels.get(slot);
  if (slot === "layer" && parcel) takeLayer(app, parcel);
  if (slot === "window") takeWindow(app, parcel);
  if (slot === "state" && parcel) takeState(app, parcel);
}

function takeLayer(app, parcel) {
  if (app.layer?.digest === parcel.digest && app.layerKey === parcel.layer) return;
  const layer = decodeLayer(parcel.bytes);
  layer.digest = parcel.digest;
  const same = app.memory.layerKey === parcel.layer && app.memory.rows === layer.rows && app.memory.cols === layer.cols;
  if (!same) Object.assign(app.memory, { port: wholePicture(layer), cursor: null });
  Object.assign(app.memory, { layerKey: parcel.layer, rows: layer.rows, cols: layer.cols });
  app.layer = layer;
  app.layerKey = parcel.layer;
  app.cursor = app.memory.cursor;
  app.raster = null;
  app.asked = null;
  takeWindow(app, app.room.parcels.get("window"));
  askForWindow(app);
  invalidate(app, VIEW | CURSOR);
}

function takeWindow(app, parcel) {
  app.window = parcel && app.layer?.mode === "blocks" ? decodeWindow(parcel.bytes, app.layer) : null;
  app.raster = null;
  invalidate(app, VIEW);
}

function takeState(app, parcel) {
  app.$(".label").textContent = parcel.label;
  app.$(".help").textContent = parcel.help;
  app.slider.disabled = parcel.disabled;
  app.followers = parcel.followers;
  app.variable = parcel.variable;
  app.amount.take(parcel);
}
