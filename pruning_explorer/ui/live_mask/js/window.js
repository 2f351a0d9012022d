// The single weights of a part of a large layer, which Python sends where one looks.

// The single weights that cover all that is seen of a large layer; null while there are only blocks.
export function windowInView(app) {
  const { window: part, seen, layer } = app;
  if (!part || part.key !== layer.header.key) return null;
  const inside =
    seen.c0 >= part.col && seen.r0 >= part.row && seen.c1 <= part.col + part.cols && seen.r1 <= part.row + part.rows;
  return inside ? part : null;
}

export function gridFor(app, cell) {
  if (app.layer.mode === "cells") return app.layer.grid;
  const part = windowInView(app);
  if (!part) return null;
  const inside =
    cell.row >= part.row && cell.col >= part.col && cell.row < part.row + part.rows && cell.col < part.col + part.cols;
  return inside ? part : null;
}

export function wantsWindow(app) {
  const { seen, layer } = app;
  const most = layer.header.max_window * 0.8;
  return seen.c1 - seen.c0 <= most && seen.r1 - seen.r0 <= most;
}

export function askForWindow(app) {
  clearTimeout(app.asking);
  if (app.layer?.mode !== "blocks") return;
  app.asking = setTimeout(() => {
    const { seen, layer } = app;
    if (!seen || !wantsWindow(app) || windowInView(app)) return;
    const side = layer.header.max_window;
    const place = (centre, length) => Math.max(0, Math.min(Math.max(0, length - side), Math.round(centre - side / 2)));
    const wish = {
      row: place(app.memory.port.cy, layer.rows),
      col: place(app.memory.port.cx, layer.cols),
      rows: Math.min(side, layer.rows),
      cols: Math.min(side, layer.cols),
      layer: app.layerKey,
    };
    if (JSON.stringify(wish) === app.asked) return;
    app.asked = JSON.stringify(wish);
    app.send("window", wish);
  }, 200);
}
