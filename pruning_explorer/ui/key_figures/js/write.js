// Numbers as Python writes them (figures/numbers.py), sign by sign: a figure that is read off and the one that takes its
// place look the same.
const NONE = "–";
const APART = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const UNITS = [
  [1e3, "k"],
  [1e6, "M"],
  [1e9, "G"],
  [1e12, "T"],
];

const lacking = (value) => value === null || value === undefined || Number.isNaN(value);
const withMinus = (text) => text.replace("-", "−");

/** With that many decimals; of two that are equally near the even one, where toFixed takes the larger. */
export function rounded(value, digits) {
  const half = Math.abs(value) * 2 ** (digits + 1);
  if (half % 2 !== 1) return value.toFixed(digits); // no decimal fraction of so few digits lies halfway
  const below = (Math.abs(value) - 10 ** -(digits + 1)).toFixed(digits);
  const size = Number(below.at(-1)) % 2 === 0 ? below : Math.abs(value).toFixed(digits);
  return value < 0 ? `-${size}` : size;
}

/** A whole number with its thousands apart: 1,234 */
export const writeCount = (value) => (lacking(value) ? NONE : APART.format(Math.trunc(value) + 0)); // no negative zero

/** A large number in three digits; below 10,000 it is written out: 9,999, 12.3 k, 61.7 M */
export function writeShortCount(value) {
  if (lacking(value)) return NONE;
  if (Math.abs(value) < 10_000) return writeCount(value);
  for (const [power, unit] of UNITS) {
    const part = value / power;
    const size = Math.abs(part);
    const text = rounded(part, size < 10 ? 2 : size < 999.95 ? 1 : 0);
    if (Math.abs(Number(text)) < 1000 || unit === "T") return `${text} ${unit}`;
  }
}

/** A fraction as percent with one decimal; only all is 100.0 %, only none 0.0 % */
export function writePercent(fraction) {
  if (lacking(fraction)) return NONE;
  const text = rounded(fraction * 100, 1);
  if (text === "100.0" && fraction < 1) return 1 - fraction <= 1e-12 ? "100.0 %" : ">99.9 %";
  if ((text === "0.0" || text === "-0.0") && fraction !== 0) return fraction > 0 ? "<0.1 %" : ">−0.1 %";
  return withMinus(`${text} %`);
}

/** A difference of two fractions, in percentage points, with its sign. */
export function writePoints(change) {
  if (lacking(change)) return NONE;
  const text = rounded(change * 100, 1);
  if (text === "0.0" || text === "-0.0") return "±0.0 points";
  return withMinus(`${change > 0 ? "+" : ""}${text} points`);
}

/** Three significant digits, without exponent. */
export function writeDecimal(value) {
  if (lacking(value)) return NONE;
  if (!Number.isFinite(value)) return "infinite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4) return value > 0 ? "<0.0001" : ">−0.0001";
  const [whole, decimals] = rounded(value, Math.max(0, 2 - Math.floor(Math.log10(size)))).split(".");
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return withMinus(decimals === undefined ? apart : `${apart}.${decimals}`);
}
