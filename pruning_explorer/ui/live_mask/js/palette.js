const rgbOf = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const pixel = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
const mix = (a, b, t) => a.map((v, i) => Math.round(v + (b[i] - v) * t));

function ramp(stops, length) {
  const colours = stops.map(rgbOf);
  return Array.from({ length }, (_, i) => {
    const at = (i / (length - 1)) * (colours.length - 1);
    const low = Math.min(colours.length - 2, Math.floor(at));
    return mix(colours[low], colours[low + 1], at - low);
  });
}

export const MIXES = 33; // shades between "all of these weights are gone" and "all are kept"

/**
 * Everything that turns a number into a pixel (0xAABBGGRR).
 * @param colours gives a colour of the page's theme by its name: "#rrggbb", or several with commas between
 */
export function makePalette(dark, colours) {
  const stops = (name) => colours(name).split(/\s*,\s*/);
  const one = (name) => rgbOf(colours(name));
  const weights = ramp(stops("weights"), 255);
  const gone = one("gone");
  const remains = new Uint32Array(255 * MIXES);
  weights.forEach((colour, level) => {
    for (let m = 0; m < MIXES; m++) remains[level * MIXES + m] = pixel(mix(gone, colour, m / (MIXES - 1)));
  });
  const exits = new Uint32Array(256).fill(pixel(one("never")));
  exits.set(ramp(stops("exits"), 251).map(pixel));
  return {
    dark,
    kept: colours("kept"),
    removed: colours("removed"),
    hatch: colours("hatch"),
    mark: colours("mark"),
    weights: Uint32Array.from(weights, pixel),
    magnitudes: Uint32Array.from(ramp(stops("magnitudes"), 256), pixel),
    exits,
    mask: Uint32Array.from({ length: 256 }, (_, i) => pixel(mix(one("removed"), one("kept"), i / 255))),
    remains,
    gonePixel: pixel(gone),
  };
}
