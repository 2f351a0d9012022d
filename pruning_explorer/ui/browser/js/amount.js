import { followHand, nextRevision } from "./slider.js";

// Python hears of an amount where a move ends, with a number that grows, and answers with the number of the last move
// that it has taken. To Python it is a fraction in [0, 1].
const SHARED = "pruning-explorer-amount"; // the event by which controls of one amount move along with each other
export const LAST_POSITION = 1000; // a position is an amount in steps of 0.1 %

/**
 * Keeps an amount with its slider, moved by a hand here, by one at another control of the same group, or by Python.
 * @param memory {released, revision}: the position that Python has, as far as one knows here, and its number
 * @param show is called with each new position
 * @param send tells Python of a release
 * @param held whether a hand is at it beside the slider
 */
export function followAmount(slider, { memory, show, send, held = () => false }) {
  const amount = { position: null, told: null, moveTo, take, leave };
  const hand = followHand(slider, { move: (percent) => moveTo(Math.round(percent * 10)), release });
  amount.hand = hand;
  document.addEventListener(SHARED, hear);
  return amount;

  function set(position) {
    if (position === amount.position) return;
    amount.position = position;
    if (Number(slider.value) !== position / 10) slider.value = String(position / 10);
    show(position);
  }

  // By a hand here.
  function moveTo(position) {
    set(Math.min(LAST_POSITION, Math.max(0, position)));
    share(null);
  }

  function share(revision) {
    if (!amount.told?.group) return;
    const detail = { group: amount.told.group, position: amount.position, revision, from: amount };
    document.dispatchEvent(new CustomEvent(SHARED, { detail }));
  }

  // A hand is at another control of the same amount.
  function hear({ detail: { group, position, revision, from } }) {
    if (from === amount || group !== amount.told?.group || hand.dragging || held()) return;
    set(position);
    if (revision) Object.assign(memory, { revision, released: position });
  }

  // What Python says counts, unless it has not heard of the last move yet, or a hand is at it.
  function take(told) {
    amount.told = told;
    const heard = told.revision >= (memory.revision ?? 0) && !hand.dragging && !hand.waiting && !held();
    if (heard) Object.assign(memory, { revision: told.revision, released: toPosition(told.amount) });
    if (heard || amount.position === null) set(memory.released);
  }

  function release() {
    if (memory.released === amount.position) {
      take(amount.told); // what Python said meanwhile
      return;
    }
    Object.assign(memory, { revision: nextRevision(memory.revision), released: amount.position });
    send({ amount: amount.position / LAST_POSITION, revision: memory.revision });
    share(memory.revision);
  }

  function leave() {
    hand.leave();
    document.removeEventListener(SHARED, hear);
  }
}

const toPosition = (fraction) => Math.round(fraction * LAST_POSITION);
