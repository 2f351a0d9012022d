const KEY_PAUSE = 250; // ms without a key before Python hears of the new place
const POINTER_PAUSE = 60; // ms for the change event, which some browsers fire after pointerup

/**
 * Follows a hand at a slider.
 * @param move hears of each step, with the slider's value
 * @param release is called once where a move ends
 */
export function followHand(slider, { move, release }) {
  const hand = {
    dragging: false,
    byKey: false,
    waiting: 0, // the timer of a release that is to come
    releaseSoon() {
      clearTimeout(hand.waiting);
      hand.waiting = setTimeout(hand.release, KEY_PAUSE);
    },
    release() {
      clearTimeout(hand.waiting);
      hand.waiting = 0;
      release();
    },
    leave: () => clearTimeout(hand.waiting),
  };
  const letGo = () => {
    hand.dragging = false;
    hand.release();
  };
  // handlers in braces: one that returns false would cancel its event
  slider.onpointerdown = () => {
    hand.dragging = true;
    hand.byKey = false;
  };
  slider.onkeydown = () => {
    hand.byKey = true;
  };
  slider.oninput = () => {
    move(slider.valueAsNumber);
    if (!hand.dragging) hand.releaseSoon();
  };
  slider.onchange = () => {
    move(slider.valueAsNumber);
    if (hand.byKey) hand.releaseSoon();
    else letGo();
  };
  slider.onpointerup = slider.onpointercancel = () => {
    setTimeout(() => hand.dragging && letGo(), POINTER_PAUSE);
  };
  slider.onblur = () => {
    if (hand.waiting) hand.release();
  };
  return hand;
}

/** The number of a release: the time of day grows also after a component was away, and from one component to another. */
export const nextRevision = (last) => Math.max(Date.now(), (last ?? 0) + 1);
