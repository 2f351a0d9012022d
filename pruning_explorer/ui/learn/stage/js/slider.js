import { followHand, nextRevision } from "../../../browser/js/slider.js";
import { moveTo } from "./view.js";
import { write } from "./write.js";

// Hands: the slider and the play button.
const PLAY_TIME = 8000; // ms from the first stop to the last
const LONGEST_STEP = 800; // ms at one stop, where there are few
const ICONS = { play: "M4 2.5v11l9-5.5z", pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z" };

export function bindSlider(app) {
  const { slider, play } = app;
  app.hand = followHand(slider, { move: (stop) => moveTo(app, stop), release: () => release(app) });
  slider.addEventListener("pointerdown", () => pause(app, false));
  slider.addEventListener("keydown", (event) => {
    pause(app, false);
    // these move the slider and nothing else; all others are the page's own
    if (/^(Arrow|Home|End)/.test(event.key)) event.stopPropagation();
  });
  play.onclick = () => {
    if (app.playing) pause(app, true);
    else start(app);
  };
}

function start(app) {
  const last = app.stage.stops.length - 1;
  if (app.memory.stop >= last) moveTo(app, 0);
  const from = app.memory.stop;
  const perStop = Math.min(LONGEST_STEP, PLAY_TIME / last);
  let began = null;
  const step = (now) => {
    began ??= now;
    const stop = Math.min(last, from + Math.floor((now - began) / perStop));
    if (stop !== app.memory.stop) moveTo(app, stop);
    if (stop === last) pause(app, true);
    else app.playing = requestAnimationFrame(step);
  };
  app.playing = requestAnimationFrame(step);
  writePlay(app);
}

export function pause(app, tell) {
  if (!app.playing) return;
  cancelAnimationFrame(app.playing);
  app.playing = 0;
  writePlay(app);
  if (tell) app.hand.release();
}

export function writePlay(app) {
  app.play.querySelector("path").setAttribute("d", app.playing ? ICONS.pause : ICONS.play);
  write(app.play.querySelector("span"), app.playing ? "Pause" : "Play");
}

// What Python hears: once, when a move has ended.
function release(app) {
  const { memory } = app;
  if (memory.released === memory.stop) return;
  Object.assign(memory, { released: memory.stop, revision: nextRevision(memory.revision) });
  app.send("release", { stop: memory.stop, revision: memory.revision });
}
