import { write } from "./write.js";

// What stands on the stage at a stop.

const SETTLE = 300; // ms at one stop before pictures say what they show
const SAY = 900; // ms before a screen reader hears of the stop

export function resized(app) {
  for (const panel of app.panels) panel.resize?.();
}

export function moveTo(app, stop) {
  if (stop === app.memory.stop) return;
  app.memory.stop = stop;
  app.memory.reach = Math.max(app.memory.reach, stop);
  if (!app.frame) app.frame = requestAnimationFrame(() => draw(app));
}

export function draw(app) {
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
  if (app.hand.byKey) app.saying = setTimeout(() => write(app.$(".said"), sentence(app, stop)), SAY);
}

function sentence(app, stop) {
  const numbers = app.panels.map((panel) => panel.sentence?.(stop)).find(Boolean);
  return numbers ? `${app.stage.where(stop)}: ${numbers}` : app.stage.where(stop);
}
