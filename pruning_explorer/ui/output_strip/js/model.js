// Which samples the strip shows where its amount was not measured: those that flip at the nearest point of the curve.

/** Points of a curve that tell which samples flip: {amount, flipped, bits}; a sample's bit is the lowest of a byte first. */
export function flipsOf(points) {
  const telling = points.filter(({ flips }) => typeof flips === "string");
  return telling.map(({ amount, flipped, flips }) => ({ amount, flipped, bits: atob(flips) }));
}

/** The place of the nearest of some points, which ascend; -1 where there is none. */
export function nearest(points, amount) {
  let best = -1;
  for (let at = 0; at < points.length; at++)
    if (best < 0 || Math.abs(points[at].amount - amount) < Math.abs(points[best].amount - amount)) best = at;
  return best;
}

export const flips = (bits, sample) => ((bits.charCodeAt(sample >> 3) >> (sample & 7)) & 1) === 1;

/** The first `most` of an order once those that flip come first; both parts keep to it. */
export function flippedFirst(order, bits, most) {
  const first = order.filter((sample) => flips(bits, sample)).slice(0, most);
  const rest = order.filter((sample) => !flips(bits, sample));
  return [...first, ...rest.slice(0, most - first.length)];
}

/** Width in pixels of a card whose answers are too long to stand below a picture; null where they are not. */
export function widthFor({ dense, true: right, inputs, pictures }) {
  const longest = [...dense, ...(right ?? []), ...(inputs ?? [])].reduce(
    (most, { length }) => Math.max(most, length),
    0,
  );
  if (inputs === null && longest <= 3) return null;
  return (pictures ? 56 : 0) + Math.min(176, Math.max(116, longest * 9 + 36));
}
