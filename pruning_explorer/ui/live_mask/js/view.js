import { followAmount } from "../../browser/js/amount.js";
import { fixed, precise, significant, whole } from "../../browser/js/numbers.js";
import { drawChannels, drawHistogram } from "./charts.js";
import { POSITIONS, countChannels } from "./cuts.js";
import { PANES, drawBlocks, drawCells, makePane, placeCursor, sizeCanvas } from "./heatmaps.js";
import { countText, describe, fillReadout, readoutText, regionText } from "./readout.js";
import { frame } from "./viewport.js";
import { wantsWindow, windowInView } from "./window.js";

// The component's state and its frames.
// Everything that changes marks what is stale and asks for one animation frame; only a frame draws.

export function makeApp(parentElement, store) {
  const root = parentElement.querySelector(".live-mask");
  const $ = (selector) => root.querySelector(selector);
  const app = {
    root,
    store,
    $,
    parent: parentElement,
    memory: store.memory, // outlives a remount: viewport, cursor, the last release
    layer: null,
    window: null,
    seen: null,
    raster: null,
    palette: null,
    colours: null,
    position: 0,
    ratio: 1,
    cursor: null,
    cursorScore: null,
    emptyChannels: null,
    panes: Object.fromEntries([...root.querySelectorAll(".pane")].map((f) => [f.dataset.pane, makePane(f)])),
    charts: Object.fromEntries(
      [...root.querySelectorAll(".chart")].map((f) => {
        const canvas = f.querySelector("canvas");
        return [f.dataset.chart, { figure: f, canvas, context: canvas.getContext("2d"), width: 0, height: 0 }];
      }),
    ),
    texts: {
      amount: $(".amount"),
      kept: $(".kept"),
      sparsity: $(".sparsity b"),
      here: $(".here"),
      cut: $('[data-chart="histogram"] .aside'),
      channels: $('[data-chart="channels"] .aside'),
      said: $(".said"),
    },
    stale: 0,
    request: 0,
    send: null,
    generation: 0,
    slider: $(".slider"),
  };
  app.amount = followAmount(app.slider, {
    memory: app.memory,
    show(position) {
      app.position = position;
      invalidate(app, AMOUNT);
    },
    send: (release) => app.send("release", release),
  });
  // the last 512 frames' draw times in ms, for the benchmark
  root.frames = { times: new Float32Array(512), count: 0 };
  return app;
}

const AMOUNT = 1; // the cut moved
export const VIEW = 2; // other cells are seen, or other colours: draw all
export const CURSOR = 4;

export function invalidate(app, what) {
  app.stale |= what;
  if (!app.request) app.request = requestAnimationFrame(() => drawFrame(app));
}

function drawFrame(app) {
  app.request = 0;
  const stale = app.stale;
  app.stale = 0;
  const { layer, panes } = app;
  if (!layer || !app.palette) return;
  const began = performance.now();
  if (stale & VIEW) measure(app);
  if (!app.seen) return;
  if (layer.mode === "cells") countChannels(layer, layer.removedAt[app.position]);
  if (stale & (AMOUNT | VIEW)) {
    const grid = layer.mode === "cells" ? layer.grid : windowInView(app);
    if (stale & VIEW)
      for (const name of PANES) sizeCanvas(panes[name].canvas, app.seen.width, app.seen.height, app.ratio);
    if (grid) drawCells(app, grid, Boolean(stale & VIEW));
    else drawBlocks(app, Boolean(stale & VIEW));
    drawHistogramAndBars(app);
    writeCount(app);
  }
  if (stale & VIEW) writeView(app);
  writeCursor(app, stale);
  if (stale & AMOUNT) app.root.frames.times[app.root.frames.count++ & 511] = performance.now() - began;
}

function drawHistogramAndBars(app) {
  drawHistogram(app);
  drawChannels(app);
}

function measure(app) {
  const { panes, charts } = app;
  const stage = panes.weights.canvas;
  const width = stage.clientWidth;
  const height = stage.clientHeight;
  app.ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  if (!width || !height) {
    app.seen = null;
    return;
  }
  app.seen = frame(app.memory.port, app.layer, width, height);
  for (const chart of Object.values(charts)) {
    chart.width = chart.canvas.clientWidth;
    chart.height = chart.canvas.clientHeight;
  }
}

function writeCount(app) {
  const { layer, position, texts } = app;
  const { kept, total, sparsity } = countText(layer, position);
  const percent = fixed(position / 10, 1);
  texts.amount.textContent = `${percent} %`;
  // one text, so that nothing beside a number moves when it gets shorter
  texts.kept.textContent = `Kept ${whole(kept)} of ${whole(total)} weights`;
  texts.sparsity.textContent = `${sparsity} %`;
  app.slider.style.setProperty("--done", `${position / 10}%`);
  app.slider.setAttribute("aria-valuetext", `${percent} percent, ${whole(kept)} of ${whole(total)} weights kept`);
  texts.here.style.transform = `translateX(${position / 10}%)`; // `left` would count as a shift of the layout
  const cut = layer.cutScore[position];
  texts.cut.textContent =
    kept === total
      ? "nothing removed"
      : Number.isNaN(cut)
        ? "all removed"
        : layer.header.monotone
          ? `cut at ${precise(cut)}`
          : "";
  texts.channels.textContent =
    app.emptyChannels === null
      ? channelBars(layer)
      : `${whole(app.emptyChannels)} of ${whole(layer.channels.count)} empty`;
  clearTimeout(app.saying);
  // a screen reader hears of the end of a move, not of each frame
  app.saying = setTimeout(
    () => (texts.said.textContent = `${whole(kept)} of ${whole(total)} weights kept, sparsity ${sparsity} percent`),
    900,
  );
}

function channelBars({ blocks, channels, cuts }) {
  const bars = blocks.channelGone.length / cuts.length;
  return bars < channels.count
    ? `mean of ${channels.count % bars ? "about " : ""}${whole(channels.count / bars)} per bar`
    : "";
}

function writeView(app) {
  const { layer, seen, $, root, panes } = app;
  const h = layer.header;
  const part = layer.mode === "blocks" ? windowInView(app) : null;
  const blocks = layer.mode === "blocks" && !part;
  const wanted = blocks && wantsWindow(app);
  $(".title").textContent = h.title;
  $(".shape").textContent = h.shape.join(" × ");
  $(".note").textContent = h.note;
  $(".region").textContent = wanted ? "loading single weights …" : regionText(app);
  // what a pixel means where it stands for many weights
  const asides = blocks
    ? ["mean |w|", "density per block", "mean |w|", "median"]
    : app.raster?.binned
      ? ["mean |w|, signed", "density", "mean |w|", "mean"]
      : ["", "", "", ""];
  PANES.forEach((name, i) => (panes[name].figure.querySelector(".aside").textContent = asides[i]));
  const zoomed = app.memory.port.zoom > 1.0001;
  root.classList.toggle("zoomed", zoomed);
  $('[data-zoom="out"]').disabled = $('[data-zoom="whole"]').disabled = !zoomed;
  $('[data-zoom="in"]').disabled = app.memory.port.zoom >= seen.most * 0.9999;
  const { scale, clipped } = part ?? h;
  for (const name of ["weights", "remains"]) {
    const key = panes[name].figure.querySelector(".key");
    key.querySelector(".low").textContent = blocks ? "0" : `${clipped ? "≤ " : ""}${fixed(-scale, digitsFor(scale))}`;
    key.querySelector(".high").textContent =
      `${clipped && !blocks ? "≥ " : ""}${blocks ? "mean |w| " : ""}${fixed(scale, digitsFor(scale))}`;
    key.querySelector(".ramp").style.background =
      `linear-gradient(to right, var(--${blocks ? "magnitudes" : "weights"}))`;
  }
  $(".never").hidden = layer.removedAt[POSITIONS - 1] >= h.groups;
  const histogram = app.charts.histogram.figure;
  const [lowest, highest] = h.score_range;
  histogram.querySelector(".low").textContent = lowest > 0 && lowest < highest / 1000 ? "≈ 0" : threeDigits(lowest);
  histogram.querySelector(".high").textContent = `${h.tail ? "≥ " : ""}${threeDigits(h.score_range[1])}`;
  const channels = app.charts.channels.figure;
  const n = layer.channels.count;
  channels.querySelector(".low").textContent = "0";
  channels.querySelector(".middle").textContent = `index along dim ${layer.channels.dim}`;
  channels.querySelector(".high").textContent = whole(n - 1);
  const what = { weights: "Weights", mask: "Mask", remains: "What remains", exit: "Exit amount of each weight" };
  for (const name of PANES) {
    panes[name].canvas.setAttribute(
      "aria-label",
      `${what[name]}, ${layer.rows} rows, ${layer.cols} columns. Arrow keys go from weight to weight, plus and minus zoom, 0 shows the whole layer.`,
    );
  }
  app.charts.histogram.canvas.setAttribute(
    "aria-label",
    `Histogram of scores from ${threeDigits(h.score_range[0])} to ${threeDigits(h.score_range[1])}, the removed part shaded`,
  );
  app.charts.channels.canvas.setAttribute(
    "aria-label",
    `Kept fraction of each of ${n} channels along dim ${layer.channels.dim}`,
  );
}

const threeDigits = (v) => significant(v, 3);
const digitsFor = (v) => (v >= 100 ? 0 : v >= 10 ? 1 : v >= 1 ? 2 : v >= 0.01 ? 3 : 5);

function writeCursor(app, stale) {
  if (stale & (VIEW | CURSOR)) placeCursor(app);
  const d = app.seen ? describe(app) : null;
  const text = readoutText(d);
  if (text !== app.readoutText) {
    app.readoutText = text;
    fillReadout(app.$(".readout"), d);
  }
  const score = d?.rawScore ?? null;
  if (score !== app.cursorScore || (stale & CURSOR && !(stale & (AMOUNT | VIEW)))) {
    app.cursorScore = score;
    drawHistogramAndBars(app);
  }
}
