import { writeCount, writeDecimal, writePercent, writePoints, writeShortCount } from "./write.js";

// What the counts of layers and the points of the curve tell of an amount that was not measured.
const STOPS = 1001;

/**
 * The kept weights of all layers together at each position, from the list of layers' counts; `macs` are the theoretical
 * multiply-adds, null where none are counted.
 */
export function addUp({ header, kept, nonzero_kept: nonzero = kept }) {
  const { weights, macs, macs_dense: dense } = header;
  const all = weights.reduce((sum, size) => sum + size, 0);
  const uncounted = Boolean(header.uncounted?.length);
  const { of, exact } = header;
  const sums = { of, exact, all, uncounted, kept: new Float64Array(STOPS), nonzero: new Float64Array(STOPS) };
  sums.dense = dense ?? null;
  sums.macs = sums.dense === null ? null : new Float64Array(STOPS).fill(dense);
  for (let layer = 0; layer < weights.length; layer++)
    for (let at = 0; at < STOPS; at++) {
      const place = layer * STOPS + at;
      sums.kept[at] += kept[place];
      sums.nonzero[at] += nonzero[place];
      if (sums.macs && macs[layer]) sums.macs[at] -= macs[layer] * (1 - kept[place] / weights[layer]);
    }
  return sums;
}

/** Where an amount in [0, 1] lies among points that ascend: that of the first not below it, or how many there are. */
export function placeAmong(points, amount) {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].amount < amount - 1e-9) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a point was measured at that very amount and has a number of that name. */
export function isMeasuredAt(points, amount, name) {
  const point = points[placeAmong(points, amount)];
  return Boolean(point) && point.amount - amount < 1e-9 && (point[name] ?? null) !== null;
}

/** What a curve's points tell of an amount, on the line between its neighbours; null where one has no number. */
export function readOff(points, amount, name) {
  const place = placeAmong(points, amount);
  const right = points[place];
  if (!right) return null;
  const there = right[name] ?? null;
  if (there === null || right.amount - amount < 1e-9) return there;
  const left = points[place - 1];
  const before = left?.[name] ?? null;
  if (before === null) return null;
  return before + ((there - before) * (amount - left.amount)) / (right.amount - left.amount);
}

/**
 * Writes the figures of a position into `out`, by name {value, below, read}: null where nothing tells it yet, and `read`
 * where it is not exact.
 * @param exact what was measured at another amount of the same recipe
 * @param sums of `addUp`, null without
 * @param curve {points, dense_quality, samples}, null without
 */
export function figuresAt(position, exact, sums, curve, out) {
  const amount = position / 1000;
  const measured = Math.round(exact.amount * 1000);
  const read = !sums?.exact;
  const requested = exact.requested + exact.moving * (amount - exact.amount);
  const below = `requested ${writePercent(Math.min(1, Math.max(0, requested)))}`;
  put(out.sparsity, sums && writePercent(1 - sums.kept[position] / sums.all), below, read);
  const counted = sums && (exact.nonzero ? sums.nonzero : sums.kept);
  const left = counted && exact.left + counted[position] - counted[measured];
  put(out.parameters, counted && writeShortCount(left), writePercent(left / exact.parameters - 1), read);
  const macs = sums?.macs?.[position] ?? null;
  const saved = macs === null ? "" : sums.dense ? writePercent(macs / sums.dense - 1) : "none";
  const part = sums?.uncounted ? " of the counted" : ", theoretical";
  put(out.macs, macs === null ? null : writeShortCount(macs), `${saved}${part}`, read);
  const points = curve?.points ?? [];
  const quality = readOff(points, amount, "quality");
  const dense = curve?.dense_quality ?? null;
  const change = quality === null || dense === null ? "" : writePoints(quality - dense);
  const estimated = (name) => !isMeasuredAt(points, amount, name);
  put(out.quality, quality === null ? null : writePercent(quality), change, estimated("quality"));
  const kl = readOff(points, amount, "kl");
  const flipped = readOff(points, amount, "flipped");
  const flips = flipped === null ? NaN : Math.round(flipped);
  const flipping = `${estimated("flipped") ? "≈ " : ""}${writeCount(flips)} of ${writeCount(exact.samples)} flip`;
  put(out.drift, kl === null ? null : writeDecimal(kl), flipping, estimated("kl"));
  return out;
}

function put(figure, value, below, read) {
  figure.value = value;
  figure.below = value === null ? "" : below;
  figure.read = read;
}
