import { channelOf } from "./cells.js";

// Which weights are gone at a position of the slider.
export const NEVER = 65535; // exit index of a weight that stays at every amount
export const POSITIONS = 1001;

// First slider position at which more groups are gone than this rank; NEVER if there is none.
export function exitIndex(rank, removedAt) {
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
export function placeAmongCuts({ cuts, removedAt }, position) {
  const removed = removedAt[position];
  let low = 0;
  for (let high = cuts.length; high - low > 1;) {
    const middle = (low + high) >> 1;
    if (cuts[middle] <= removed) low = middle;
    else high = middle;
  }
  const next = Math.min(cuts.length - 1, low + 1);
  return { low, next, share: next > low ? (removed - cuts[low]) / (cuts[next] - cuts[low]) : 0 };
}

// The number at `j` of a table with `size` of them for each cut.
export const atPlace = (table, { low, next, share }, size, j) =>
  table[low * size + j] * (1 - share) + table[next * size + j] * share;

export function exitTable(groups, removedAt) {
  const table = new Uint16Array(groups).fill(NEVER);
  let from = 0;
  for (let i = 0; i < POSITIONS; i++) {
    const to = Math.min(groups, removedAt[i]);
    if (to > from) table.fill(i, from, to);
    from = Math.max(from, to);
  }
  return table;
}

// Cells in the order in which they go: a step of the slider then touches only the cells between the old and the new cut.
export function exitOrder(ranks, groups) {
  const starts = new Uint32Array(groups + 1);
  for (let i = 0; i < ranks.length; i++) starts[ranks[i] + 1]++;
  for (let g = 0; g < groups; g++) starts[g + 1] += starts[g];
  const next = starts.slice(0, groups);
  const order = new Uint32Array(ranks.length);
  for (let i = 0; i < ranks.length; i++) order[next[ranks[i]]++] = i;
  return { order, starts };
}

// The cells that change between two cuts and +1 (they come back) or -1 (they go); null where a full count is quicker.
export function changedCells(grid, from, to) {
  if (!grid.order || from < 0) return null;
  const last = grid.starts.length - 1;
  const a = grid.starts[Math.min(last, from)];
  const b = grid.starts[Math.min(last, to)];
  return Math.abs(b - a) * 4 > grid.count ? null : { begin: Math.min(a, b), end: Math.max(a, b), sign: b > a ? -1 : 1 };
}

// Bring `layer.channelKept` to a new cut.
export function countChannels(layer, cut) {
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
    for (let i = 0; i < total;) {
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
