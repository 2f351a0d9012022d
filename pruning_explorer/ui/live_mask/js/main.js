// ---- Streamlit's door ---------------------------------------------------------------------------------------------------
const SHARED = "pruning-explorer-amount"; // the event by which controls of one amount move along with each other
const APPS = new WeakMap();

function readTheme(app) {
  const style = getComputedStyle(app.root);
  const value = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const background = toPixel(value("--st-background-color", "#ffffff"));
  const dark = luminance(background) < 0.3;
  const text = value("--st-text-color", dark ? "#ffffff" : "#000000");
  app.palette = makePalette(dark);
  app.colours = {
    text,
    stage: value("--st-secondary-background-color", "#eeeeee"),
    line: dark ? "#5a5f69" : "#a9adb5",
    font: value("--st-font", "sans-serif"),
  };
  for (const name of ["kept", "removed", "gone", "hatch", "never", "mark"]) app.root.style.setProperty(`--${name}`, app.palette[name]);
  invalidate(app, VIEW);
}

function toPixel(colour) {
  const c = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  c.fillStyle = colour;
  c.fillRect(0, 0, 1, 1);
  return new Uint32Array(c.getImageData(0, 0, 1, 1).data.buffer)[0];
}

function connect(app) {
  const { room } = app;
  // Streamlit pales what waits for Python; the view already shows the new amount and waits for nothing
  app.parent.host?.closest("[data-testid=stElementContainer]")?.style.setProperty("opacity", "1", "important");
  room.take = (slot) => take(app, slot);
  bindControls(app);
  app.hear = (event) => hearShared(app, event.detail);
  document.addEventListener(SHARED, app.hear);
  app.resize = new ResizeObserver(() => invalidate(app, VIEW));
  app.resize.observe(app.panes.weights.canvas);
  app.resize.observe(app.charts.histogram.canvas);
  for (const slot of ["layer", "window", "state"]) take(app, slot);
  fillReadout(app.$(".readout"), null);
}

function disconnect(app) {
  app.resize.disconnect();
  document.removeEventListener(SHARED, app.hear);
  cancelAnimationFrame(app.request);
  for (const timer of [app.waiting, app.saying, app.asking]) clearTimeout(timer);
  app.room.take = null;
  const rooms = globalThis.pruningExplorerLiveMask;
  if (!app.room.parcels.size) rooms?.delete(app.name);
  APPS.delete(app.parent);
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const rooms = (globalThis.pruningExplorerLiveMask ??= new Map());
  let room = rooms.get(data.view);
  if (!room) rooms.set(data.view, (room = { parcels: new Map(), memory: {}, take: null }));
  let app = APPS.get(parentElement);
  if (app && (app.room !== room || !app.root.isConnected)) {
    disconnect(app);
    app = undefined;
  }
  if (!app) {
    app = makeApp(parentElement, room);
    app.name = data.view;
    APPS.set(parentElement, app);
    app.send = setStateValue;
    connect(app);
  }
  app.send = setStateValue;
  readTheme(app); // Streamlit calls again when the theme changes
  const generation = ++app.generation;
  return () => {
    if (generation === app.generation) disconnect(app);
  };
}
