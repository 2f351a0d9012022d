import { short } from "../../../browser/js/numbers.js";
import { drawnToWidth, frame, html, rem, svg, write } from "./write.js";

// Lines over the slider, or over an axis of their own.
const DASHES = { solid: null, dash: "8 4", dot: "2 4", dashdot: "8 3 2 3", longdash: "14 4", longdashdot: "14 3 2 3" };
const DOTS_UP_TO = 24; // places; beyond, a line says enough

export function niceTicks(low, high, most) {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-6; i++)
    ticks.push(Number((i * step).toPrecision(10)));
  return ticks;
}

// Powers of ten, not all of them where there are many; of few, 2 and 5 of each are ticks, too
export function logTicks(low, high, most) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const every = Math.max(1, Math.ceil((last - first + 1) / Math.max(2, most)));
  const parts = last - first < 3 && 3 * (last - first + 1) <= most ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = first - 1; power <= last; power++) {
    if ((power - first) % every === 0 || parts.length > 1)
      ticks.push(...parts.map((part) => Number(`${part}e${power}`)));
  }
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

export function heightsOf(panel) {
  if (panel.y_range) return panel.y_range;
  const numbers = [
    ...panel.series.flatMap((s) => [...s.values, ...s.low, ...s.high]),
    ...panel.lines.map(([, y]) => y),
  ];
  const there = numbers.filter((value) => value !== null && (!panel.log || value > 0));
  if (!there.length) return panel.log ? [0.1, 1] : [0, 1];
  const [low, high] = [Math.min(...there), Math.max(...there)];
  if (panel.log) return [low / 1.25, high * 1.25];
  const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
  return [low >= 0 && low < (high - low) * 0.5 ? 0 : low - room, high + room];
}

export function drawCurves(panel, stage) {
  const own = panel.x.length > 0;
  const places = own ? panel.x : stage.stops.length ? stage.stops : panel.series[0].values.map((_, i) => i);
  const [bottom, top] = heightsOf(panel);
  const share = panel.log
    ? (value) => Math.log(Math.min(top, Math.max(bottom, value)) / bottom) / Math.log(top / bottom)
    : (value) => (value - bottom) / (top - bottom || 1);
  const drawable = (value) => value !== null && (!panel.log || value > 0);
  const [left, right] = [Math.min(...places), Math.max(...places)];
  const swatch = ({ colour, dash }) =>
    svg(
      "svg",
      { viewBox: "0 0 32 8", class: "swatch line", "aria-hidden": "true" },
      svg("path", { d: "M0 4H32", stroke: colour, "stroke-dasharray": DASHES[dash] }),
    );
  const values = panel.series.map(() => html("b", {}));
  const legend = html(
    "ul",
    { class: "legend" },
    ...panel.series.map((line, i) => html("li", {}, swatch(panel.looks[i]), html("span", {}, line.name), values[i])),
  );
  const box = html("div", { class: "drawing" });
  const scale = panel.log ? ", logarithmic" : "";
  const better = panel.better ? `, ${panel.better} is better` : "";
  const below = html("p", { class: "axis-title x" }, own ? panel.x_title : stage.label);
  const { figure } = frame(
    panel,
    legend,
    html("p", { class: "axis-title" }, panel.y_title + scale + better),
    box,
    below,
  );
  let picture = null;
  let shown = null;

  function draw(width) {
    const em = rem();
    const height = Math.round(Math.min(20 * em, Math.max(12 * em, width * 0.5)));
    const yTicks = (panel.log ? logTicks : niceTicks)(bottom, top, height / (2.6 * em));
    const tickText = (tick) => (panel.log && tick >= 1e-6 && tick < 0.001 ? String(tick) : short(tick));
    const margin = {
      l: 0.55 * em + Math.max(...yTicks.map((t) => tickText(t).length)) * 0.47 * em,
      r: 0.9 * em,
      t: 0.6 * em,
      b: 1.5 * em,
    };
    const x = (value) => margin.l + ((value - left) / (right - left || 1)) * (width - margin.l - margin.r);
    const y = (value) => height - margin.b - share(value) * (height - margin.t - margin.b);
    const drawing = svg("svg", {
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      class: "plot",
      "aria-label": panel.title || panel.y_title,
    });
    const text = (words, attributes) => svg("text", attributes, words);
    for (const tick of yTicks) {
      drawing.append(svg("path", { class: "grid", d: `M${margin.l} ${y(tick)}H${width - margin.r}` }));
      drawing.append(text(tickText(tick), { x: margin.l - 0.35 * em, y: y(tick) + 0.26 * em, "text-anchor": "end" }));
    }
    for (const [value, name] of xTicks(width / (4.5 * em))) {
      drawing.append(svg("path", { class: "tick", d: `M${x(value)} ${height - margin.b}v${0.3 * em}` }));
      const half = name.length * 0.22 * em;
      drawing.append(
        text(name, { x: Math.min(x(value), width - half), y: height - 0.25 * em, "text-anchor": "middle" }),
      );
    }
    drawing.append(
      svg("path", { class: "base", d: `M${margin.l} ${margin.t}V${height - margin.b}H${width - margin.r}` }),
    );
    panel.lines.forEach(([name, at]) => {
      drawing.append(svg("path", { class: "level", d: `M${margin.l} ${y(at)}H${width - margin.r}` }));
      const above = y(at) > margin.t + 1.2 * em;
      drawing.append(text(name, { class: "halo", x: margin.l + 0.4 * em, y: y(at) + (above ? -0.3 : 0.95) * em }));
    });
    const bands = panel.series.map((_, i) => svg("path", { class: "band", fill: panel.looks[i].colour }));
    const lines = panel.series.map((_, i) =>
      svg("path", { class: "line", stroke: panel.looks[i].colour, "stroke-dasharray": DASHES[panel.looks[i].dash] }),
    );
    const rule =
      own || places.length < 2 ? null : svg("path", { class: "rule", d: `M0 ${margin.t}V${height - margin.b}` });
    const dots = panel.series.map((_, i) =>
      svg("circle", { class: "dot", r: 0.3 * em, fill: panel.looks[i].colour, visibility: "hidden" }),
    );
    drawing.append(...bands, ...(rule ? [rule] : []), ...lines, ...dots);
    box.replaceChildren(drawing);
    picture = { drawing, bands, lines, rule, dots, x, y, reach: -1 };
    if (shown) show(...shown);
  }

  function xTicks(most) {
    if (own)
      return niceTicks(left, right > left ? right : left + 1, Math.min(8, most))
        .filter((v) => v <= right + 1e-9)
        .map((value) => [value, short(value)]);
    const last = places.length - 1;
    // evenly, where the stops can be shared out
    const parts =
      [4, 5, 3].find((each) => each <= most && last % each === 0) ?? (last >= 4 && most >= 4 ? 4 : Math.min(2, last));
    const stops = parts
      ? [...new Set(Array.from({ length: parts + 1 }, (_, i) => Math.round((i * last) / parts)))]
      : [0];
    return stops.map((stop) => [places[stop], stage.shown[stop] ?? short(places[stop])]);
  }

  function pathOf(numbers, end) {
    let [path, pen] = ["", "M"];
    numbers.slice(0, end + 1).forEach((value, i) => {
      if (!drawable(value)) return (pen = "M");
      path += `${pen}${picture.x(places[i]).toFixed(1)} ${picture.y(value).toFixed(1)}`;
      // a number alone between gaps is a point: a line of no length with round ends
      if (pen === "M" && !drawable(numbers[i + 1] ?? null)) path += "h0";
      pen = "L";
    });
    return path;
  }

  function bandOf({ low, high }, end) {
    const both = low
      .map((value, i) => [places[i], value, high[i]])
      .filter(([, l, h], i) => i <= end && drawable(l) && drawable(h));
    if (both.length < 2) return "";
    const point = ([px, value]) => `${picture.x(px).toFixed(1)} ${picture.y(value).toFixed(1)}`;
    return `M${both.map(([px, l]) => point([px, l])).join("L")}L${both
      .reverse()
      .map(([px, , h]) => point([px, h]))
      .join("L")}Z`;
  }

  function show(stop, reach) {
    shown = [stop, reach];
    panel.series.forEach((line, i) => write(values[i], valueText(line, stop)));
    if (!picture) return;
    const end = panel.growing && !own ? Math.max(stop, reach) : places.length - 1;
    if (end !== picture.reach) {
      picture.reach = end;
      panel.series.forEach((line, i) => {
        picture.lines[i].setAttribute("d", pathOf(line.values, end));
        picture.bands[i].setAttribute("d", bandOf(line, end));
      });
    }
    if (picture.rule) picture.rule.setAttribute("transform", `translate(${picture.x(places[stop])} 0)`);
    panel.series.forEach((line, i) => {
      const place = own ? lastPlace(line) : stop;
      const value = line.values[place] ?? null;
      picture.dots[i].setAttribute(
        "visibility",
        !drawable(value) || (own && places.length > DOTS_UP_TO) ? "hidden" : "visible",
      );
      if (drawable(value))
        picture.dots[i].setAttribute("transform", `translate(${picture.x(places[place])} ${picture.y(value)})`);
    });
  }

  const lastPlace = (line) => line.values.findLastIndex((value) => value !== null);
  const valueText = (line, stop) => short(line.values[own ? lastPlace(line) : stop] ?? null);
  const drawn = drawnToWidth(box, draw);
  return {
    node: figure,
    show,
    resize: drawn.look,
    describe(stop) {
      const parts = panel.series.map((line) => `${line.name} ${valueText(line, stop)}`);
      const where = own ? `at the last ${panel.x_title || "place"}` : `at ${stage.where(stop)}`;
      picture?.drawing.setAttribute(
        "aria-label",
        `${panel.title || "Chart"}: ${panel.y_title}, ${where}: ${parts.join(", ")}`,
      );
    },
  };
}
