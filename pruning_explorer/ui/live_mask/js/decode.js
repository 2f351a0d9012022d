import { blockEdges, channelPlan } from "./cells.js";
import { NEVER, exitIndex, exitOrder, exitTable } from "./cuts.js";
import { unpack } from "../../browser/js/store.js";

// payload.py's bytes -> a layer.
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

export function decodeLayer(bytes) {
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
    const scoreOf = scores
      ? (i) => scores[i]
      : byRankScores
        ? (i) => byRankScores[ranks[i]]
        : (i) => Math.abs(raw.weights[i]);
    layer.grid = {
      row: 0,
      col: 0,
      rows: h.rows,
      cols: h.cols,
      count: h.numel,
      weights: raw.weights,
      ranks,
      exits,
      scoreOf,
      inside: null,
      ...exitOrder(ranks, h.groups),
      ...shades(raw.weights, exits, h.scale),
    };
    layer.channelKept = new Uint32Array(layer.channels.count);
    layer.channelCut = -1;
  } else {
    const rowEdges = blockEdges(h.rows);
    const colEdges = blockEdges(h.cols);
    layer.blocks = {
      rows: rowEdges.length - 1,
      cols: colEdges.length - 1,
      rowEdges,
      colEdges,
      means: raw.block_means,
      gone: raw.block_gone,
      exits: raw.block_exits,
      channelGone: raw.channel_gone,
    };
  }
  return layer;
}

export function decodeWindow(bytes, layer) {
  const raw = unpack(bytes);
  const h = raw.header;
  const exits = new Uint16Array(raw.ranks.length);
  for (let i = 0; i < exits.length; i++) exits[i] = exitIndex(raw.ranks[i], layer.removedAt);
  return {
    key: h.key,
    row: h.row,
    col: h.col,
    rows: h.rows,
    cols: h.cols,
    count: raw.ranks.length,
    weights: raw.weights,
    ranks: raw.ranks,
    exits,
    scoreOf: (i) => raw.scores[i],
    inside: raw.inside,
    scale: h.scale,
    clipped: h.clipped,
    ...shades(raw.weights, exits, h.scale),
  };
}
