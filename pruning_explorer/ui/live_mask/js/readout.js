import { fixed, precise, whole } from "../../browser/js/numbers.js";
import { tensorIndex } from "./cells.js";
import { NEVER, atPlace, placeAmongCuts } from "./cuts.js";
import { gridFor } from "./window.js";

// What is said of a weight, a layer and the part of it that is seen.
export function countText(layer, position) {
  const kept = layer.keptAt[position];
  const total = layer.header.numel;
  return { kept, total, sparsity: fixed((100 * (total - kept)) / total, 2) };
}

export function regionText({ layer, seen, memory, raster }) {
  const place = memory.port.zoom <= 1.0001 ? "" : `rows ${seen.r0}–${seen.r1 - 1}, columns ${seen.c0}–${seen.c1 - 1}`;
  if (layer.mode === "cells" && raster?.binned && !place) {
    const per = (cells, pixels) => String(Number((cells / pixels).toFixed(cells / pixels < 3 ? 1 : 0)));
    return `${per(layer.rows, raster.ny)} × ${per(layer.cols, raster.nx)} weights per pixel`;
  }
  return place || `${whole(layer.rows)} × ${whole(layer.cols)} cells`;
}

// What is known about the weight (or block) at a cell.
export function describe(app) {
  const { layer, cursor } = app;
  if (!cursor) return null;
  const grid = gridFor(app, cursor);
  if (grid) {
    const i = (cursor.row - grid.row) * grid.cols + cursor.col - grid.col;
    if (i >= grid.count || (grid.inside && !grid.inside[i])) return null;
    const exit = grid.exits[i];
    return {
      index: `[${tensorIndex(layer, cursor.row, cursor.col).join(", ")}]`,
      value: precise(grid.weights[i]),
      score: precise(grid.scoreOf(i)),
      rawScore: grid.scoreOf(i),
      exit: exit === NEVER ? "never" : `${fixed(exit / 10, 1)} %`,
      kept: grid.ranks[i] >= layer.removedAt[app.position],
    };
  }
  const { rows, cols, rowEdges, colEdges, means, gone, exits } = layer.blocks;
  const r = Math.min(rows - 1, Math.floor(((cursor.row + 0.5) * rows) / layer.rows));
  const b = Math.min(cols - 1, Math.floor(((cursor.col + 0.5) * cols) / layer.cols));
  const j = r * cols + b;
  const share = atPlace(gone, placeAmongCuts(layer, app.position), rows * cols, j);
  return {
    block: true,
    index: `rows ${rowEdges[r]}–${rowEdges[r + 1] - 1}, columns ${colEdges[b]}–${colEdges[b + 1] - 1}`,
    value: precise(means[j]),
    exit: exits[j] === NEVER ? "never" : `${fixed(exits[j] / 10, 1)} %`,
    share: `${fixed(100 - (share / 255) * 100, 0)} %`,
    rawScore: null,
  };
}

export function readoutText(d) {
  if (!d) return "";
  if (d.block) return `Block ${d.index}: mean magnitude ${d.value}, half gone at ${d.exit}, about ${d.share} kept`;
  return `${d.index}: value ${d.value}, score ${d.score}, exit amount ${d.exit}, ${d.kept ? "kept" : "removed"}`;
}

export function fillReadout(node, d) {
  const item = (name, value, kind) => {
    const span = document.createElement("span");
    if (name) {
      const label = document.createElement("span");
      label.className = "name";
      label.textContent = name;
      span.append(label);
    }
    const text = document.createElement("span");
    text.className = kind ?? "";
    text.textContent = value;
    span.append(text);
    return span;
  };
  if (!d) {
    node.replaceChildren(item("Point at a weight, or focus a picture and use the arrow keys.", ""));
  } else if (d.block) {
    node.replaceChildren(
      item("", d.index, "index"),
      item("mean magnitude", d.value),
      item("half gone at", d.exit),
      item("", `about ${d.share} kept`, "fate"),
    );
  } else {
    const fate = d.kept ? "kept" : "removed";
    node.replaceChildren(
      item("", d.index, "index"),
      item("value", d.value),
      item("score", d.score),
      item("exit amount", d.exit),
      item("", fate, `fate ${fate}-fate`),
    );
  }
}
