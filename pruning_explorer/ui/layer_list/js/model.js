// What the list shows of each layer at a position of the slider.
export const POSITIONS = 1001;
export const ROW = 44; // height of a row in pixels

const [SMALLEST, LARGEST] = [18, 38]; // sides of a small picture in pixels
const SHORTEST = 8; // percent of the width, so that a bar is always seen

/** Of each layer the side of its picture in pixels, by the root of its weights, and the length of its bar in percent. */
export function sizes(weights) {
  const largest = Math.max(...weights);
  return weights.map((size) => ({
    side: Math.round(SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(size / largest)),
    length: SHORTEST + (100 - SHORTEST) * (size / largest),
  }));
}

/** Kept fraction of a layer; its text, which says so where nothing is left. */
export function keptAt(counts, layer, position) {
  const kept = counts.kept[layer * POSITIONS + position];
  const all = counts.header.weights[layer];
  return { share: kept / all, kept, all, empty: kept === 0, text: kept === 0 ? "⚠ empty" : percent(1 - kept / all) };
}

/** Weights kept of all layers together, and all of them. */
export function totalAt(counts, position) {
  const { weights } = counts.header;
  let kept = 0;
  for (let layer = 0; layer < weights.length; layer++) kept += counts.kept[layer * POSITIONS + position];
  return { kept, all: weights.reduce((sum, each) => sum + each, 0) };
}

// Never "100 %" while something is left, never "0 %" while something is gone.
function percent(removed) {
  const text = (removed * 100).toFixed(1);
  if (text === "100.0" && removed < 1) return "> 99.9 %";
  if (text === "0.0" && removed > 0) return "< 0.1 %";
  return `${text} %`;
}

/** What one sees of a mask in small. */
export function aboutPicture({ in: kind, rows, cols, sampled }) {
  if (kind === "exits") return `its mask, ${rows} × ${cols} weights`;
  return `its mask as ${rows} × ${cols} blocks${sampled ? ", from a sample of its weights" : ""}`;
}

/** Writes a picture's colours, by `ramp` of 256 from all kept to all removed. */
export function paint(pixels, picture, thumbnails, position, ramp) {
  const { rows, cols, from } = picture;
  const size = rows * cols;
  if (picture.in === "exits") {
    const { exits } = thumbnails;
    for (let i = 0; i < size; i++) pixels[i] = ramp[exits[from + i] <= position ? 255 : 0];
    return;
  }
  const { gone } = thumbnails;
  const last = thumbnails.header.stops - 1;
  const at = (position * last) / (POSITIONS - 1);
  const low = Math.min(Math.floor(at), last - 1);
  const share = at - low;
  const one = from + low * size;
  const next = one + size;
  for (let i = 0; i < size; i++) pixels[i] = ramp[Math.round(gone[one + i] + (gone[next + i] - gone[one + i]) * share)];
}

/** 256 colours 0xAABBGGRR on the line between two. */
export function rampBetween([r0, g0, b0], [r1, g1, b1]) {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const mix = (from, to) => Math.round(from + ((to - from) * i) / 255);
    return ((255 << 24) | (mix(b0, b1) << 16) | (mix(g0, g1) << 8) | mix(r0, r1)) >>> 0;
  });
}

/** The first row in sight and the one after the last. */
export function inSight(top, height, count) {
  return [Math.max(0, Math.floor(top / ROW) - 1), Math.min(count, Math.ceil((top + height) / ROW) + 1)];
}

/** Where a key leads from a row; null where it leads nowhere. */
export function stepOf(key, at, count, page) {
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: count - 1, PageDown: at + page, PageUp: at - page };
  return key in steps ? Math.min(count - 1, Math.max(0, steps[key])) : null;
}

/** The next row after `at` whose label has a part that begins with what was typed; -1 if none has. */
export function search(labels, typed, at) {
  const wanted = typed.toLowerCase();
  const begins = (label) =>
    label
      .toLowerCase()
      .split(/(?<=[._])/)
      .some((_, i, parts) => parts.slice(i).join("").startsWith(wanted));
  for (let i = 0; i < labels.length; i++) {
    const row = (at + (typed.length > 1 ? 0 : 1) + i) % labels.length;
    if (begins(labels[row])) return row;
  }
  return -1;
}
