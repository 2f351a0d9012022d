import { LAST_POSITION } from "../../browser/js/amount.js";
import { short, whole } from "../../browser/js/numbers.js";

// What a curve says at a position, between its measured points too.
export const SAME = "same answer as dense"; // of two networks, where nothing says which is right

/** One measure of points, {amount, ...} ascending: positions at which it is known, and its values there. */
export function measureOf(points, name) {
  const known = points.filter((point) => Number.isFinite(point[name]));
  return {
    name,
    at: Float64Array.from(known, (point) => point.amount * LAST_POSITION),
    values: Float64Array.from(known, (point) => point[name]),
  };
}

// The first measured point at or beyond a position.
function firstFrom(at, position) {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle] < position - CLOSE) low = middle + 1;
    else high = middle;
  }
  return low;
}

const CLOSE = 1e-6; // an amount is a fraction that was multiplied

/** Whether the measure was taken at that very position. */
export function isMeasured({ at }, position) {
  const i = firstFrom(at, position);
  return i < at.length && at[i] <= position + CLOSE;
}

/** The value at a position, on the straight line between its neighbours; NaN where it has none on one side. */
export function valueAt({ at, values }, position) {
  const i = firstFrom(at, position);
  if (i === at.length) return NaN;
  if (at[i] <= position + CLOSE) return values[i];
  if (i === 0) return NaN;
  return values[i - 1] + ((values[i] - values[i - 1]) * (position - at[i - 1])) / (at[i] - at[i - 1]);
}

/** Where a measure first falls to a value: {position, value}; its end where it never does. */
export function crossing({ at, values }, value) {
  const i = values.findIndex((each) => each <= value);
  if (i < 0) return { position: at.at(-1), value: values.at(-1) };
  if (i === 0) return { position: at[0], value: values[0] };
  const share = (values[i - 1] - value) / (values[i - 1] - values[i]);
  return { position: at[i - 1] + share * (at[i] - at[i - 1]), value };
}

/** What a curve is judged by: its quality, or where nothing judges it how often its answers stay. */
export const judgedOf = ({ quality, agreement }) => (quality.at.length ? quality : agreement);

/** A fraction as percent; only all is written 100.0 %, only none 0.0 %. */
export function percentOf(fraction) {
  const text = (100 * fraction).toFixed(1);
  if (text === "100.0" && fraction < 1 - 1e-12) return ">99.9 %";
  if (text === "0.0" && fraction > 0) return "<0.1 %";
  return `${text} %`;
}

/** A position as percent. */
export const amountText = (position) => `${(position / 10).toFixed(1)} %`;

/**
 * What curves say at a position, in words: "accuracy 90.6 %, 34 of 360 flip", or of several "accuracy A 90.6 %, B 88 %".
 * Where it is read off between two measured points each number has a sign for that.
 * @param curves each {letter, name, samples, done, quality, agreement, flipped}, the last three of `measureOf`
 */
export function wordsAt(curves, position) {
  const known = curves.filter((curve) => !Number.isNaN(valueAt(judgedOf(curve), position)));
  const [first] = curves;
  if (!known.length && (first.letter || Number.isNaN(valueAt(first.flipped, position))))
    return first.done ? "not measured" : "not measured yet";
  const what = first.quality.at.length ? first.name : SAME;
  if (first.letter) return `${what} ${known.map((curve) => `${curve.letter} ${read(curve, position)}`).join(", ")}`;
  const says = known.length ? [`${what} ${read(first, position)}`] : [];
  const flipped = valueAt(first.flipped, position);
  if (!Number.isNaN(flipped))
    says.push(`${about(first.flipped, position)}${whole(flipped)} of ${whole(first.samples)} flip`);
  return says.join(", ");
}

const about = (measure, position) => (isMeasured(measure, position) ? "" : "≈ ");

function read(curve, position) {
  const judged = judgedOf(curve);
  return `${about(judged, position)}${percentOf(valueAt(judged, position))}`;
}

/** The drift there, "drift ≈ 0.0123 nats"; nothing where it is not known. */
export function driftAt({ kl }, position) {
  const value = valueAt(kl, position);
  if (Number.isNaN(value)) return "";
  return `drift ${about(kl, position)}${short(Math.max(0, value))} nats`;
}

const level = (value) => (100 - 100 * value).toFixed(3);

/** A line through a measure's points as SVG draws it, 1000 wide and 100 high. */
export function lineThrough({ at, values }) {
  return Array.from(at, (x, i) => `${i ? "L" : "M"}${x.toFixed(2)} ${level(values[i])}`).join("");
}

/** Dots at a measure's points: strokes of no length with round ends. */
export function dotsAt({ at, values }) {
  return Array.from(at, (x, i) => `M${x.toFixed(2)} ${level(values[i])}h0`).join("");
}

/** The band between two measures of the same points. */
export function bandBetween(low, high) {
  if (!low.at.length || low.at.length !== high.at.length) return "";
  const back = Array.from(low.at, (_, i) => low.at.length - 1 - i);
  return `${lineThrough(high)}${back.map((i) => `L${low.at[i].toFixed(2)} ${level(low.values[i])}`).join("")}Z`;
}
