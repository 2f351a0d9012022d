import { component } from "../../browser/js/component.js";
import { followTheme } from "../../browser/js/theme.js";
import { bindPictures } from "./controls.js";
import { take } from "./messages.js";
import { makePalette } from "./palette.js";
import { fillReadout } from "./readout.js";
import { listenTo, storeOf } from "../../browser/js/store.js";
import { VIEW, invalidate, makeApp } from "./view.js";

function readTheme(app) {
  const dark = followTheme(app.root);
  const style = getComputedStyle(app.root);
  const value = (name) => style.getPropertyValue(`--${name}`).trim();
  app.palette = makePalette(dark, value);
  app.colours = { text: value("text"), stage: value("panel"), line: value("baseline"), font: value("st-font") };
  invalidate(app, VIEW);
}

function open(parent, { view }) {
  const app = makeApp(parent, storeOf(view));
  app.deafen = listenTo(view, (kind) => take(app, kind));
  bindPictures(app);
  app.resize = new ResizeObserver(() => invalidate(app, VIEW));
  app.resize.observe(app.panes.weights.canvas);
  app.resize.observe(app.charts.histogram.canvas);
  for (const kind of ["layer", "window", "state"]) take(app, kind);
  fillReadout(app.$(".readout"), null);
  return app;
}

function leave(app) {
  app.resize.disconnect();
  app.amount.leave();
  cancelAnimationFrame(app.request);
  for (const timer of [app.saying, app.asking]) clearTimeout(timer);
  app.deafen();
}

// Streamlit calls again when the theme changes
export default component({ open, take: readTheme, leave, fits: (app, { view }) => app.store === storeOf(view) });
