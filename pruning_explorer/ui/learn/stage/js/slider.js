// ---- hands: the slider and the play button -------------------------------------------------------------------------
const PLAY_TIME = 8000; // ms from the first stop to the last
const LONGEST_STEP = 800; // ms at one stop, where there are few
const KEY_PAUSE = 250; // ms without a key before Python hears of the stop
const ICONS = { play: "M4 2.5v11l9-5.5z", pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z" };

function bindSlider(app) {
  const { slider, play } = app;
  // handlers in braces: one that returns false would cancel its event
  slider.onpointerdown = () => {
    pause(app, false);
    app.dragging = true;
    app.byKey = false;
  };
  slider.onkeydown = (event) => {
    pause(app, false);
    app.byKey = true;
    // these move the slider and nothing else; all others are the page's own
    if (/^(Arrow|Home|End)/.test(event.key)) event.stopPropagation();
  };
  slider.oninput = () => {
    moveTo(app, slider.valueAsNumber);
    if (!app.dragging) releaseSoon(app);
  };
  slider.onchange = () => {
    moveTo(app, slider.valueAsNumber);
    if (app.byKey) {
      releaseSoon(app);
    } else {
      app.dragging = false;
      release(app);
    }
  };
  // after the change event, which some browsers fire later than pointerup
  slider.onpointerup = slider.onpointercancel = () => {
    setTimeout(() => {
      if (!app.dragging) return;
      app.dragging = false;
      release(app);
    }, 60);
  };
  slider.onblur = () => {
    if (app.waiting) release(app);
  };
  play.onclick = () => {
    if (app.playing) pause(app, true);
    else start(app);
  };
}

function releaseSoon(app) {
  clearTimeout(app.waiting);
  app.waiting = setTimeout(() => release(app), KEY_PAUSE);
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

function pause(app, tell) {
  if (!app.playing) return;
  cancelAnimationFrame(app.playing);
  app.playing = 0;
  writePlay(app);
  if (tell) release(app);
}

function writePlay(app) {
  app.play.querySelector("path").setAttribute("d", app.playing ? ICONS.pause : ICONS.play);
  write(app.play.querySelector("span"), app.playing ? "Pause" : "Play");
}

// What Python hears: once, when a move has ended.
function release(app) {
  clearTimeout(app.waiting);
  app.waiting = 0;
  const { memory } = app;
  if (memory.released === memory.stop) return;
  memory.released = memory.stop;
  // the time of day: it still grows after this component was away and came back
  memory.revision = Math.max(Date.now(), (memory.revision ?? 0) + 1);
  app.send("release", { stop: memory.stop, revision: memory.revision });
}
