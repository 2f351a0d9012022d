import { fixed, short, whole } from "../../../browser/js/numbers.js";
import { drawnToWidth, exits, frame, html, rem, svg, write } from "./write.js";

// A network as nodes and edges.
const THINNEST = 0.6; // px at the usual size of type; the width of an edge is proportional to |weight| above it
const WIDEST = 5;

function edgesOf(panel, stage) {
  const most =
    Math.max(...panel.layers.flatMap((layer) => layer.values.flat().map((value) => Math.abs(value ?? 0)))) || 1;
  const edges = panel.layers.flatMap((layer, depth) =>
    layer.values.flatMap((row, to) =>
      row.map((value, from) => ({
        layer: layer.name,
        depth,
        from,
        to,
        value: value ?? 0,
        leaves: layer.leaves[to][from],
      })),
    ),
  );
  for (const edge of edges) edge.width = THINNEST + (WIDEST - THINNEST) * (Math.abs(edge.value) / most);
  const when = (leaves) =>
    leaves > stage.last
      ? "never removed"
      : leaves === 0
        ? "removed from the start"
        : `removed from ${stage.shown[leaves] ?? leaves} on`;
  for (const edge of edges) {
    const [left, right] = [panel.columns[edge.depth][edge.from], panel.columns[edge.depth + 1][edge.to]];
    edge.words = `${edge.layer}: ${left} to ${right}, weight ${fixed(edge.value, 3)}, ${when(edge.leaves)}`;
  }
  // large weights over small ones
  return { most, edges: edges.sort((a, b) => Math.abs(a.value) - Math.abs(b.value)) };
}

// From which stop on nothing comes into a node, and nothing goes out of it; null where that is not asked.
function nodesOf(panel) {
  const end = panel.columns.length - 1;
  return panel.columns.flatMap((names, depth) =>
    names.map((name, place) => ({
      name,
      depth,
      place,
      constant: depth > 0 ? Math.max(...panel.layers[depth - 1].leaves[place]) : null,
      unheard: depth < end ? Math.max(...panel.layers[depth].leaves.map((row) => row[place])) : null,
    })),
  );
}

export function drawNetwork(panel, stage) {
  const { most, edges } = edgesOf(panel, stage);
  const nodes = nodesOf(panel);
  const gone = exits(edges.map((edge) => edge.leaves));
  const box = html("div", { class: "drawing" });
  const { figure, aside } = frame(panel, box, networkLegend(most));
  let drawing = null;
  let before = -1;
  let removed = 0;

  function draw(width) {
    const em = rem();
    const tallest = Math.max(...panel.columns.map((column) => column.length));
    const height = Math.round(Math.min(34 * em, Math.max(13 * em, tallest * 1.7 * em)) + 1.6 * em);
    const label = (column) => Math.max(...column.map((name) => name.length)) * 0.46 * em + 1.1 * em;
    const [west, east] = [label(panel.columns[0]), label(panel.columns.at(-1))];
    const depth = panel.columns.length - 1;
    const gap = (column) => (height - 2.4 * em) / column.length;
    const x = (column) => west + (column / depth) * (width - west - east);
    const y = (column, place) => 2 * em + gap(panel.columns[column]) * (place + 0.5);
    const radius = Math.min(0.6 * em, gap(panel.columns.find((column) => column.length === tallest)) * 0.34);
    drawing = svg("svg", {
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      class: "graph",
      "aria-label": panel.title || "Network",
    });
    for (const edge of edges) {
      edge.node = svg(
        "line",
        {
          class: `edge ${edge.value < 0 ? "negative" : "positive"}`,
          x1: x(edge.depth).toFixed(1),
          y1: y(edge.depth, edge.from).toFixed(1),
          x2: x(edge.depth + 1).toFixed(1),
          y2: y(edge.depth + 1, edge.to).toFixed(1),
          "stroke-width": ((edge.width * em) / 16).toFixed(2),
        },
        svg("title", {}, edge.words),
      );
      drawing.append(edge.node);
    }
    panel.layers.forEach((layer, i) => {
      drawing.append(svg("text", { class: "halo", x: x(i + 0.5), y: 0.9 * em, "text-anchor": "middle" }, layer.name));
    });
    for (const node of nodes) {
      const [cx, cy] = [x(node.depth), y(node.depth, node.place)];
      const arm = radius * 1.25;
      node.node = svg(
        "g",
        { class: "node", transform: `translate(${cx.toFixed(1)} ${cy.toFixed(1)})` },
        svg("circle", { r: radius.toFixed(1) }),
        svg("path", { class: "cross", d: `M${-arm} ${-arm}L${arm} ${arm}M${-arm} ${arm}L${arm} ${-arm}` }),
        svg("title", {}, node.name),
      );
      drawing.append(node.node);
      const inner = node.depth > 0 && node.depth < depth;
      if (inner && gap(panel.columns[node.depth]) < 2.6 * em) continue; // crowded: its name is in the tooltip
      const words = inner
        ? { x: cx, y: cy - radius - 0.3 * em, "text-anchor": "middle" }
        : {
            x: cx + (node.depth ? 1 : -1) * (radius + 0.4 * em),
            y: cy + 0.28 * em,
            "text-anchor": node.depth ? "start" : "end",
          };
      drawing.append(svg("text", { class: "halo", ...words }, node.name));
    }
    box.replaceChildren(drawing);
    const stop = before;
    before = -1;
    removed = 0;
    if (stop >= 0) show(stop);
  }

  const count = (what, stop) => nodes.filter((node) => node[what] !== null && node[what] <= stop).length;

  function show(stop) {
    if (!drawing) return (before = stop);
    gone.step(before, stop, (index, now) => {
      edges[index].node.classList.toggle("gone", now);
      removed += now ? 1 : -1;
    });
    before = stop;
    for (const { node, constant, unheard } of nodes) {
      node.classList.toggle("constant", constant !== null && constant <= stop);
      node.classList.toggle("unheard", unheard !== null && unheard <= stop);
    }
    write(aside, `${whole(edges.length - removed)} of ${whole(edges.length)} connections kept`);
  }

  const drawn = drawnToWidth(box, draw);
  return {
    node: figure,
    show,
    resize: drawn.look,
    describe(stop) {
      const sizes = panel.columns.map((column) => column.length).join(", ");
      const words = `${panel.title || "Network"} of ${sizes} nodes, at ${stage.where(stop)}: ${aside.textContent}`;
      drawing?.setAttribute(
        "aria-label",
        `${words}, ${count("constant", stop)} nodes constant, ${count("unheard", stop)} unheard`,
      );
    },
  };
}

function networkLegend(most) {
  const edge = (kind) => svg("line", { class: `edge ${kind}`, x1: 0, y1: 8, x2: 32, y2: 8, "stroke-width": 3 });
  const node = (kind) =>
    svg(
      "g",
      { class: `node ${kind}`, transform: "translate(8 8)" },
      svg("circle", { r: 5 }),
      svg("path", { class: "cross", d: "M-6.5 -6.5L6.5 6.5M-6.5 6.5L6.5 -6.5" }),
    );
  const entry = (sign, words, width = 32) =>
    html(
      "li",
      {},
      svg(
        "svg",
        { viewBox: `0 0 ${width} 16`, class: width < 32 ? "swatch mark" : "swatch", "aria-hidden": "true" },
        sign,
      ),
      html("span", {}, words),
    );
  return html(
    "ul",
    { class: "legend" },
    entry(edge("positive"), "positive weight"),
    entry(edge("negative"), "negative weight"),
    entry(edge("positive gone"), "removed"),
    entry(node("constant"), "constant: nothing comes in", 16),
    entry(node("unheard"), "unheard: nothing goes out", 16),
    html("li", {}, html("span", {}, `the wider, the larger; widest ${short(most)}`)),
  );
}
