import { followAmount } from "../browser/js/amount.js";
import { bindBox, writeBox } from "../browser/js/amount_box.js";
import { component } from "../browser/js/component.js";

// A slider and a box for one amount. Which of the two a hand moves, and how quickly, Python need not know.
function open(parent) {
  const root = parent.querySelector(".amount-control");
  const $ = (selector) => root.querySelector(selector);
  const app = { root, slider: $(".slider"), box: $(".box"), problem: $(".problem"), typing: false };
  app.amount = followAmount(app.slider, {
    memory: {},
    show: () => write(app),
    send: (release) => app.send("release", release),
    held: () => app.typing,
  });
  bindBox(app);
  return app;
}

function write(app) {
  const percent = app.amount.position / 10;
  app.slider.style.setProperty("--done", `${percent}%`);
  app.slider.setAttribute("aria-valuetext", `${percent.toFixed(1)} percent`);
  writeBox(app);
}

export default component({
  open,
  take(app, data) {
    app.slider.setAttribute("aria-label", data.label);
    app.box.setAttribute("aria-label", data.exact);
    app.amount.take(data);
  },
  leave: (app) => app.amount.leave(),
});
