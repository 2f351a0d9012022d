import { fixed, tiny } from "../../browser/js/numbers.js";
import { inkOn } from "../../browser/js/theme.js";
import { NEVER, placeAmongCuts } from "./cuts.js";
import { makeRaster, paintLive, paintStatic } from "./raster.js";
import { NUMBERS_FROM } from "./viewport.js";

// The four pictures.
export const PANES = ["weights", "mask", "remains", "exit"];
const MARKS_FROM = 9; // removed cells this wide are struck through: colour is never the only sign
const LINES_FROM = 8;

export function makePane(figure) {
  const canvas = figure.querySelector("canvas");
  return {
    name: figure.dataset.pane,
    figure,
    canvas,
    context: canvas.getContext("2d"),
    cursor: figure.querySelector(".cursor"),
    sheet: document.createElement("canvas"), // the raster, drawn to the canvas at its size
    image: null,
    pixels: null,
  };
}

function sizeSheet(pane, nx, ny) {
  if (pane.image?.width === nx && pane.image.height === ny) return;
  pane.sheet.width = nx;
  pane.sheet.height = ny;
  pane.ink = pane.sheet.getContext("2d", { willReadFrequently: true });
  pane.image = pane.ink.createImageData(nx, ny);
  pane.pixels = new Uint32Array(pane.image.data.buffer);
}

export function sizeCanvas(canvas, width, height, ratio) {
  const w = Math.round(width * ratio);
  const h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
}

function blit(pane, place, ratio, smooth) {
  const { context: c, canvas } = pane;
  pane.ink.putImageData(pane.image, 0, 0);
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.clearRect(0, 0, canvas.width, canvas.height);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.imageSmoothingEnabled = Boolean(smooth);
  c.drawImage(pane.sheet, place.x, place.y, place.width, place.height);
}

// Single weights: everything (`all`), or what a change of amount touches.
export function drawCells(app, grid, all) {
  const { panes, seen, ratio, palette, layer } = app;
  if (all || !app.raster) app.raster = makeRaster(seen, grid, ratio);
  const raster = app.raster;
  for (const name of PANES) sizeSheet(panes[name], raster.nx, raster.ny);
  if (all) {
    paintStatic(raster, grid, palette, panes.weights.pixels, panes.exit.pixels);
    for (const pane of [panes.weights, panes.exit]) {
      blit(pane, raster, ratio, false);
      drawLines(pane.context, app);
    }
    drawNumbers(
      panes.weights,
      app,
      grid,
      (i) => tiny(grid.weights[i]),
      (i) => palette.weights[grid.levels[i] + 127],
    );
    drawNumbers(
      panes.exit,
      app,
      grid,
      (i) => (grid.exits[i] === NEVER ? "never" : fixed(grid.exits[i] / 10, 1)),
      (i) => palette.exits[grid.steps[i]],
    );
  }
  const cut = layer.removedAt[app.position];
  paintLive(raster, grid, cut, palette, panes.mask.pixels, panes.remains.pixels);
  for (const pane of [panes.mask, panes.remains]) {
    blit(pane, raster, ratio, false);
    drawStrikes(pane, app, grid, cut);
    drawLines(pane.context, app);
  }
  const level = (i) => palette.weights[grid.levels[i] + 127];
  drawNumbers(panes.remains, app, grid, (i) => (grid.ranks[i] >= cut ? tiny(grid.weights[i]) : ""), level);
}

// Gaps between cells, stronger between the filters of a mosaic, strongest between outputs that stand side by side.
function drawLines(c, app) {
  const { seen, layer } = app;
  const { tileRows: h, tileCols: w, across } = layer;
  const draw = (stepX, stepY, wide, high) => {
    c.lineWidth = wide;
    c.beginPath();
    for (let col = Math.ceil(seen.c0 / stepX) * stepX; col <= seen.c1; col += stepX) {
      const x = (col - seen.x0) * seen.sx;
      c.moveTo(x, (seen.r0 - seen.y0) * seen.sy);
      c.lineTo(x, (seen.r1 - seen.y0) * seen.sy);
    }
    c.stroke();
    c.lineWidth = high;
    c.beginPath();
    for (let row = Math.ceil(seen.r0 / stepY) * stepY; row <= seen.r1; row += stepY) {
      const y = (row - seen.y0) * seen.sy;
      c.moveTo((seen.c0 - seen.x0) * seen.sx, y);
      c.lineTo((seen.c1 - seen.x0) * seen.sx, y);
    }
    c.stroke();
  };
  c.strokeStyle = app.colours.stage;
  const thin = seen.sx >= 24 && seen.sy >= 24 ? 1.5 : 0.75;
  if (Math.min(seen.sx, seen.sy) >= LINES_FROM) draw(1, 1, thin, thin);
  const room = Math.min(seen.sx * w, seen.sy * h);
  if (h * w === 1 || room < 7) return;
  const gap = Math.min(3, 0.75 + room / 30);
  draw(w, h, gap, gap);
  if (across === 1) return;
  // half a cell on either side is the most that may be covered
  const strong = (cell) => Math.max(gap, Math.min(2.5 * gap, cell, 6));
  draw(layer.cols / across, h, strong(seen.sx), strong(seen.sy));
}

function drawStrikes(pane, app, grid, cut) {
  const { seen, palette } = app;
  const side = Math.min(seen.sx, seen.sy);
  if (side < MARKS_FROM) return;
  const c = pane.context;
  const inset = side * 0.28;
  c.beginPath();
  for (let row = Math.max(seen.r0, grid.row); row < Math.min(seen.r1, grid.row + grid.rows); row++) {
    for (let col = Math.max(seen.c0, grid.col); col < Math.min(seen.c1, grid.col + grid.cols); col++) {
      const i = (row - grid.row) * grid.cols + col - grid.col;
      if (i >= grid.count || (grid.inside && !grid.inside[i]) || grid.ranks[i] >= cut) continue;
      const x = (col + 0.5 - seen.x0) * seen.sx;
      const y = (row + 0.5 - seen.y0) * seen.sy;
      c.moveTo(x - side / 2 + inset, y + side / 2 - inset);
      c.lineTo(x + side / 2 - inset, y - side / 2 + inset);
    }
  }
  c.strokeStyle = pane.name === "mask" ? palette.mark : palette.hatch;
  c.lineWidth = Math.max(1, Math.min(3, side / 14));
  c.lineCap = "round";
  c.stroke();
}

function drawNumbers(pane, app, grid, textOf, pixelOf) {
  const { seen } = app;
  if (seen.sx < NUMBERS_FROM || seen.sy < 20) return;
  const c = pane.context;
  const size = Math.min(15, Math.max(10, seen.sx * 0.24));
  c.font = `${size}px ${app.colours.font}`;
  c.textAlign = "center";
  c.textBaseline = "middle";
  for (let row = Math.max(seen.r0, grid.row); row < Math.min(seen.r1, grid.row + grid.rows); row++) {
    for (let col = Math.max(seen.c0, grid.col); col < Math.min(seen.c1, grid.col + grid.cols); col++) {
      const i = (row - grid.row) * grid.cols + col - grid.col;
      if (i >= grid.count || (grid.inside && !grid.inside[i])) continue;
      const text = textOf(i);
      if (!text) continue;
      c.fillStyle = inkOn(pixelOf(i));
      c.fillText(text, (col + 0.5 - seen.x0) * seen.sx, (row + 0.5 - seen.y0) * seen.sy, seen.sx - 3);
    }
  }
}

// Large layers: means and densities per block, until single weights are there.
export function drawBlocks(app, all) {
  const { panes, seen, ratio, palette, layer } = app;
  const { rows, cols, means, gone, exits } = layer.blocks;
  const total = rows * cols;
  const place = {
    x: -seen.x0 * seen.sx,
    y: -seen.y0 * seen.sy,
    width: layer.cols * seen.sx,
    height: layer.rows * seen.sy,
  };
  const smooth = seen.sx * layer.cols * ratio < cols || seen.sy * layer.rows * ratio < rows;
  for (const name of PANES) sizeSheet(panes[name], cols, rows);
  const { low, next, share } = placeAmongCuts(layer, app.position);
  const factor = 255 / layer.header.scale;
  if (all) {
    for (let j = 0; j < total; j++) {
      panes.weights.pixels[j] = palette.magnitudes[Math.min(255, Math.round(means[j] * factor))];
      panes.exit.pixels[j] = palette.exits[exits[j] === NEVER ? 255 : exits[j] >> 2];
    }
    for (const pane of [panes.weights, panes.exit]) blit(pane, place, ratio, smooth);
  }
  for (let j = 0; j < total; j++) {
    const kept = 255 - Math.round(gone[low * total + j] * (1 - share) + gone[next * total + j] * share);
    panes.mask.pixels[j] = palette.mask[kept];
    const level = Math.min(255, Math.round(means[j] * factor));
    panes.remains.pixels[j] = blend(palette.gonePixel, palette.magnitudes[level], kept);
  }
  for (const pane of [panes.mask, panes.remains]) blit(pane, place, ratio, smooth);
}

function blend(from, to, share) {
  const rest = 255 - share;
  const channel = (shift) => ((((from >> shift) & 255) * rest + ((to >> shift) & 255) * share) / 255) << shift;
  return ((255 << 24) | channel(16) | channel(8) | channel(0)) >>> 0;
}

export function placeCursor(app) {
  const { seen, cursor, panes } = app;
  for (const name of PANES) {
    const box = panes[name].cursor;
    box.hidden = !cursor || !seen;
    if (box.hidden) continue;
    const width = Math.max(9, seen.sx);
    const height = Math.max(9, seen.sy);
    box.style.width = `${width}px`;
    box.style.height = `${height}px`;
    const x = (cursor.col + 0.5 - seen.x0) * seen.sx - width / 2;
    const y = (cursor.row + 0.5 - seen.y0) * seen.sy - height / 2;
    box.style.transform = `translate(${x}px, ${y}px)`;
  }
}
