// ---- colours --------------------------------------------------------------------------------------------------
const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];
const KEPT = "#0b6e75";
const REMOVED = "#d9822b";
const THEMES = {
  light: {
    diverging: ["#08427f", "#3b86c0", "#a8cbe4", "#f7f7f7", "#eebb8c", "#c56a1c", "#7a3a05"],
    kept: KEPT, removed: REMOVED, gone: "#cfd2d6", hatch: "#a4a9b0", never: "#7b3f98", mark: "#4d2a05",
  },
  dark: {
    diverging: ["#9bd0ff", "#4f9ce2", "#2c6093", "#1b1f26", "#8f5823", "#df9044", "#ffcf96"],
    kept: "#2a9aa3", removed: "#c9741f", gone: "#4a4f58", hatch: "#6d737e", never: "#c58be0", mark: "#2b1700",
  },
};

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

const MIXES = 33; // shades between "all of these weights are gone" and "all are kept"

// Everything that turns a number into a pixel (0xAABBGGRR), for one theme.
function makePalette(dark) {
  const theme = dark ? THEMES.dark : THEMES.light;
  const weights = ramp(theme.diverging, 255);
  const exits = ramp(CIVIDIS, 251);
  const gone = rgbOf(theme.gone);
  const remains = new Uint32Array(255 * MIXES);
  weights.forEach((colour, level) => {
    for (let m = 0; m < MIXES; m++) remains[level * MIXES + m] = pixel(mix(gone, colour, m / (MIXES - 1)));
  });
  const exitPixels = new Uint32Array(256).fill(pixel(rgbOf(theme.never)));
  exits.forEach((colour, i) => (exitPixels[i] = pixel(colour)));
  return {
    ...theme,
    dark,
    weights: Uint32Array.from(weights, pixel),
    magnitudes: Uint32Array.from(ramp(dark ? ["#1d2127", "#4b97dc", "#d8ecff"] : ["#f7f7f7", "#3b86c0", "#08305f"], 256), pixel),
    exits: exitPixels,
    mask: Uint32Array.from({ length: 256 }, (_, i) => pixel(mix(rgbOf(theme.removed), rgbOf(theme.kept), i / 255))),
    remains,
    gonePixel: pixel(gone),
    weightStops: theme.diverging,
    magnitudeStops: dark ? ["#1d2127", "#4b97dc", "#d8ecff"] : ["#f7f7f7", "#3b86c0", "#08305f"],
    exitStops: CIVIDIS,
  };
}

function luminance(p) {
  const channel = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * channel(p & 255) + 0.7152 * channel((p >> 8) & 255) + 0.0722 * channel((p >> 16) & 255);
}
// Black or white, whichever reads better on this pixel: never below 4.5:1.
const inkOn = (p) => (luminance(p) > 0.179 ? "#000000" : "#ffffff");
