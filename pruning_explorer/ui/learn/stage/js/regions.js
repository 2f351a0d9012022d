import { short } from "../../../browser/js/numbers.js";
import { at, frame, html, svg, write } from "./write.js";

// What has pixels: decision regions and small pictures.
// A stop is a band of rows of one picture, which the browser decodes once.
function spriteOf(address, ready) {
  const image = new Image();
  const sprite = { image, ready: false };
  image.onload = () => {
    sprite.ready = true;
    ready();
  };
  image.src = address;
  return sprite;
}

// Markers of about the same area, centred on 0, by the names that the other pages' charts have for them.
export function symbolPath(name, r) {
  const polygon = (corners, turn, size = r * 1.2) =>
    `M${Array.from({ length: corners }, (_, i) => {
      const angle = turn + (i * 2 * Math.PI) / corners;
      return `${(size * Math.cos(angle)).toFixed(2)} ${(size * Math.sin(angle)).toFixed(2)}`;
    }).join("L")}Z`;
  const bar = r * 0.42;
  const plus = `M${-r * 1.2} ${-bar}H${-bar}V${-r * 1.2}H${bar}V${-bar}H${r * 1.2}V${bar}H${bar}V${r * 1.2}H${-bar}V${bar}H${-r * 1.2}Z`;
  const shapes = {
    square: `M${-r * 0.9} ${-r * 0.9}H${r * 0.9}V${r * 0.9}H${-r * 0.9}Z`,
    "triangle-up": polygon(3, -Math.PI / 2, r * 1.35),
    "triangle-down": polygon(3, Math.PI / 2, r * 1.35),
    diamond: polygon(4, 0, r * 1.25),
    pentagon: polygon(5, -Math.PI / 2),
    cross: plus,
    x: plus,
    circle: `M${-r} 0A${r} ${r} 0 1 0 ${r} 0A${r} ${r} 0 1 0 ${-r} 0Z`,
  };
  return shapes[name] ?? polygon(6, 0);
}

export function drawRegions(panel, stage) {
  const [, height, width] = panel.size;
  const [west, east, south, north] = panel.extent;
  const canvas = html("canvas", { width, height, role: "img", "aria-label": panel.title || "Regions" });
  const context = canvas.getContext("2d");
  const tall = (100 * (north - south)) / (east - west);
  const points = svg("svg", { viewBox: `0 0 100 ${tall}`, class: "points", "aria-hidden": "true" });
  const mark = (label, x, y, r) => {
    const { colour, symbol } = panel.looks[label % panel.looks.length];
    const turn = symbol === "x" ? " rotate(45)" : "";
    return svg("path", { d: symbolPath(symbol, r), fill: colour, transform: `translate(${x} ${y})${turn}` });
  };
  points.append(
    ...panel.points.map(([px, py], i) =>
      mark(
        panel.labels[i],
        (((px - west) / (east - west)) * 100).toFixed(2),
        (((north - py) / (north - south)) * tall).toFixed(2),
        1.3,
      ),
    ),
  );
  const plane = html("div", { class: "plane" }, canvas, points);
  plane.style.aspectRatio = `${east - west} / ${north - south}`;
  const axis = (low, high, kind) =>
    html(
      "div",
      { class: `ends ${kind}`, "aria-hidden": "true" },
      html("span", {}, short(low)),
      html("span", {}, short(high)),
    );
  const shares = panel.class_names.map(() => html("b", {}));
  const legend = html(
    "ul",
    { class: "legend" },
    html("li", {}, "Share of the plane:"),
    ...panel.class_names.map((name, label) =>
      html(
        "li",
        {},
        svg("svg", { viewBox: "0 0 16 16", class: "swatch mark", "aria-hidden": "true" }, mark(label, 8, 8, 5.5)),
        html("span", {}, name),
        shares[label],
      ),
    ),
  );
  const { figure } = frame(
    panel,
    legend,
    html("div", { class: "map" }, axis(south, north, "y"), plane, axis(west, east, "x")),
  );
  let shown = 0;
  const paint = () => {
    if (sprite.ready)
      context.drawImage(
        sprite.image,
        0,
        Math.min(shown, panel.size[0] - 1) * height,
        width,
        height,
        0,
        0,
        width,
        height,
      );
  };
  const sprite = spriteOf(panel.sprite, paint);
  const share = (label, stop) => `${at(panel.shares, stop)[label]} %`;
  return {
    node: figure,
    show(stop) {
      shown = stop;
      paint();
      shares.forEach((node, label) => write(node, share(label, stop)));
    },
    describe(stop) {
      const parts = panel.class_names.map((name, label) => `${name} on ${share(label, stop)}`);
      canvas.setAttribute(
        "aria-label",
        `${panel.title || "Regions"}, at ${stage.where(stop)}: of the plane, ${parts.join(", ")}`,
      );
    },
  };
}

export function drawPictures(panel) {
  const [stops, number, height, width] = panel.size;
  const frames = Array.from({ length: number }, (_, n) => {
    const canvas = html("canvas", { width, height, role: "img" });
    canvas.style.aspectRatio = `${width} / ${height}`;
    const caption = html("span", { class: "caption" });
    return { canvas, caption, node: html("li", {}, canvas, caption), context: canvas.getContext("2d"), n };
  });
  const scale = html(
    "p",
    { class: "scale" },
    html("span", {}, `black ${short(panel.low)}`),
    html("i", { class: "greys", "aria-hidden": "true" }),
    html("span", {}, `white ${short(panel.high)}`),
  );
  const { figure } = frame(panel, html("ul", { class: "tiles" }, ...frames.map((each) => each.node)), scale);
  let shown = 0;
  const paint = () => {
    if (!sprite.ready) return;
    const top = Math.min(shown, stops - 1) * height;
    for (const { context, n } of frames)
      context.drawImage(sprite.image, n * width, top, width, height, 0, 0, width, height);
  };
  const sprite = spriteOf(panel.sprite, paint);
  return {
    node: figure,
    show(stop) {
      shown = stop;
      paint();
      const captions = at(panel.captions, stop) ?? [];
      const marked = at(panel.marked, stop) ?? [];
      frames.forEach(({ canvas, caption, node }, n) => {
        write(caption, captions[n] ?? "");
        canvas.setAttribute("aria-label", `${captions[n] || `picture ${n + 1}`}${marked[n] ? ", framed" : ""}`);
        node.classList.toggle("marked", Boolean(marked[n]));
      });
    },
  };
}
