import { whole } from "../../browser/js/numbers.js";

/** A share in [0, 1] in percent; 100 % is all and 0 % nothing. */
export function shareText(share) {
  const percent = share * 100;
  if (share > 0 && percent < 0.1) return "<0.1 %";
  if (percent < 9.95) return `${Number(percent.toFixed(1))} %`;
  return `${share < 1 ? Math.min(99, Math.round(percent)) : 100} %`;
}

export const shapeText = (shape) => (shape.length ? shape.join("×") : "scalar");

export const layersText = (count) => `${whole(count)} ${count === 1 ? "layer" : "layers"}`;
