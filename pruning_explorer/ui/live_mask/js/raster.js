import { changedCells } from "./cuts.js";
import { MIXES } from "./palette.js";

// Cells -> pixels.
// A raster has one pixel per visible cell, or, where cells are smaller than a pixel, one per bin of cells. Its size is
// therefore never far above the pane's, however large the layer is. A bin of weights shows their mean magnitude with
// the sign of their sum: plain means would cancel to nothing.

export function axisBins(from, to, scale, ratio) {
  const cells = to - from;
  const bins = scale * ratio >= 1 ? cells : Math.max(1, Math.min(cells, Math.floor(cells * scale * ratio)));
  return {
    bins,
    of: bins === cells ? null : Uint16Array.from({ length: cells }, (_, i) => Math.floor((i * bins) / cells)),
  };
}

// Where the raster lies in the pane (CSS pixels) and how cells fall into it.
export function makeRaster(seen, grid, ratio) {
  const c0 = Math.max(seen.c0, grid.col);
  const c1 = Math.min(seen.c1, grid.col + grid.cols);
  const r0 = Math.max(seen.r0, grid.row);
  const r1 = Math.min(seen.r1, grid.row + grid.rows);
  const across = axisBins(c0, c1, seen.sx, ratio);
  const down = axisBins(r0, r1, seen.sy, ratio);
  const raster = {
    c0,
    c1,
    r0,
    r1,
    nx: across.bins,
    ny: down.bins,
    across,
    down,
    x: (c0 - seen.x0) * seen.sx,
    y: (r0 - seen.y0) * seen.sy,
    width: (c1 - c0) * seen.sx,
    height: (r1 - r0) * seen.sy,
    binned: Boolean(across.of || down.of),
  };
  if (raster.binned) {
    const identity = (axis, cells) => axis.of ?? Uint16Array.from({ length: cells }, (_, i) => i);
    raster.colBin = identity(across, c1 - c0);
    raster.rowBin = identity(down, r1 - r0);
    raster.counts = new Uint32Array(raster.nx * raster.ny);
    raster.sums = new Int32Array(raster.nx * raster.ny);
    raster.sizes = new Uint32Array(raster.nx * raster.ny);
    // cells per bin differ by one; a strip's last row may lack some
    raster.cells = new Uint32Array(raster.nx * raster.ny);
    eachCell(raster, grid, (bin) => raster.cells[bin]++);
  }
  return raster;
}

function eachCell(raster, grid, visit) {
  for (let row = raster.r0; row < raster.r1; row++) {
    const base = raster.rowBin[row - raster.r0] * raster.nx;
    const start = (row - grid.row) * grid.cols - grid.col;
    for (let col = raster.c0; col < raster.c1; col++) {
      const i = start + col;
      if (i < grid.count) visit(base + raster.colBin[col - raster.c0], i);
    }
  }
}

export function paintStatic(raster, grid, palette, weightPixels, exitPixels) {
  const { levels, magnitudes, steps } = grid;
  if (!raster.binned) {
    eachPixel(raster, grid, (j, i) => {
      weightPixels[j] = i < 0 ? 0 : palette.weights[levels[i] + 127];
      exitPixels[j] = i < 0 ? 0 : palette.exits[steps[i]];
    });
    return;
  }
  const { cells } = raster;
  const counts = new Uint32Array(cells.length);
  const sums = new Int32Array(cells.length);
  const sizes = new Uint32Array(cells.length);
  eachCell(raster, grid, (bin, i) => {
    sums[bin] += levels[i];
    sizes[bin] += magnitudes[i];
  });
  for (let j = 0; j < cells.length; j++) {
    const size = Math.round(sizes[j] / cells[j]);
    weightPixels[j] = cells[j] ? palette.weights[127 + (sums[j] < 0 ? -size : size)] : 0;
  }
  sums.fill(0);
  eachCell(raster, grid, (bin, i) => {
    if (steps[i] === 255) return;
    counts[bin]++;
    sums[bin] += steps[i];
  });
  for (let j = 0; j < cells.length; j++) {
    const leaves = counts[j] * 2 >= cells[j];
    exitPixels[j] = cells[j] ? palette.exits[leaves ? Math.round(sums[j] / counts[j]) : 255] : 0;
  }
}

function eachPixel(raster, grid, visit) {
  let j = 0;
  for (let row = raster.r0; row < raster.r1; row++) {
    const start = (row - grid.row) * grid.cols - grid.col;
    for (let col = raster.c0; col < raster.c1; col++, j++) {
      const i = start + col;
      visit(j, i < grid.count && !(grid.inside && !grid.inside[i]) ? i : -1);
    }
  }
}

// The frame's hot path: no closures, integers only.
export function paintLive(raster, grid, cut, palette, maskPixels, remainPixels) {
  if (!raster.binned) return paintSingle(raster, grid, cut, palette, maskPixels, remainPixels);
  if (raster.cut !== cut) {
    const change = changedCells(grid, raster.cut ?? -1, cut);
    if (change) shiftBins(raster, grid, change);
    else tallyBins(raster, grid, cut);
    raster.cut = cut;
  }
  const { counts, sums, sizes, cells } = raster;
  const { mask, remains } = palette;
  for (let j = 0; j < counts.length; j++) {
    const n = cells[j];
    if (n === 0) {
      maskPixels[j] = remainPixels[j] = 0;
      continue;
    }
    const k = counts[j];
    maskPixels[j] = mask[((k * 255) / n) | 0];
    const size = k ? (sizes[j] / k + 0.5) | 0 : 0;
    remainPixels[j] = remains[(127 + (sums[j] < 0 ? -size : size)) * MIXES + (((k * (MIXES - 1)) / n) | 0)];
  }
}

function paintSingle(raster, grid, cut, palette, maskPixels, remainPixels) {
  const { ranks, levels, inside, count: total } = grid;
  const { weights, mask, gonePixel } = palette;
  const kept = mask[255];
  const removed = mask[0];
  let j = 0;
  for (let row = raster.r0; row < raster.r1; row++) {
    let i = (row - grid.row) * grid.cols - grid.col + raster.c0;
    for (let col = raster.c0; col < raster.c1; col++, i++, j++) {
      if (i >= total || (inside && !inside[i])) {
        maskPixels[j] = remainPixels[j] = 0;
      } else if (ranks[i] >= cut) {
        maskPixels[j] = kept;
        remainPixels[j] = weights[levels[i] + 127];
      } else {
        maskPixels[j] = removed;
        remainPixels[j] = gonePixel;
      }
    }
  }
}

// What is kept in every bin: how many, their sum, their magnitudes.
function tallyBins(raster, grid, cut) {
  const { ranks, levels, magnitudes, count: total } = grid;
  const { counts, sums, sizes, rowBin, colBin, r0, r1, c0, c1, nx } = raster;
  counts.fill(0);
  sums.fill(0);
  sizes.fill(0);
  for (let row = r0; row < r1; row++) {
    const base = rowBin[row - r0] * nx;
    const start = (row - grid.row) * grid.cols - grid.col;
    const last = Math.min(c1, total - start);
    for (let col = c0; col < last; col++) {
      const i = start + col;
      const bin = base + colBin[col - c0];
      // no branch: half-removed masks are as random as branches get
      const k = ranks[i] >= cut ? 1 : 0;
      counts[bin] += k;
      sums[bin] += levels[i] & -k;
      sizes[bin] += magnitudes[i] & -k;
    }
  }
}

// The same by what changed alone; only for grids that hold the whole layer.
function shiftBins(raster, grid, { begin, end, sign }) {
  const { order, levels, magnitudes, cols } = grid;
  const { counts, sums, sizes, rowBin, colBin, r0, r1, c0, c1, nx } = raster;
  for (let n = begin; n < end; n++) {
    const i = order[n];
    const row = (i / cols) | 0;
    const col = i - row * cols;
    if (row < r0 || row >= r1 || col < c0 || col >= c1) continue;
    const bin = rowBin[row - r0] * nx + colBin[col - c0];
    counts[bin] += sign;
    sums[bin] += sign * levels[i];
    sizes[bin] += sign * magnitudes[i];
  }
}
