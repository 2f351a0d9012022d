// Numbers as a person reads them; where there is none, a dash.
const MISSING = "–";
const THOUSANDS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

const minus = (text) => text.replaceAll("-", "−");

// What stands for a value that has no digits; nothing for all others.
function digitless(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  if (Number.isFinite(value)) return "";
  return value > 0 ? "∞" : "−∞";
}

/** A whole number with its thousands apart: 1,234 */
export const whole = (value) => digitless(value) || minus(THOUSANDS.format(Math.round(value)));

/** With this many decimals. */
export const fixed = (value, digits) => digitless(value) || minus(value.toFixed(digits));

/** With this many significant digits, without zeros at the end. */
export const significant = (value, digits) => digitless(value) || minus(String(Number(value.toPrecision(digits))));

/** As many digits as one reads: 97.3, 0.483, 1,234, 0.00078 */
export function short(value) {
  if (digitless(value)) return digitless(value);
  const size = Math.abs(value);
  if (size >= 1000) return whole(value);
  if (size > 0 && size < 1e-6) return minus(value.toExponential(1));
  if (size > 0 && size < 0.001) return minus(value.toFixed(1 - Math.floor(Math.log10(size))));
  return significant(value, 3);
}

/** Few characters, to fit a cell: 0.48, 12.3, 2e+3 */
export function tiny(value) {
  if (digitless(value)) return digitless(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000 || size < 0.001) return minus(value.toExponential(0));
  return minus(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size < 0.01 ? 4 : size < 0.1 ? 3 : 2));
}

/** Five significant digits, with an exponent where there would be many zeros. */
export function precise(value) {
  if (digitless(value)) return digitless(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-4 ? minus(value.toExponential(3)) : significant(value, 5);
}
