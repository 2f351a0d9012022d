import { fixed } from "../../../browser/js/numbers.js";
import { exits, frame, html, reachable } from "./write.js";

// A matrix written out as numbers.
const CROWDED_FROM = 9; // columns; from here on the digits are smaller

export function drawMatrix(panel) {
  const { values, leaves, look, digits, group } = panel;
  const columns = values[0]?.length ?? 0;
  const texts = values.flat().map((value) => (look === "mask" ? "1" : fixed(value, digits)));
  const cells = [];
  // moved, not narrowed: a gap takes nothing from the columns beside it
  const place = (column) =>
    group && column >= group ? { class: "later", style: `--group: ${Math.floor(column / group)}` } : {};
  const head = panel.column_names.length
    ? html(
        "thead",
        {},
        html(
          "tr",
          {},
          panel.row_names.length ? html("td", {}) : null,
          ...panel.column_names.map((name, column) => html("th", { scope: "col", ...place(column) }, name)),
        ),
      )
    : null;
  const rows = values.map((row, r) =>
    html(
      "tr",
      {},
      panel.row_names.length ? html("th", { scope: "row" }, panel.row_names[r]) : null,
      ...row.map((_, column) => {
        const cell = html("td", place(column), texts[cells.length]);
        cells.push(cell);
        return cell;
      }),
    ),
  );
  const names = panel.row_names.length ? html("col", { class: "names" }) : null;
  const widths = html("colgroup", {}, names, ...Array.from({ length: columns }, () => html("col", {})));
  const table = html("table", { "aria-label": panel.title || "matrix" }, widths, head, html("tbody", {}, ...rows));
  const scroll = html("div", { class: `scroll ${look}${columns >= CROWDED_FROM ? " crowded" : ""}` }, table);
  const { figure } = frame(panel, scroll);
  // widths hang on the longest text that there will be, so that no column moves when a number becomes 0
  const longest = (words) => Math.max(0, ...words.map((word) => word.length));
  figure.style.setProperty("--groups", group ? Math.floor((columns - 1) / group) : 0);
  figure.style.setProperty("--columns", columns);
  figure.style.setProperty("--digits", longest([...texts, ...panel.column_names]));
  figure.style.setProperty("--names", longest(panel.row_names));
  const gone = exits(leaves ? leaves.flat() : []);
  const goneText = look === "struck" ? null : "0";
  let before = -1;
  let fresh = [];
  return {
    node: figure,
    show(stop) {
      const moved = before >= 0;
      for (const cell of fresh) cell.classList.remove("fresh");
      gone.step(before, stop, (index, removed) => {
        const cell = cells[index];
        cell.classList.toggle("gone", removed);
        if (goneText !== null) cell.textContent = removed ? goneText : texts[index];
        else if (removed) cell.setAttribute("aria-label", `${texts[index]}, removed`);
        else cell.removeAttribute("aria-label");
      });
      fresh = moved ? gone.at(stop).map((index) => cells[index]) : [];
      for (const cell of fresh) cell.classList.add("fresh");
      before = stop;
    },
    resize: () => reachable(scroll, panel.title || "matrix"),
  };
}
