// ---- Streamlit's door ----------------------------------------------------------------------------------------------
const APPS = new WeakMap();
const FORGET = 1000; // ms after which a stage that is gone is not just being moved on the page
const SETTLE = 300; // ms at one stop before pictures say what they show
const SAY = 900;
const DRAW = {
  matrix: drawMatrix, network: drawNetwork, regions: drawRegions, curves: drawCurves, bars: drawBars,
  figures: drawFigures, code: drawCode, table: drawTable, pictures: drawPictures,
};

function makeApp(parent, name) {
  const root = parent.querySelector(".stage-view");
  const $ = (selector) => root.querySelector(selector);
  const memories = (globalThis.pruningExplorerStages ??= new Map());
  if (!memories.has(name)) memories.set(name, {});
  const app = {
    parent, root, $, name, memory: memories.get(name), slider: $(".slider"), play: $(".play"),
    panels: [], stage: null, sent: null, dragging: false, byKey: false, playing: 0, waiting: 0, generation: 0, send: null,
  };
  app.memory.app = app;
  bindSlider(app);
  app.resize = new ResizeObserver(() => resized(app));
  app.resize.observe($(".panels"));
  // Streamlit pales what waits for Python; a stage waits for nothing
  parent.host?.closest("[data-testid=stElementContainer]")?.style.setProperty("opacity", "1", "important");
  return app;
}

function leave(app) {
  app.resize.disconnect();
  cancelAnimationFrame(app.playing);
  cancelAnimationFrame(app.frame);
  for (const timer of [app.waiting, app.settling, app.saying]) clearTimeout(timer);
  APPS.delete(app.parent);
  const memories = globalThis.pruningExplorerStages;
  setTimeout(() => {
    if (app.memory.app === app && memories.get(app.name) === app.memory) memories.delete(app.name);
  }, FORGET);
}

function readTheme(app) {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  context.fillStyle = getComputedStyle(app.root).getPropertyValue("--st-background-color").trim() || "#ffffff";
  context.fillRect(0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  app.root.classList.toggle("dark", 0.2126 * r + 0.7152 * g + 0.0722 * b < 100);
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

function resized(app) {
  for (const panel of app.panels) panel.resize?.();
}

function moveTo(app, stop) {
  if (stop === app.memory.stop) return;
  app.memory.stop = stop;
  app.memory.reach = Math.max(app.memory.reach, stop);
  if (!app.frame) app.frame = requestAnimationFrame(() => draw(app));
}

function draw(app) {
  cancelAnimationFrame(app.frame);
  app.frame = 0;
  const { stop, reach } = app.memory;
  if (stop === app.shown) return;
  app.shown = stop;
  for (const panel of app.panels) panel.show(stop, reach);
  clearTimeout(app.settling);
  app.settling = setTimeout(() => app.panels.forEach((panel) => panel.describe?.(stop)), SETTLE);
  if (!app.stage.stops.length) return;
  if (Number(app.slider.value) !== stop) app.slider.value = String(stop);
  write(app.$(".readout"), app.stage.shown[stop]);
  app.slider.setAttribute("aria-valuetext", app.stage.shown[stop]);
  app.slider.style.setProperty("--done", `${(stop / Math.max(1, app.stage.last)) * 100}%`);
  clearTimeout(app.saying);
  // a screen reader hears of the end of a move by key, not of each frame of a play
  if (app.byKey) app.saying = setTimeout(() => write(app.$(".said"), sentence(app, stop)), SAY);
}

function sentence(app, stop) {
  const numbers = app.panels.map((panel) => panel.sentence?.(stop)).find(Boolean);
  return numbers ? `${app.stage.where(stop)}: ${numbers}` : app.stage.where(stop);
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  let app = APPS.get(parentElement);
  if (app && (app.name !== data.name || !app.root.isConnected)) {
    leave(app);
    app = undefined;
  }
  if (!app) APPS.set(parentElement, (app = makeApp(parentElement, data.name)));
  app.send = setStateValue;
  readTheme(app); // Streamlit calls again when the theme changes
  take(app, data);
  const generation = ++app.generation;
  return () => {
    if (generation === app.generation) leave(app);
  };
}
