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
 * What a curve says at a position, in words: "accuracy 90.6 %, 34 of 360 flip". Where it is read off between two
 * measured points each number has a sign for that.
 * @param curve {name, samples, planned, quality, agreement, flipped}, where the last three are of `measureOf`
 */
export function wordsAt(curve, position) {
  const judged = curve.quality.at.length ? curve.quality : curve.agreement;
  const value = valueAt(judged, position);
  const flipped = valueAt(curve.flipped, position);
  if (Number.isNaN(value) && Number.isNaN(flipped)) return curve.planned ? "not measured yet" : "";
  const about = isMeasured(Number.isNaN(value) ? curve.flipped : judged, position) ? "" : "≈ ";
  const says = [];
  if (!Number.isNaN(value)) says.push(`${judged === curve.quality ? curve.name : SAME} ${about}${percentOf(value)}`);
  if (!Number.isNaN(flipped)) says.push(`${about}${whole(flipped)} of ${whole(curve.samples)} flip`);
  return says.join(", ");
}

/** The drift there, "drift ≈ 0.0123 nats"; nothing where it is not known. */
export function driftAt({ kl }, position) {
  const value = valueAt(kl, position);
  if (Number.isNaN(value)) return "";
  return `drift ${isMeasured(kl, position) ? "" : "≈ "}${short(Math.max(0, value))} nats`;
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
