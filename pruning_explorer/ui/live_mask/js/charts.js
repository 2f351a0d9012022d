import { channelOf } from "./cells.js";
import { atPlace, placeAmongCuts } from "./cuts.js";
import { sizeCanvas } from "./heatmaps.js";

// Histogram of scores, kept per channel.
export function drawHistogram(app) {
  const { layer, palette, ratio, colours } = app;
  const { canvas, context: c, width, height } = app.charts.histogram;
  const { histogram: counts, header: h } = layer;
  sizeCanvas(canvas, width, height, ratio);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  const top = 18;
  const tallest = (layer.tallest ??= Math.max(...counts));
  const step = width / counts.length;
  const cutX = cutPlace(app, width);
  const gap = step >= 4 ? 1 : 0;
  const bars = (from, to, colour, shareOf) => {
    if (to <= from) return;
    c.save();
    c.beginPath();
    c.rect(from, 0, to - from, height);
    c.clip();
    c.fillStyle = colour;
    for (let b = 0; b < counts.length; b++) {
      if (!counts[b]) continue;
      const tall = Math.max(1, (counts[b] / tallest) * (height - top)) * (shareOf ? shareOf(b) : 1);
      c.fillRect(b * step, height - tall, step - gap, tall);
    }
    c.restore();
  };
  if (h.monotone) {
    bars(0, cutX, palette.removed);
    bars(cutX, width, palette.kept);
    if (cutX > 0 && cutX < width) {
      c.fillStyle = colours.text;
      c.fillRect(cutX - 1, 0, 2, height);
      const text = "removed ← cut";
      c.font = `12px ${colours.font}`;
      c.textBaseline = "top";
      const right = c.measureText(text).width + 6 < cutX;
      c.textAlign = right ? "right" : "left";
      c.fillText(right ? text : "cut → kept", cutX + (right ? -5 : 5), 2);
    }
  } else {
    // where low scores do not simply go first, every bin may hold both
    const place = placeAmongCuts(layer, app.position);
    const gone = (b) => atPlace(layer.histogramRemoved, place, counts.length, b);
    bars(0, width, palette.kept);
    bars(0, width, palette.removed, (b) => gone(b) / counts[b]);
  }
  c.fillStyle = colours.line;
  c.fillRect(0, height - 1, width, 1);
  if (app.cursorScore !== null) {
    const [low, high] = h.score_range;
    const x = high > low ? Math.min(1, (app.cursorScore - low) / (high - low)) * width : width / 2;
    c.fillStyle = colours.text;
    c.beginPath();
    c.moveTo(x - 5, height);
    c.lineTo(x + 5, height);
    c.lineTo(x, height - 8);
    c.fill();
  }
}

// Pixel of the cut: 0 = nothing is removed, width = all of it.
function cutPlace(app, width) {
  const { layer, position } = app;
  if (layer.keptAt[position] === layer.header.numel) return 0;
  const cut = layer.cutScore[position];
  const [low, high] = layer.header.score_range;
  if (Number.isNaN(cut)) return width;
  return high > low ? Math.max(1, Math.min(width - 1, ((cut - low) / (high - low)) * width)) : width / 2;
}

// Kept fraction per channel, 0 ... 1, and how many channels are wholly removed (null where only densities are known).
function channelFractions(app) {
  const { layer, position } = app;
  const { channels } = layer;
  if (layer.mode === "cells") {
    const per = layer.header.numel / channels.count;
    let empty = 0;
    const fractions = Float32Array.from(layer.channelKept, (k) => ((empty += k === 0 ? 1 : 0), k / per));
    return { fractions, empty };
  }
  const { channelGone: gone } = layer.blocks;
  const bars = gone.length / layer.cuts.length;
  const place = placeAmongCuts(layer, position);
  const fractions = Float32Array.from({ length: bars }, (_, b) => 1 - atPlace(gone, place, bars, b) / 255);
  return { fractions, empty: null };
}

export function drawChannels(app) {
  const { palette, ratio, colours, layer } = app;
  const { canvas, context: c, width, height } = app.charts.channels;
  sizeCanvas(canvas, width, height, ratio);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  const { fractions, empty } = channelFractions(app);
  app.emptyChannels = empty;
  const n = fractions.length;
  // more channels than pixels: one bar per pixel, the mean of its channels
  const bars = Math.min(n, Math.floor(width));
  const step = width / bars;
  const gap = step >= 3 ? Math.min(2, step * 0.2) : 0;
  const top = 4;
  c.fillStyle = palette.removed;
  c.globalAlpha = palette.dark ? 0.3 : 0.25;
  for (let b = 0; b < bars; b++) c.fillRect(b * step, top, step - gap, height - top);
  c.globalAlpha = 1;
  for (let b = 0; b < bars; b++) {
    const from = Math.floor((b * n) / bars);
    const to = Math.max(from + 1, Math.floor(((b + 1) * n) / bars));
    let sum = 0;
    for (let i = from; i < to; i++) sum += fractions[i];
    const tall = (sum / (to - from)) * (height - top);
    c.fillStyle = tall > 0 ? palette.kept : palette.removed;
    c.fillRect(b * step, tall > 0 ? height - tall : height - 4, step - gap, tall > 0 ? tall : 4);
  }
  if (app.cursor) {
    const at = channelOf(layer, app.cursor.row * layer.cols + app.cursor.col);
    c.strokeStyle = colours.text;
    c.lineWidth = 1.5;
    const x = ((at + 0.5) / layer.channels.count) * width;
    const w = Math.max(4, step);
    c.strokeRect(Math.max(1, x - w / 2), 1, w - gap, height - 2);
  }
}
