// ---- payload.py's bytes -> a layer ----------------------------------------------------------------------------
const NEVER = 65535; // exit index of a weight that stays at every amount
const POSITIONS = 1001;
const TABLE_STEPS = 51;
const TYPES = { float32: Float32Array, uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array };

function unpack(bytes) {
  // a copy: typed arrays need aligned offsets, and the message's buffer can then be freed
  const whole = bytes.slice();
  const length = new DataView(whole.buffer).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + length)));
  const arrays = {};
  for (const [name, [type, offset, count]] of Object.entries(header.sections)) {
    arrays[name] = new TYPES[type](whole.buffer, 8 + length + offset, count);
  }
  return { header, ...arrays };
}

// First slider position at which more groups are gone than this rank; NEVER if there is none.
function exitIndex(rank, removedAt) {
  let low = 0;
  let high = POSITIONS;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (removedAt[middle] > rank) high = middle;
    else low = middle + 1;
  }
  return low < POSITIONS ? low : NEVER;
}

function exitTable(groups, removedAt) {
  const table = new Uint16Array(groups).fill(NEVER);
  let from = 0;
  for (let i = 0; i < POSITIONS; i++) {
    const to = Math.min(groups, removedAt[i]);
    if (to > from) table.fill(i, from, to);
    from = Math.max(from, to);
  }
  return table;
}

// Weights as -127 ... 127 and exits as 0 ... 250 (255 = never): what a colour needs, in a quarter of the bytes.
function shades(weights, exits, scale) {
  const levels = new Int8Array(weights.length);
  const steps = new Uint8Array(weights.length);
  const factor = 127 / scale;
  for (let i = 0; i < weights.length; i++) {
    levels[i] = Math.max(-127, Math.min(127, Math.round(weights[i] * factor)));
    steps[i] = exits[i] === NEVER ? 255 : exits[i] >> 2;
  }
  return { levels, steps };
}

function decodeLayer(bytes) {
  const raw = unpack(bytes);
  const h = raw.header;
  const layer = {
    header: h,
    mode: h.mode,
    rows: h.rows,
    cols: h.cols,
    tileRows: h.tile[0],
    tileCols: h.tile[1],
    removedAt: raw.removed_at,
    keptAt: raw.kept_at,
    cutScore: raw.cut_score,
    histogram: raw.histogram,
    histogramRemoved: raw.histogram_removed ?? null,
    channels: channelPlan(h),
  };
  if (h.mode === "cells") {
    const byRank = exitTable(h.groups, raw.removed_at);
    const exits = new Uint16Array(h.numel);
    for (let i = 0; i < h.numel; i++) exits[i] = byRank[raw.ranks[i]];
    const ranks = raw.ranks;
    const scoreOf = raw.group_scores ? (i) => raw.group_scores[ranks[i]] : (i) => Math.abs(raw.weights[i]);
    layer.grid = {
      row: 0, col: 0, rows: h.rows, cols: h.cols, count: h.numel,
      weights: raw.weights, ranks, exits, scoreOf, inside: null,
      ...shades(raw.weights, exits, h.scale),
    };
    layer.kept = new Uint8Array(h.numel);
    layer.channelKept = new Uint32Array(layer.channels.count);
    layer.counted = -1;
  } else {
    const rowEdges = blockEdges(h.rows);
    const colEdges = blockEdges(h.cols);
    layer.blocks = {
      rows: rowEdges.length - 1, cols: colEdges.length - 1, rowEdges, colEdges,
      means: raw.block_means, gone: raw.block_gone, exits: raw.block_exits,
    };
  }
  return layer;
}

function decodeWindow(bytes, layer) {
  const raw = unpack(bytes);
  const h = raw.header;
  const exits = new Uint16Array(raw.ranks.length);
  for (let i = 0; i < exits.length; i++) exits[i] = exitIndex(raw.ranks[i], layer.removedAt);
  return {
    key: h.key, row: h.row, col: h.col, rows: h.rows, cols: h.cols, count: raw.ranks.length,
    weights: raw.weights, ranks: raw.ranks, exits, scoreOf: (i) => raw.scores[i], inside: raw.inside,
    scale: h.scale, clipped: h.clipped,
    ...shades(raw.weights, exits, h.scale),
  };
}

function blockEdges(length) {
  const count = Math.min(256, length);
  return Uint32Array.from({ length: count + 1 }, (_, i) => Math.floor((i * length) / count));
}

// How cells of the picture fall into channels: runs of rows (dim 0) or of columns (dim 1).
function channelPlan(h) {
  if (h.kind === "strip") return { along: "cells", size: 1, count: h.numel, dim: 0 };
  if (h.channel_dim === 1) return { along: "cols", size: h.tile[1], count: h.cols / h.tile[1], dim: 1 };
  return { along: "rows", size: h.tile[0], count: h.rows / h.tile[0], dim: 0 };
}

// Index in the tensor of a cell of the picture, outermost dim first.
function tensorIndex(layer, row, col) {
  const { shape, kind } = layer.header;
  if (kind === "strip") return shape.length ? [row * layer.cols + col] : [];
  if (kind === "mosaic") {
    const { tileRows: h, tileCols: w } = layer;
    return [Math.floor(row / h), Math.floor(col / w), row % h, col % w];
  }
  const index = [];
  let rest = col;
  for (let d = shape.length - 1; d > 0; d--) {
    index.unshift(rest % shape[d]);
    rest = Math.floor(rest / shape[d]);
  }
  return [row, ...index];
}

// Which weights are kept, and how many per channel. One pass over everything: about a millisecond per million.
function count(layer, position) {
  if (layer.counted === position) return;
  layer.counted = position;
  const cut = layer.removedAt[position];
  const { ranks, count: total } = layer.grid;
  const { kept, channelKept, channels, cols } = layer;
  if (channels.along === "cols") {
    channelKept.fill(0);
    const channelOf = (channels.of ??= Uint32Array.from({ length: cols }, (_, c) => Math.floor(c / channels.size)));
    for (let i = 0; i < total; ) {
      for (let c = 0; c < cols; c++, i++) {
        const k = ranks[i] >= cut ? 1 : 0;
        kept[i] = k;
        channelKept[channelOf[c]] += k;
      }
    }
    return;
  }
  const run = channels.along === "rows" ? channels.size * cols : 1;
  for (let channel = 0, i = 0; channel < channelKept.length; channel++) {
    let sum = 0;
    for (const end = i + run; i < end; i++) {
      const k = ranks[i] >= cut ? 1 : 0;
      kept[i] = k;
      sum += k;
    }
    channelKept[channel] = sum;
  }
}
