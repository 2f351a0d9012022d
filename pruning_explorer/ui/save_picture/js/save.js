import { standalone } from "./picture.js";

// Files.
const SCALE = 2;

/** Save the chart that stands in a container now; throws an error whose message a person can read. */
export async function save(container, name, kind) {
  const chart = container?.querySelector(".js-plotly-plot");
  if (!chart?.querySelector("svg.main-svg")) throw new Error("The chart is not there yet.");
  const picture = await standalone(chart, name);
  const svg = new Blob([picture.text], { type: "image/svg+xml" });
  const file = kind === "svg" ? svg : await rasterised(svg, picture);
  const link = document.createElement("a");
  const plain = name.replace(/[^\p{L}\p{N}\p{M} _.,()%×·–-]+/gu, "-").replace(/^[\s.-]+|[\s.-]+$/g, "");
  link.download = `${plain || "chart"}.${kind}`;
  link.href = URL.createObjectURL(file);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function rasterised(svg, { width, height }) {
  const image = new Image();
  const address = (image.src = URL.createObjectURL(svg));
  try {
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(SCALE * width);
    canvas.height = Math.round(SCALE * height);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const file = await new Promise((done) => canvas.toBlob(done, "image/png"));
    if (!file) throw new Error("The chart is too large for a PNG.");
    return file;
  } finally {
    URL.revokeObjectURL(address);
  }
}
