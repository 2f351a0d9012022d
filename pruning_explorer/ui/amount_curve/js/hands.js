import { LAST_POSITION } from "../../browser/js/amount.js";

// Hands at the curve: mouse, touch, keyboard.
const SNAP = 6; // px from a mark, within which a pointer goes to it
const GRAB = 14; // px from the handle, within which it is taken hold of where it stands
const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 100, PageDown: -100 };
const WIDER = 10; // times, with shift

/** Where a key leads from a position; null for a key that leads nowhere. */
export function keyFrom(key, shift, position) {
  if (key === "Home") return 0;
  if (key === "End") return LAST_POSITION;
  const step = STEPS[key];
  if (!step) return null;
  const far = shift && key.startsWith("Arrow") ? WIDER : 1;
  return Math.min(LAST_POSITION, Math.max(0, position + step * far));
}

/** The position at `x` px of a track that is `width` px wide; close to a mark it is the mark's. */
export function positionAt(x, width, marks) {
  const place = (x / width) * LAST_POSITION;
  const reach = (SNAP / width) * LAST_POSITION;
  const far = (mark) => Math.abs(mark - place);
  const near = marks.filter((mark) => far(mark) <= reach).sort((a, b) => far(a) - far(b));
  return near[0] ?? Math.min(LAST_POSITION, Math.max(0, Math.round(place)));
}

/**
 * Binds them. The app has `plot`, which they are at, `area`, the track's extent, `slider`, which hears of them as of an
 * input's own, `amount`, `marks` (one at least where the amount is null), and `point`, which is told where a pointer hovers, or null.
 */
export function bindHands(app) {
  const { plot, area, slider } = app;
  let drag = null;
  const goTo = (position) => {
    slider.value = String(position / 10);
    slider.oninput();
  };
  const move = (event) => goTo(positionAt(event.clientX - drag.grabbed - drag.box.left, drag.box.width, app.marks));
  plot.onpointerdown = (event) => {
    if (event.button > 0 || drag) return;
    const box = area.getBoundingClientRect();
    const { position } = app.amount;
    const mark = event.target.closest(".flag")?.dataset.position;
    const off = event.clientX - box.left - (box.width * Number(mark ?? position)) / LAST_POSITION;
    const held = mark !== undefined || (position !== null && Math.abs(off) <= GRAB);
    drag = { pointer: event.pointerId, box, grabbed: held ? off : 0, from: position, moved: false };
    plot.setPointerCapture(event.pointerId);
    slider.onpointerdown();
    app.point(null);
    if (event.pointerType !== "touch") move(event); // a finger may be about to scroll
  };
  plot.onpointermove = (event) => {
    if (drag?.pointer === event.pointerId) {
      drag.moved = true;
      move(event);
    } else if (!drag && event.pointerType !== "touch") {
      const { left, width } = area.getBoundingClientRect();
      const x = event.clientX - left;
      app.point(x < 0 || x > width ? null : positionAt(x, width, app.marks));
    }
  };
  plot.onpointerup = (event) => {
    if (drag?.pointer !== event.pointerId) return;
    if (!drag.moved) move(event); // a tap
    drag = null;
    slider.onchange();
  };
  plot.onpointercancel = (event) => {
    if (drag?.pointer !== event.pointerId) return;
    const { hand } = app.amount;
    app.amount.set(drag.from); // it was a scroll
    drag = null;
    hand.dragging = false;
    hand.release();
  };
  plot.onpointerleave = () => app.point(null);
  plot.onblur = () => slider.onblur();
  plot.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || drag) return;
    const position = keyFrom(event.key, event.shiftKey, app.amount.position ?? app.marks[0]);
    if (position === null) return;
    event.preventDefault();
    slider.onkeydown();
    goTo(position);
  };
}
