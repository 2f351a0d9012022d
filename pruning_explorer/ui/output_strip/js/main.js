import { keepAmount } from "../../browser/js/amount.js";
import { component } from "../../browser/js/component.js";
import { listenTo, storeOf, unpack } from "../../browser/js/store.js";
import { followTheme } from "../../browser/js/theme.js";
import { flippedFirst, flips, flipsOf, nearest, widthFor } from "./model.js";

// A row of cards: exact where the amount was measured, else who flips at the nearest point of the curve.
const CARDS = 24;
const NOT_YET = "let go to see";

function open(parent, { page }) {
  const root = parent.querySelector(".output-strip");
  const app = { root, page, store: storeOf(page), inputs: null, answers: null, points: [], shown: null };
  app.part = (name) => root.querySelector(`.${name}`);
  app.cards = Array.from({ length: CARDS }, () => makeCard(root));
  app.amount = keepAmount({ memory: {}, show: () => drawSoon(app) });
  app.deafen = listenTo(page, (kind) => hear(app, kind));
  for (const kind of ["amount", "inputs", "answers", "points"]) hear(app, kind);
  app.part("all").onclick = () => openTab(app.tab);
  return app;
}

function makeCard(root) {
  const element = root.querySelector("template").content.firstElementChild.cloneNode(true);
  root.querySelector(".cards").append(element);
  const canvas = element.querySelector("canvas");
  const card = { element, canvas, context: canvas.getContext("2d"), sample: -1 };
  for (const name of ["input", "dense", "pruned", "true", "sure", "answer"])
    card[name] = element.querySelector(`.${name}`);
  return card;
}

function hear(app, kind) {
  const message = app.store.messages.get(kind);
  if (kind === "amount" && message) {
    app.of = message.of;
    app.amount.take(message);
  } else if (kind === "inputs") takeInputs(app, message ? unpack(message.bytes) : null);
  else if (kind === "answers") app.answers = message ?? null;
  else if (kind === "points") app.points = message && (message.of ?? app.of) === app.of ? flipsOf(message.points) : [];
  else if (kind !== "amount") return;
  app.shown = null;
  drawSoon(app);
}

function takeInputs(app, inputs) {
  app.inputs = inputs;
  if (!inputs) return;
  const { header } = inputs;
  const width = widthFor(header);
  app.root.classList.toggle("wide", width !== null);
  app.root.style.setProperty("--card", `${width}px`);
  app.picture = header.pictures ? new ImageData(header.cols, header.rows) : null;
  for (const card of app.cards) {
    card.sample = -1;
    card.canvas.hidden = !app.picture;
    card.input.hidden = !header.inputs;
    Object.assign(card.canvas, { width: header.cols || 1, height: header.rows || 1 });
  }
}

function drawSoon(app) {
  app.frame ||= requestAnimationFrame(() => {
    app.frame = 0;
    draw(app);
  });
}

// What is shown changes where the amount is measured, and from one point of the curve to the next.
function draw(app) {
  const { answers, inputs, points, root } = app;
  const known = answers?.of === app.of && answers?.subject === inputs?.header.subject ? answers : null;
  const { position } = app.amount;
  const here = known && Math.round(known.amount * 1000) === position;
  const place = !known || here ? -1 : nearest(points, position / 1000);
  const shown = here ? "exact" : known && place >= 0 ? place : "nothing";
  if (shown === app.shown) return;
  app.shown = shown;
  root.classList.toggle("pale", !here && place < 0);
  if (here) {
    title(app, `${count(known.flipped)} of ${count(known.samples)} answers flip`);
    known.order.slice(0, CARDS).forEach((sample, i) => {
      fill(app, app.cards[i], sample, known.answers[i], known.answers[i].flipped);
    });
    hideFrom(app, Math.min(CARDS, known.order.length));
  } else if (place >= 0) {
    const { amount, flipped, bits } = points[place];
    title(app, `≈ ${count(flipped)} of ${count(known.samples)} flip, read off at ${(amount * 100).toFixed(1)} %`);
    const order = flippedFirst(known.order, bits, CARDS);
    order.forEach((sample, i) => {
      const flip = flips(bits, sample);
      fill(app, app.cards[i], sample, flip ? null : { answer: inputs.header.dense[sample], probability: "" }, flip);
    });
    hideFrom(app, order.length);
  } else title(app, known ? `Sample outputs: ${NOT_YET}` : "Sample outputs");
}

const count = (number) => (number === null || number === undefined ? "–" : number.toLocaleString("en-US"));

function title(app, words) {
  app.part("title").textContent = words;
}

function hideFrom(app, first) {
  app.cards.forEach(({ element }, i) => (element.hidden = i >= first));
}

function fill(app, card, sample, answer, flipped) {
  const { header } = app.inputs;
  card.element.classList.toggle("flipped", flipped);
  write(card.pruned, answer?.answer ?? "?");
  write(card.sure, answer?.probability ?? "");
  if (card.sample !== sample) {
    card.sample = sample;
    write(card.dense, header.dense[sample]);
    write(card.true, header.true ? `true ${header.true[sample]}` : "");
    if (header.inputs) write(card.input, header.inputs[sample]);
    paint(app, card, sample);
  }
  card.element.title = `sample ${sample}: ${card.answer.textContent}`;
}

function paint({ inputs, picture }, { canvas, context }, sample) {
  if (!picture) return;
  canvas.setAttribute("aria-label", `picture of sample ${sample}`);
  const { rows, cols, pictures } = inputs.header;
  if (sample >= pictures) {
    context.clearRect(0, 0, cols, rows);
    return;
  }
  const pixels = new Uint32Array(picture.data.buffer);
  const from = sample * rows * cols;
  for (let i = 0; i < pixels.length; i++) pixels[i] = 0xff000000 | (inputs.pixels[from + i] * 0x010101);
  context.putImageData(picture, 0, 0);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A tab of the page around, which Streamlit draws.
function openTab(label) {
  const tab = [...document.querySelectorAll("[role=tab]")].find((each) => each.textContent.trim() === label);
  if (!tab) return;
  tab.click();
  tab.focus({ preventScroll: true });
  tab.scrollIntoView({
    block: "start",
    behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth",
  });
}

function take(app, { missing, tab }) {
  followTheme(app.root);
  app.tab = tab;
  app.root.classList.toggle("bare", Boolean(missing));
  for (const name of ["head", "cards"]) app.part(name).hidden = Boolean(missing);
  write(app.part("missing"), missing);
  app.part("missing").title = missing;
  app.part("missing").hidden = !missing;
}

export default component({
  open,
  take,
  leave(app) {
    app.amount.leave();
    app.deafen();
    cancelAnimationFrame(app.frame);
  },
  fits: (app, { page }) => app.page === page && app.store === storeOf(page),
});
