import { short, whole } from "../../../browser/js/numbers.js";
import { at, frame, html, write } from "./write.js";

// How much of each layer is left.
export function drawBars(panel) {
  const bars = panel.names.map((name) => {
    const kept = html("i", { class: "kept" });
    const count = html("span", { class: "count" });
    const fallen = html("b", { class: "collapsed", hidden: true }, "collapsed");
    const cap = panel.cap === null ? null : html("i", { class: "cap" });
    cap?.style.setProperty("left", `${(1 - panel.cap) * 100}%`);
    const head = html("div", { class: "bar-head" }, html("span", { class: "name" }, name), fallen, count);
    const node = html("li", {}, head, html("div", { class: "bar", "aria-hidden": "true" }, kept, cap));
    return { node, kept, count, fallen };
  });
  const entry = (kind, words) =>
    html("li", {}, html("i", { class: `swatch block ${kind}`, "aria-hidden": "true" }), html("span", {}, words));
  const legend = html(
    "ul",
    { class: "legend" },
    entry("kept", "kept"),
    entry("removed", "removed"),
    panel.cap === null ? null : entry("limit", `cap: no layer loses more than ${short(panel.cap * 100)} %`),
  );
  const { figure } = frame(panel, html("ul", { class: "bars-list" }, ...bars.map((bar) => bar.node)), legend);
  return {
    node: figure,
    show(stop) {
      at(panel.kept, stop).forEach((fraction, layer) => {
        const { node, kept, count, fallen } = bars[layer];
        kept.style.width = `${fraction * 100}%`;
        write(count, `${whole(Math.round(fraction * panel.weights[layer]))} of ${whole(panel.weights[layer])} kept`);
        node.classList.toggle("empty", fraction === 0);
        fallen.hidden = fraction !== 0;
      });
    },
  };
}
