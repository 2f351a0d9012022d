import { LAST_POSITION, followAmount } from "../../browser/js/amount.js";
import { bindBox, writeBox } from "../../browser/js/amount_box.js";
import { component } from "../../browser/js/component.js";
import { listenTo, storeOf } from "../../browser/js/store.js";
import { followTheme } from "../../browser/js/theme.js";
import { drawCurves, drawOwn, toCurves } from "./draw.js";
import { bindHands } from "./hands.js";
import { amountText, driftAt, valueAt, wordsAt } from "./read.js";

// The amount's one control: a track with the curve of what it costs over it, and a box to type in. Of several recipes
// each has a curve, and while their amounts differ there is no handle but a mark for each.
const STAND = 1; // the amount moved
const CURVE = 2; // points came
const POINTER = 4; // one points elsewhere

function open(parent, { view, page }) {
  const root = parent.querySelector(".amount-curve");
  const $ = (selector) => root.querySelector(selector);
  const store = storeOf(view);
  const app = {
    root,
    view,
    page,
    store,
    plot: $(".plot"),
    area: $(".area"),
    lines: $(".lines g"),
    names: $(".names"),
    stand: $(".stand"),
    dots: $(".dots"),
    owns: $(".owns"),
    hover: $(".hover"),
    box: $(".box"),
    problem: $(".problem"),
    texts: { amount: $(".amount"), words: $(".words"), note: $(".note"), hover: $(".hover span") },
    typing: false,
    curves: [],
    met: [], // each dot with the measure that it is on
    own: [],
    marks: [],
    note: "",
    coming: null,
    pointed: null,
    stale: 0,
    request: 0,
  };
  // followAmount hears of a hand as from an input
  app.slider = {
    value: "0",
    get valueAsNumber() {
      return Number(this.value);
    },
  };
  app.amount = followAmount(app.slider, {
    memory: store.memory, // outlives a remount
    show: () => invalidate(app, STAND),
    send: (release) => app.send("release", release),
    held: () => app.typing,
  });
  app.point = (position) => {
    if (position === app.pointed) return;
    app.pointed = position;
    invalidate(app, POINTER);
  };
  bindBox(app);
  bindHands(app);
  const deafen = [
    listenTo(view, (kind) => kind === "state" && takeState(app)),
    listenTo(page, (kind) => kind === "points" && takePoints(app)),
  ];
  app.deafen = () => deafen.forEach((end) => end());
  // the last 512 frames' times in ms, for the benchmark
  root.frames = { times: new Float32Array(512), count: 0 };
  takePoints(app);
  takeState(app);
  return app;
}

function takeState(app) {
  const told = app.store.messages.get("state");
  if (!told) return;
  app.plot.setAttribute("aria-label", told.label);
  app.box.setAttribute("aria-label", told.exact);
  app.note = told.note;
  app.own = told.own;
  drawOwn(app, told.own);
  takeMarks(app);
  app.amount.take(told);
  app.root.dataset.told = told.amount === null ? "" : (100 * told.amount).toFixed(1);
  invalidate(app, STAND);
}

function takeMarks(app) {
  const amounts = app.own.map(([, , amount]) => amount);
  const mark = app.curves[0]?.mark;
  if (mark) amounts.push(mark.amount);
  app.marks = amounts.map((amount) => Math.round(amount * LAST_POSITION));
}

function takePoints(app) {
  const message = storeOf(app.page).messages.get("points");
  app.curves = message ? toCurves(message).filter((curve) => curve.kl.at.length || curve.agreement.at.length) : [];
  takeMarks(app);
  app.coming = message?.note ?? null;
  app.root.dataset.measured = message ? `${message.measured} of ${message.planned}` : "";
  invalidate(app, CURVE | STAND);
}

function invalidate(app, what) {
  app.stale |= what;
  app.request ||= requestAnimationFrame(() => drawFrame(app));
}

function drawFrame(app) {
  const began = performance.now();
  const { stale } = app;
  app.request = app.stale = 0;
  if (stale & CURVE) drawCurves(app, app.curves);
  if (stale & STAND && app.amount.told) drawStand(app);
  if (stale & (POINTER | CURVE)) drawHover(app);
  if (stale & STAND) app.root.frames.times[app.root.frames.count++ & 511] = performance.now() - began;
}

function drawStand(app) {
  const { curves, plot, texts } = app;
  const { position } = app.amount;
  app.root.classList.toggle("apart", position === null);
  write(texts.note, curves.length ? "" : (app.coming ?? app.note));
  writeBox(app);
  if (position === null) {
    const own = app.own.map(([letter, , amount]) => `${letter} ${amountText(amount * LAST_POSITION)}`).join(", ");
    say(app, app.marks[0], "Each its own", own, "");
    return;
  }
  app.stand.style.transform = `translateX(${position / 10}%)`;
  plot.style.setProperty("--done", position / LAST_POSITION);
  for (const { dot, measure } of app.met) {
    const value = valueAt(measure, position);
    dot.style.transform = `translate(${position / 10}%, ${Number.isNaN(value) ? 300 : 100 - 100 * value}%)`;
  }
  const words = curves.length ? wordsAt(curves, position) : "";
  say(app, position, amountText(position), words, curves.length === 1 ? driftAt(curves[0], position) : "");
}

function say({ plot, texts }, position, amount, words, drift) {
  plot.setAttribute("aria-valuenow", position / 10);
  plot.setAttribute("aria-valuetext", words ? `${amount}: ${words}` : amount);
  write(texts.amount, amount);
  write(texts.words, drift ? `${words}, ${drift}` : words);
}

function drawHover(app) {
  const { pointed } = app;
  app.hover.classList.toggle("on", pointed !== null);
  if (pointed === null) return;
  app.hover.style.transform = `translateX(${pointed / 10}%)`;
  app.hover.classList.toggle("left", pointed > LAST_POSITION / 2);
  const words = app.curves.length ? wordsAt(app.curves, pointed) : "";
  write(app.texts.hover, words ? `${amountText(pointed)}: ${words}` : amountText(pointed));
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function leave(app) {
  app.amount.leave();
  cancelAnimationFrame(app.request);
  app.deafen();
}

export default component({
  open,
  take: (app) => followTheme(app.root),
  leave,
  fits: (app, { view, page }) => app.view === view && app.page === page && app.store === storeOf(view),
});
