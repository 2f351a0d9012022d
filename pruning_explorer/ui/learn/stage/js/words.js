import { at, frame, html, reachable, write } from "./write.js";

// What is read: key figures, code, tables.
export function drawFigures(panel) {
  const numbers = panel.figures.map((figure) => [html("dd", { class: "number" }), figure.values]);
  const list = html(
    "dl",
    {},
    ...panel.figures.map((figure, place) =>
      html(
        "div",
        {},
        html("dt", {}, figure.label),
        numbers[place][0],
        figure.help ? html("dd", { class: "small" }, figure.help) : null,
      ),
    ),
  );
  const { figure } = frame(panel, list);
  return {
    node: figure,
    show: (stop) => numbers.forEach(([node, values]) => write(node, at(values, stop))),
    sentence: (stop) => panel.figures.map(({ label, values }) => `${label} ${at(values, stop)}`).join(", "),
  };
}

const NUMBERS = /(\d+(?:\.\d+)?)/;

export function drawCode(panel) {
  const code = html("code", {});
  const scroll = html("pre", { class: "scroll" }, code);
  const { figure } = frame(panel, scroll);
  const pieces = panel.texts.map((text) => text.split(NUMBERS));
  const alike = pieces.every((each) => each.length === pieces[0].length);
  // what changes is emphasised, at every stop in the same place
  const changing = alike ? pieces[0].map((piece, place) => pieces.some((each) => each[place] !== piece)) : [];
  const nodes = alike
    ? pieces[0].map((piece, place) => (changing[place] ? html("strong", {}, piece) : document.createTextNode(piece)))
    : [];
  code.append(...nodes);
  return {
    node: figure,
    show(stop) {
      if (!alike) write(code, at(panel.texts, stop));
      else at(pieces, stop).forEach((piece, place) => changing[place] && write(nodes[place], piece));
    },
    resize: () => reachable(scroll, panel.title || "code"),
  };
}

const NUMERIC = /^[−-]?[\d.,]+(\s?[^\s\d]{1,4})?$|^–$/;

export function drawTable(panel) {
  const first = panel.rows[0] ?? [];
  const every = panel.rows.flat();
  // a word among numbers ("identical") stands with them
  const numeric = panel.columns.map(
    (_, column) => column > 0 && every.filter((row) => NUMERIC.test(row[column] ?? "")).length * 2 > every.length,
  );
  const kind = (column) => (numeric[column] ? "numeric" : null);
  const head = html(
    "tr",
    {},
    ...panel.columns.map((name, column) => html("th", { scope: "col", class: kind(column) }, name)),
  );
  const body = html("tbody", {});
  const table = html("table", { "aria-label": panel.title || "table" }, html("thead", {}, head), body);
  const scroll = html("div", { class: "scroll" }, table);
  const { figure } = frame(panel, scroll);
  let cells = [];
  const build = (rows) => {
    cells = rows.map((row) =>
      row.map((text, column) =>
        html(column ? "td" : "th", { scope: column ? null : "row", class: kind(column) }, text),
      ),
    );
    body.replaceChildren(...cells.map((row) => html("tr", {}, ...row)));
  };
  build(first);
  return {
    node: figure,
    show(stop) {
      const rows = at(panel.rows, stop) ?? [];
      if (rows.length !== cells.length) build(rows);
      else rows.forEach((row, r) => row.forEach((text, column) => write(cells[r][column], text)));
    },
    resize: () => reachable(scroll, panel.title || "table"),
  };
}
