import { SAME, bandBetween, dotsAt, lineThrough, measureOf } from "./read.js";

// The lines that do not follow a hand: drawn where points come.
const SVG = "http://www.w3.org/2000/svg";
const FEW = 30; // points, up to which each is shown
const MEASURES = ["quality", "agreement", "flipped", "kl", "low", "high"];
const LINES = ["quality", "agreement"]; // the dotted one over the other
const LOW = 0.24; // of the height, below which there is no room under a line

/** What Python says of a curve, with each measure by its name. */
export function toCurve(message) {
  const { points } = message;
  const curve = { name: message.quality_name, dense: message.dense_quality, samples: message.samples };
  Object.assign(curve, { planned: message.planned, mark: message.mark, few: points.length <= FEW });
  for (const name of MEASURES) curve[name] = measureOf(points, name);
  return curve;
}

/** Draws a curve; nothing but the plain track where it is null. */
export function drawCurve(app, curve) {
  app.lines.replaceChildren();
  app.names.replaceChildren();
  app.marks = curve?.mark ? [Math.round(curve.mark.amount * 1000)] : [];
  if (!curve) return;
  line(app, "band", bandBetween(curve.low, curve.high));
  if (curve.dense !== null) {
    line(app, "dense", `M0 ${100 - 100 * curve.dense}H1000`);
    label(app, "dense", curve.dense, `dense ${(100 * curve.dense).toFixed(1)} %`);
  }
  const judged = curve.quality.at.length > 0;
  for (const each of LINES) {
    const measure = curve[each];
    if (!measure.at.length) continue;
    line(app, each, lineThrough(measure));
    if (curve.few) line(app, `${each} dots`, dotsAt(measure));
    if (each === "quality") label(app, each, measure.values[0], curve.name);
    else label(app, judged ? each : "quality", measure.values[0], SAME);
  }
  if (curve.mark) flag(app, curve.mark);
}

function line(app, kind, path) {
  const element = document.createElementNS(SVG, "path");
  element.setAttribute("class", kind);
  element.setAttribute("d", path);
  element.setAttribute("vector-effect", "non-scaling-stroke");
  app.lines.append(element);
}

// A sheet as large as the plot, shifted by a transform, which is no shift of the layout.
function sheet(kind, across, down) {
  const element = document.createElement("div");
  element.className = `sheet ${kind}`;
  element.style.transform = `translate(${across}%, ${down}%)`;
  return element;
}

function label(app, kind, value, text) {
  const element = sheet(`name ${kind}${value < LOW ? " over" : ""}`, 0, 100 - 100 * value);
  element.append(Object.assign(document.createElement("span"), { textContent: text }));
  app.names.append(element);
}

function flag(app, { amount, words, exact }) {
  const element = sheet(`mark ${amount < 0.5 ? "left" : "right"}`, 100 * amount, 0);
  element.append(Object.assign(document.createElement("span"), { className: "flag", textContent: words }));
  element.firstChild.dataset.mark = "0";
  element.classList.toggle("provisional", !exact);
  app.names.append(element);
}
