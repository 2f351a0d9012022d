import { followAmount } from "../browser/js/amount.js";
import { component } from "../browser/js/component.js";

// A slider and a box for one amount. Which of the two a hand moves, and how quickly, Python need not know.
const KEYS = { ArrowUp: 1, ArrowDown: -1, PageUp: 100, PageDown: -100 }; // in the box, in steps

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

function bindBox(app) {
  const { box, amount } = app;
  const { hand } = amount;
  box.oninput = () => {
    app.typing = true;
    tellProblem(app, "");
  };
  box.onkeydown = (event) => {
    if (event.key === "Enter") {
      if (readBox(app)) hand.release();
    } else if (event.key === "Escape") {
      app.typing = false;
      write(app);
    } else if (KEYS[event.key] && readBox(app)) {
      event.preventDefault();
      amount.moveTo(amount.position + KEYS[event.key]);
      hand.releaseSoon();
    }
  };
  box.onblur = () => {
    if ((app.typing || hand.waiting) && readBox(app)) hand.release();
  };
}

/** Percent of a typed amount as a position, or words about what is wrong with it. */
export function readAmount(typed) {
  const text = typed.trim().replace(",", ".").replace(/\s*%$/, "");
  const percent = text === "" ? NaN : Number(text);
  if (percent >= 0 && percent <= 100) return { position: Math.round(percent * 10) };
  if (text === "") return { problem: "Nothing is between 0 and 100." };
  const shown = Number.isNaN(percent) ? `“${text.slice(0, 20)}” is no number and not` : `${percent} is not`;
  return { problem: `${shown} between 0 and 100.` };
}

// Takes what is typed; false where it is no amount: then nothing changes, and the text stays to be mended.
function readBox(app) {
  if (!app.typing) return true;
  const { position, problem } = readAmount(app.box.value);
  if (problem) {
    tellProblem(app, `${problem} The amount is still ${app.slider.value} %.`);
    return false;
  }
  app.typing = false;
  app.amount.moveTo(position);
  write(app); // as the box writes it, also where it is the same amount
  return true;
}

function tellProblem(app, words) {
  app.problem.textContent = words;
  app.problem.hidden = !words;
  app.box.setAttribute("aria-invalid", String(Boolean(words)));
}

function write(app) {
  const percent = app.amount.position / 10;
  const text = percent.toFixed(1);
  app.slider.style.setProperty("--done", `${percent}%`);
  app.slider.setAttribute("aria-valuetext", `${text} percent`);
  if (!app.typing) app.box.value = text;
  app.box.setAttribute("aria-valuenow", text);
  tellProblem(app, "");
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
