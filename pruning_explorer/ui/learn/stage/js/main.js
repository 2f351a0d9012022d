import { component } from "../../../browser/js/component.js";
import { followTheme } from "../../../browser/js/theme.js";
import { drawCurves } from "./curves.js";
import { drawBars } from "./layers.js";
import { drawMatrix } from "./matrix.js";
import { drawNetwork } from "./network.js";
import { drawPictures, drawRegions } from "./regions.js";
import { bindSlider, pause, writePlay } from "./slider.js";
import { draw, resized } from "./view.js";
import { drawCode, drawFigures, drawTable } from "./words.js";
import { write } from "./write.js";

// The door to Streamlit.

const FORGET = 1000; // ms after which a stage that is gone is not just being moved on the page
const DRAW = {
  matrix: drawMatrix,
  network: drawNetwork,
  regions: drawRegions,
  curves: drawCurves,
  bars: drawBars,
  figures: drawFigures,
  code: drawCode,
  table: drawTable,
  pictures: drawPictures,
};

function open(parent, { name }) {
  const root = parent.querySelector(".stage-view");
  const $ = (selector) => root.querySelector(selector);
  const memories = (globalThis.pruningExplorerStages ??= new Map());
  if (!memories.has(name)) memories.set(name, {});
  const app = {
    root,
    $,
    name,
    memory: memories.get(name),
    slider: $(".slider"),
    play: $(".play"),
    panels: [],
    stage: null,
    sent: null,
    playing: 0,
  };
  app.memory.app = app;
  bindSlider(app);
  app.resize = new ResizeObserver(() => resized(app));
  app.resize.observe($(".panels"));
  return app;
}

function leave(app) {
  app.resize.disconnect();
  cancelAnimationFrame(app.playing);
  cancelAnimationFrame(app.frame);
  app.hand.leave();
  for (const timer of [app.settling, app.saying]) clearTimeout(timer);
  const memories = globalThis.pruningExplorerStages;
  setTimeout(() => {
    if (app.memory.app === app && memories.get(app.name) === app.memory) memories.delete(app.name);
  }, FORGET);
}

// Draws what Python sent, at the stop where the slider stands; where nothing is new, nothing is touched.
function take(app, data) {
  const sent = JSON.stringify(data);
  if (sent === app.sent) return;
  app.sent = sent;
  const { memory, slider, $ } = app;
  const last = Math.max(0, data.stops.length - 1);
  pause(app, false);
  app.stage = {
    ...data,
    last,
    where: (stop) => (data.stops.length ? `${data.label} ${data.shown[stop]}` : data.label || "the end"),
  };
  if (memory.start !== data.start || memory.turn !== data.turn) {
    const { start, turn } = data;
    Object.assign(memory, { start, turn, stop: start, released: start, reach: start });
  }
  memory.stop = Math.min(last, memory.stop);
  $(".controls").hidden = !data.stops.length;
  app.play.hidden = !data.playable;
  slider.max = String(last);
  slider.value = String(memory.stop);
  write($(".label"), data.label);
  write($(".help"), data.help);
  writePlay(app);
  app.panels = data.panels.map((panel) => DRAW[panel.kind](panel, app.stage));
  $(".panels").replaceChildren(...app.panels.map((panel) => panel.node));
  app.shown = -1;
  resized(app);
  draw(app);
  for (const panel of app.panels) panel.describe?.(memory.stop);
}

export default component({
  open,
  take(app, data) {
    followTheme(app.root); // Streamlit calls again when the theme changes
    take(app, data);
  },
  leave,
  fits: (app, data) => app.name === data.name,
});
