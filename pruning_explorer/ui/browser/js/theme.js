/** The colour that one sees, as a pixel 0xAABBGGRR: the first of these CSS colours, over the next where it is translucent. */
export function pixelOf(...colours) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.globalCompositeOperation = "destination-over";
  for (const colour of colours) {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
  }
  return new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0];
}

/** [red, green, blue] of a pixel, 0 to 255. */
export const partsOf = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];

/** Relative luminance of a pixel as WCAG 2 defines it, 0 is black and 1 white. */
export function luminance(pixel) {
  const [red, green, blue] = partsOf(pixel).map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Black or white, whichever reads better on this pixel: never below 4.5:1. */
export const inkOn = (pixel) => (luminance(pixel) > 0.179 ? "#000000" : "#ffffff");

/** Gives a component's root the class "dark" on a dark page; whether it is one. */
export function followTheme(root) {
  const background = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  return root.classList.toggle("dark", luminance(pixelOf(background || "#ffffff", "#ffffff")) < 0.3);
}
