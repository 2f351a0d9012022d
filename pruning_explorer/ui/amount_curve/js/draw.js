import { LAST_POSITION } from "../../browser/js/amount.js";
import { SAME, bandBetween, crossing, dotsAt, judgedOf, lineThrough, measureOf } from "./read.js";

// What does not follow a hand: drawn where points come.
const SVG = "http://www.w3.org/2000/svg";
const FEW = 30; // points, up to which each is shown
const MEASURES = ["quality", "agreement", "flipped", "kl", "low", "high"];
const DASHES = { solid: "none", dash: "9 5", dot: "2 5", dashdot: "9 4 2 4" };
const LOW = 0.24; // of the height, below which there is no room under a line
const LETTERS_AT = [0.8, 0.62, 0.44, 0.26]; // of the first value: at each a letter, so that no two meet

/** What Python says of its curves, with each measure by its name; of several each has a letter. */
export function toCurves(message) {
  return (message.curves ?? [message]).map((each) => {
    const { points, letter = "", colour = "", dash = "solid" } = each;
    const { quality_name, dense_quality, samples, done, mark = null } = message;
    const curve = { letter, colour, dash, name: quality_name, dense: dense_quality, samples, done, mark };
    for (const name of MEASURES) curve[name] = measureOf(points, name);
    return curve;
  });
}

/** Draws curves, and makes the dots at which a hand's place meets them; nothing but the plain track without any. */
export function drawCurves(app, curves) {
  for (const place of [app.lines, app.names, app.dots]) place.replaceChildren();
  app.met = [];
  if (!curves.length) return;
  const [first] = curves;
  if (first.dense !== null) {
    line(app, "dense", `M0 ${100 - 100 * first.dense}H1000`);
    label(app, "dense", first.dense, `dense ${(100 * first.dense).toFixed(1)} %`);
  }
  if (!first.letter) return drawTheOne(app, first);
  label(app, "what", judgedOf(first).values[0], first.quality.at.length ? first.name : SAME);
  curves.forEach((curve, i) => drawOneOfSeveral(app, curve, i));
}

function drawTheOne(app, curve) {
  const { quality, agreement, mark } = curve;
  line(app, "band", bandBetween(curve.low, curve.high));
  const judged = quality.at.length > 0;
  if (judged) {
    measure(app, quality, "quality");
    label(app, "quality", quality.values[0], curve.name);
  }
  if (agreement.at.length) {
    measure(app, agreement, "agreement"); // the dotted one over the other
    label(app, judged ? "agreement" : "quality", agreement.values[0], SAME);
  }
  if (mark) app.names.append(flag("mark", mark.amount * LAST_POSITION, mark.words, mark.exact ? "" : "provisional"));
}

function drawOneOfSeveral(app, curve, i) {
  const judged = judgedOf(curve);
  if (!judged.at.length) return;
  const style = { "--quality": curve.colour, "--dash": DASHES[curve.dash] };
  measure(app, judged, "recipe", style);
  const { position, value } = crossing(judged, judged.values[0] * LETTERS_AT[i]);
  const chip = sheet("letter", position / 10, 100 - 100 * value);
  chip.append(chipOf(curve.letter, curve.colour));
  app.names.append(chip);
}

/** Where each recipe stands, while they differ. */
export function drawOwn(app, own) {
  app.owns.replaceChildren(
    ...own.map(([letter, colour, amount]) => {
      const mark = flag("own", amount * LAST_POSITION, letter);
      mark.style.setProperty("--quality", colour);
      return mark;
    }),
  );
}

function measure(app, each, kind, style = {}) {
  line(app, kind, lineThrough(each), style);
  if (each.at.length <= FEW) line(app, `${kind} dots`, dotsAt(each), style);
  const dot = sheet(`dot ${kind}`, 0, 0);
  for (const [name, value] of Object.entries(style)) dot.style.setProperty(name, value);
  app.dots.prepend(dot); // the first over the others
  app.met.push({ dot, measure: each });
}

function line(app, kind, path, style = {}) {
  const element = document.createElementNS(SVG, "path");
  element.setAttribute("class", kind);
  element.setAttribute("d", path);
  element.setAttribute("vector-effect", "non-scaling-stroke");
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  app.lines.append(element);
}

// A sheet as large as the plot, shifted by a transform, which is no shift of the layout.
function sheet(kind, across, down) {
  const element = document.createElement("div");
  element.className = `sheet ${kind}`;
  element.style.transform = `translate(${across}%, ${down}%)`;
  return element;
}

function chipOf(letter, colour) {
  const chip = Object.assign(document.createElement("span"), { className: "chip", textContent: letter });
  chip.style.setProperty("--quality", colour);
  return chip;
}

function label(app, kind, value, text) {
  const element = sheet(`name ${kind}${value < LOW ? " over" : ""}`, 0, 100 - 100 * value);
  element.append(Object.assign(document.createElement("span"), { textContent: text }));
  app.names.append(element);
}

// A mark on the track whose words one can click.
function flag(kind, position, words, more = "") {
  const element = sheet(`${kind} ${position < LAST_POSITION / 2 ? "left" : "right"} ${more}`, position / 10, 0);
  element.append(Object.assign(document.createElement("span"), { className: "flag", textContent: words }));
  element.firstChild.dataset.position = String(Math.round(position));
  return element;
}
