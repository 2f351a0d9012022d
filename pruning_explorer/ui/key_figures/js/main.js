import { keepAmount } from "../../browser/js/amount.js";
import { component } from "../../browser/js/component.js";
import { listenTo, storeOf, unpack } from "../../browser/js/store.js";
import { addUp, figuresAt } from "./reading.js";
import { openHelp } from "./help.js";

// Five figures in a line: exact where the amount was measured, else read off what the page knows of other amounts.
const LABELS = {
  sparsity: "Sparsity",
  parameters: "Parameters",
  quality: "Quality",
  drift: "Drift, nats",
  macs: "Multiply-adds",
};
const OFF_CURVE = new Set(["quality", "drift"]);
const NAMES = Object.keys(LABELS);
const [UNKNOWN, REFUSED] = ["…", "–"];

function open(parent, { page }) {
  const root = parent.querySelector(".key-figures");
  const app = {
    root,
    page,
    store: storeOf(page),
    figures: {},
    moving: {},
    exact: null,
    measured: {},
    sums: null,
    curve: null,
  };
  for (const name of NAMES) {
    app.figures[name] = makeFigure(root, name);
    app.moving[name] = { value: null, below: "", read: true };
  }
  app.said = root.querySelector(".said");
  app.amount = keepAmount({ memory: {}, show: () => drawSoon(app) });
  app.deafen = listenTo(page, (kind) => take(app, kind));
  for (const kind of ["amount", "exact", "counts", "points"]) take(app, kind);
  return app;
}

function makeFigure(root, name) {
  const clone = (template) => root.querySelector(template).content.firstElementChild.cloneNode(true);
  const element = clone(".figure-template");
  element.dataset.figure = name;
  root.querySelector(".line").append(element);
  const part = (selector) => element.querySelector(selector);
  const figure = { element, label: part(".label"), number: part(".number"), below: part(".below") };
  Object.assign(figure, { about: part(".about"), source: part(".source") });
  figure.help = openHelp(part(".ask"), clone(".help-template"), name, OFF_CURVE.has(name));
  root.append(figure.help.element);
  nameFigure(figure, LABELS[name]);
  return figure;
}

function nameFigure(figure, label) {
  if (figure.label.textContent === label) return;
  figure.label.textContent = figure.label.title = label;
  figure.help.name(label);
}

function take(app, kind) {
  const message = app.store.messages.get(kind);
  if (kind === "amount" && message) {
    app.of = message.of;
    nameFigure(app.figures.quality, message.quality);
    app.amount.take(message);
  } else if (kind === "exact") takeExact(app, message ?? null);
  else if (kind === "points") app.curve = message ?? null;
  else if (kind === "counts") app.sums = message ? addUp(unpack(message.bytes)) : null;
  else if (kind !== "amount") return;
  drawSoon(app);
}

function takeExact(app, exact) {
  app.exact = exact;
  app.measured = {};
  for (const figure of exact?.figures ?? []) {
    app.measured[figure.name] = figure;
    nameFigure(app.figures[figure.name], figure.label);
    app.figures[figure.name].help.fill(exact.amount, figure.help, figure.links);
  }
}

// Once a frame, and for good once nothing more comes.
function drawSoon(app) {
  app.frame ||= requestAnimationFrame(() => {
    app.frame = 0;
    draw(app);
  });
}

function draw(app) {
  const { amount, exact, moving } = app;
  const known = Boolean(exact?.of) && exact.of === app.of;
  const here = known && Math.round(exact.amount * 1000) === amount.position;
  if (known && !here) figuresAt(amount.position, exact, ours(app, app.sums), ours(app, app.curve), moving);
  for (const name of NAMES) {
    const measured = known ? app.measured[name] : undefined;
    drawFigure(
      app.figures[name],
      here || measured?.absent ? measured : moving[name],
      known,
      OFF_CURVE.has(name),
      exact?.refused,
    );
  }
  if (here) sayOnce(app, exact);
}

function drawFigure(figure, { value, below, read }, known, offCurve, refused) {
  const about = Boolean(known && read && value !== null);
  write(figure.number, (known && value) || (refused ? REFUSED : UNKNOWN));
  write(figure.below, known ? below : "");
  hide(figure.about, !about);
  hide(figure.source, !(about && offCurve));
}

// What is of another recipe than the page is not shown; what does not say of which is of the page's.
const ours = (app, message) => (message && (message.of ?? app.of) === app.of ? message : null);

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function hide(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

// For a screen reader, where a new amount or recipe was measured; what the page opens with is read as it stands.
function sayOnce(app, exact) {
  const of = `${exact.of} ${exact.amount}`;
  if (app.saidOf && app.saidOf !== of)
    app.said.textContent = exact.figures
      .filter(({ absent }) => !absent)
      .map(({ label, value, below }) => `${label} ${value}, ${below}`)
      .join(". ");
  app.saidOf = of;
}

export default component({
  open,
  take: () => {},
  leave(app) {
    app.amount.leave();
    app.deafen();
    cancelAnimationFrame(app.frame);
  },
  fits: (app, { page }) => app.page === page && app.store === storeOf(page),
});
