// ---- payload.py's bytes -> a layer ----------------------------------------------------------------------------
const NEVER = 65535; // exit index of a weight that stays at every amount
const POSITIONS = 1001;
const TYPES = { float32: Float32Array, float64: Float64Array, uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array };

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

// Where a slider position stands among the cuts that the tables hold: on the one at `low`, or `share` of the way to the next.
function placeAmongCuts({ cuts, removedAt }, position) {
  const removed = removedAt[position];
  let low = 0;
  for (let high = cuts.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (cuts[middle] <= removed) low = middle;
    else high = middle;
  }
  const next = Math.min(cuts.length - 1, low + 1);
  return { low, next, share: next > low ? (removed - cuts[low]) / (cuts[next] - cuts[low]) : 0 };
}

// The number at `j` of a table with `size` of them for each cut.
const atPlace = (table, { low, next, share }, size, j) => table[low * size + j] * (1 - share) + table[next * size + j] * share;

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

// Weights as -127 ... 127, their magnitudes and exits as 0 ... 250 (255 = never): what a colour needs, in few bytes.
function shades(weights, exits, scale) {
  const levels = new Int8Array(weights.length);
  const magnitudes = new Uint8Array(weights.length);
  const steps = new Uint8Array(weights.length);
  const factor = 127 / scale;
  for (let i = 0; i < weights.length; i++) {
    levels[i] = Math.max(-127, Math.min(127, Math.round(weights[i] * factor)));
    magnitudes[i] = Math.abs(levels[i]);
    steps[i] = exits[i] === NEVER ? 255 : exits[i] >> 2;
  }
  return { levels, magnitudes, steps };
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
    across: h.across,
    removedAt: raw.removed_at,
    keptAt: raw.kept_at,
    cuts: raw.cuts,
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
    const { rank_scores: byRankScores, scores } = raw;
    const scoreOf = scores ? (i) => scores[i] : byRankScores ? (i) => byRankScores[ranks[i]] : (i) => Math.abs(raw.weights[i]);
    layer.grid = {
      row: 0, col: 0, rows: h.rows, cols: h.cols, count: h.numel,
      weights: raw.weights, ranks, exits, scoreOf, inside: null,
      ...exitOrder(ranks, h.groups),
      ...shades(raw.weights, exits, h.scale),
    };
    layer.channelKept = new Uint32Array(layer.channels.count);
    layer.channelCut = -1;
  } else {
    const rowEdges = blockEdges(h.rows);
    const colEdges = blockEdges(h.cols);
    layer.blocks = {
      rows: rowEdges.length - 1, cols: colEdges.length - 1, rowEdges, colEdges,
      means: raw.block_means, gone: raw.block_gone, exits: raw.block_exits, channelGone: raw.channel_gone,
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

// How cells of the picture fall into channels. A `run` of cells holds `across` of them and `of` says which one a column
// belongs to: dim 0 has runs, and `of` where outputs stand side by side; dim 1 has one run and `of`.
function channelPlan(h) {
  if (h.kind === "strip") return { run: 1, across: 1, of: null, count: h.numel, dim: 0 };
  const [high, wide] = h.tile;
  const columns = (channel) => Uint32Array.from({ length: h.cols }, (_, c) => channel(c));
  if (h.channel_dim === 1) {
    const count = h.shape[1];
    return { run: h.numel, across: count, of: columns((c) => Math.floor(c / wide) % count), count, dim: 1 };
  }
  const part = h.cols / h.across;
  const of = h.across > 1 ? columns((c) => Math.floor(c / part)) : null;
  return { run: high * h.cols, across: h.across, of, count: h.shape[0], dim: 0 };
}

// Channel of the i-th cell of the whole picture.
function channelOf({ channels, cols }, i) {
  const { run, across, of } = channels;
  return of ? ((i / run) | 0) * across + of[i % cols] : (i / run) | 0;
}

// Index in the tensor of a cell of the picture, outermost dim first.
function tensorIndex(layer, row, col) {
  const { shape, kind } = layer.header;
  if (kind === "strip") return shape.length ? [row * layer.cols + col] : [];
  if (kind === "mosaic") {
    const { tileRows: h, tileCols: w, across } = layer;
    const tile = Math.floor(col / w);
    return [Math.floor(row / h) * across + Math.floor(tile / shape[1]), tile % shape[1], row % h, col % w];
  }
  const index = [];
  let rest = col;
  for (let d = shape.length - 1; d > 0; d--) {
    index.unshift(rest % shape[d]);
    rest = Math.floor(rest / shape[d]);
  }
  return [row, ...index];
}

// Cells in the order in which they go: a step of the slider then touches only the cells between the old and the new cut.
function exitOrder(ranks, groups) {
  const starts = new Uint32Array(groups + 1);
  for (let i = 0; i < ranks.length; i++) starts[ranks[i] + 1]++;
  for (let g = 0; g < groups; g++) starts[g + 1] += starts[g];
  const next = starts.slice(0, groups);
  const order = new Uint32Array(ranks.length);
  for (let i = 0; i < ranks.length; i++) order[next[ranks[i]]++] = i;
  return { order, starts };
}

// The cells that change between two cuts and +1 (they come back) or -1 (they go); null where a full count is quicker.
function changedCells(grid, from, to) {
  if (!grid.order || from < 0) return null;
  const last = grid.starts.length - 1;
  const a = grid.starts[Math.min(last, from)];
  const b = grid.starts[Math.min(last, to)];
  return Math.abs(b - a) * 4 > grid.count ? null : { begin: Math.min(a, b), end: Math.max(a, b), sign: b > a ? -1 : 1 };
}

// Bring `layer.channelKept` to a new cut.
function countChannels(layer, cut) {
  const { grid, channelKept: kept, channels } = layer;
  if (layer.channelCut === cut) return;
  const change = changedCells(grid, layer.channelCut, cut);
  layer.channelCut = cut;
  const { across, of, run } = channels;
  if (change) {
    for (let n = change.begin; n < change.end; n++) kept[channelOf(layer, grid.order[n])] += change.sign;
    return;
  }
  kept.fill(0);
  const { ranks, count: total } = grid;
  if (of) {
    for (let i = 0; i < total; ) {
      const first = Math.floor(i / run) * across;
      for (let c = 0; c < layer.cols; c++, i++) kept[first + of[c]] += ranks[i] >= cut ? 1 : 0;
    }
    return;
  }
  for (let channel = 0, i = 0; channel < kept.length; channel++) {
    let sum = 0;
    for (const end = i + run; i < end; i++) sum += ranks[i] >= cut ? 1 : 0;
    kept[channel] = sum;
  }
}
