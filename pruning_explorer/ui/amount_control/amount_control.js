// A slider and a box for one amount. Which of the two a hand moves, and how quickly, Python need not know: it hears of
// the amount where a move ends, with a number that grows, and answers with the number of the last move that it has taken.
const KEY_PAUSE = 250; // ms without a key before Python hears of the new amount
const SHARED = "pruning-explorer-amount"; // the event by which controls of one amount move along with each other
const APPS = new WeakMap();
const KEYS = { ArrowUp: 1, ArrowDown: -1, PageUp: 100, PageDown: -100 }; // in the box, in steps

function makeApp(parent) {
  const root = parent.querySelector(".amount-control");
  const $ = (selector) => root.querySelector(selector);
  const app = {
    parent, root, slider: $(".slider"), box: $(".box"), problem: $(".problem"),
    position: 0, // in steps of 0.1 %
    released: null, // what Python has, as far as one knows here
    revision: 0, told: null, dragging: false, byKey: false, waiting: 0, typing: false, send: null, generation: 0,
  };
  bind(app);
  app.hear = (event) => hear(app, event.detail);
  document.addEventListener(SHARED, app.hear);
  // Streamlit pales what waits for Python; this waits for nothing
  parent.host?.closest("[data-testid=stElementContainer]")?.style.setProperty("opacity", "1", "important");
  return app;
}

function bind(app) {
  const { slider, box } = app;
  // handlers in braces: one that returns false would cancel its event
  slider.onpointerdown = () => {
    app.dragging = true;
    app.byKey = false;
  };
  slider.onkeydown = () => {
    app.byKey = true;
  };
  slider.oninput = () => {
    handMovesTo(app, Math.round(slider.valueAsNumber * 10));
    if (!app.dragging) releaseSoon(app);
  };
  slider.onchange = () => {
    handMovesTo(app, Math.round(slider.valueAsNumber * 10));
    if (app.byKey) releaseSoon(app);
    else letGo(app);
  };
  // after the change event, which some browsers fire later than pointerup
  slider.onpointerup = slider.onpointercancel = () => {
    setTimeout(() => app.dragging && letGo(app), 60);
  };
  slider.onblur = () => {
    if (app.waiting) release(app);
  };
  box.oninput = () => {
    app.typing = true;
    tellProblem(app, "");
  };
  box.onkeydown = (event) => {
    if (event.key === "Enter") {
      if (readBox(app)) release(app);
    } else if (event.key === "Escape") {
      leaveBox(app);
    } else if (KEYS[event.key] && readBox(app)) {
      event.preventDefault();
      handMovesTo(app, app.position + KEYS[event.key]);
      releaseSoon(app);
    }
  };
  box.onblur = () => {
    if ((app.typing || app.waiting) && readBox(app)) release(app);
  };
}

function letGo(app) {
  app.dragging = false;
  release(app);
}

// Takes what is typed; false where it is no amount: then nothing changes, and the text stays to be mended.
function readBox(app) {
  if (!app.typing) return true;
  const text = app.box.value.trim().replace(",", ".").replace(/\s*%$/, "");
  const percent = text === "" ? NaN : Number(text);
  if (!(percent >= 0 && percent <= 100)) {
    const shown = text === "" ? "Nothing is" : Number.isNaN(percent) ? `“${text.slice(0, 20)}” is no number and not` : `${percent} is not`;
    tellProblem(app, `${shown} between 0 and 100. The amount is still ${app.slider.value} %.`);
    return false;
  }
  app.typing = false;
  handMovesTo(app, Math.round(percent * 10));
  return true;
}

function leaveBox(app) {
  app.typing = false;
  tellProblem(app, "");
  write(app);
}

function tellProblem(app, words) {
  app.problem.textContent = words;
  app.problem.hidden = !words;
  app.box.setAttribute("aria-invalid", String(Boolean(words)));
}

function handMovesTo(app, position) {
  moveTo(app, position);
  share(app, null);
}

function share(app, revision) {
  const detail = { group: app.told.group, position: app.position, revision, from: app };
  document.dispatchEvent(new CustomEvent(SHARED, { detail }));
}

// A hand is at another control of the same amount.
function hear(app, { group, position, revision, from }) {
  if (from === app || group !== app.told?.group || app.dragging || app.typing) return;
  moveTo(app, position);
  if (revision) Object.assign(app, { revision, released: position });
}

function moveTo(app, position) {
  app.position = Math.min(1000, Math.max(0, position));
  tellProblem(app, "");
  write(app);
}

function write(app) {
  const text = (app.position / 10).toFixed(1);
  if (Number(app.slider.value) !== app.position / 10) app.slider.value = String(app.position / 10);
  app.slider.style.setProperty("--done", `${app.position / 10}%`);
  app.slider.setAttribute("aria-valuetext", `${text} percent`);
  if (!app.typing) app.box.value = text;
  app.box.setAttribute("aria-valuenow", text);
}

function releaseSoon(app) {
  clearTimeout(app.waiting);
  app.waiting = setTimeout(() => release(app), KEY_PAUSE);
}

function release(app) {
  clearTimeout(app.waiting);
  app.waiting = 0;
  if (app.released === app.position) {
    take(app); // what Python said meanwhile
    return;
  }
  app.released = app.position;
  // the time of day: it still grows after this was away and came back, and from one control to another
  app.revision = Math.max(Date.now(), app.revision + 1);
  app.send("release", { amount: app.position / 10, revision: app.revision });
  share(app, app.revision);
}

// What Python says counts, unless it has not heard of the last move yet, or a hand is at it.
function take(app) {
  const { amount, revision } = app.told;
  if (revision < app.revision || app.dragging || app.waiting || app.typing) return;
  app.revision = revision;
  app.released = Math.round(amount * 10);
  if (app.position !== app.released || !app.box.value) moveTo(app, app.released);
}

function leave(app) {
  clearTimeout(app.waiting);
  document.removeEventListener(SHARED, app.hear);
  APPS.delete(app.parent);
}

export default function ({ data, parentElement, setStateValue }) {
  let app = APPS.get(parentElement);
  if (app && !app.root.isConnected) {
    leave(app);
    app = undefined;
  }
  if (!app) APPS.set(parentElement, (app = makeApp(parentElement)));
  app.send = setStateValue;
  app.told = data;
  app.slider.setAttribute("aria-label", data.label);
  app.box.setAttribute("aria-label", data.exact);
  take(app);
  const generation = ++app.generation;
  return () => {
    if (generation === app.generation) leave(app);
  };
}
