// A box in which an amount is typed, beside what a hand moves it by.
const BOX_KEYS = { ArrowUp: 1, ArrowDown: -1, PageUp: 100, PageDown: -100 }; // in steps of 0.1 %

/**
 * Binds the box of an app: {box, problem, typing, amount}, where `amount` is of `followAmount`, held while one types.
 */
export function bindBox(app) {
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
      writeBox(app);
    } else if (BOX_KEYS[event.key] && readBox(app)) {
      event.preventDefault();
      amount.moveTo(amount.position + BOX_KEYS[event.key]);
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
    const { position: still } = app.amount;
    tellProblem(app, still === null ? problem : `${problem} The amount is still ${(still / 10).toFixed(1)} %.`);
    return false;
  }
  app.typing = false;
  app.amount.moveTo(position);
  writeBox(app); // as the box writes it, also where it is the same amount
  return true;
}

function tellProblem(app, words) {
  if (app.problem.textContent === words) return;
  app.problem.textContent = words;
  app.problem.hidden = !words;
  app.box.setAttribute("aria-invalid", String(Boolean(words)));
}

/** Writes where the amount stands, unless one is typing. */
export function writeBox(app) {
  const { position } = app.amount;
  const text = position === null ? "" : (position / 10).toFixed(1);
  if (!app.typing) app.box.value = text;
  if (text) app.box.setAttribute("aria-valuenow", text);
  else app.box.removeAttribute("aria-valuenow");
  tellProblem(app, "");
}
