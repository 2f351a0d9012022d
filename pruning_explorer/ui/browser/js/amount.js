import { followHand, nextRevision } from "./slider.js";

// Python hears of an amount where a move ends, with a number that grows, and answers with the number of the last move
// that it has taken. To Python it is a fraction in [0, 1].
const SHARED = "pruning-explorer-amount"; // the event by which all that shows one amount moves along with a hand
export const LAST_POSITION = 1000; // a position is an amount in steps of 0.1 %

/**
 * Keeps an amount, moved by a hand elsewhere on the page or by Python. `take` is what Python says of it: {amount,
 * revision, group}, its amount null where there is none; `group` names the amount among those of the page, and without one no hand elsewhere moves it.
 * @param memory {released, revision}: the position that Python has, as far as one knows here, and its number
 * @param show is called with each new position
 * @param held whether a hand is at it here
 */
export function keepAmount({ memory, show, held = () => false }) {
  const amount = { position: null, told: null, moved: false, set, take, share, leave };
  document.addEventListener(SHARED, hear);
  return amount;

  function set(position) {
    if (position === amount.position) return;
    amount.position = position;
    show(position);
  }

  // Tells the rest of the page, while the hand is at it and once it has let go.
  function share(moving) {
    if (!amount.told?.group) return;
    const { revision } = memory;
    const detail = { group: amount.told.group, position: amount.position, revision, moving, from: amount };
    document.dispatchEvent(new CustomEvent(SHARED, { detail }));
  }

  // A hand is elsewhere at the same amount.
  function hear({ detail: { group, position, revision, moving, from } }) {
    if (from === amount || group !== amount.told?.group || held()) return;
    amount.moved = moving;
    if (!moving) Object.assign(memory, { revision, released: position });
    set(position);
  }

  // What Python says counts, unless it has not heard of the last move yet, or a hand is at it.
  function take(told) {
    amount.told = told;
    const heard = told.revision >= (memory.revision ?? 0) && !amount.moved && !held();
    if (heard) Object.assign(memory, { revision: told.revision, released: toPosition(told.amount) });
    if (heard || amount.position === null) set(memory.released);
  }

  function leave() {
    document.removeEventListener(SHARED, hear);
  }
}

/**
 * Keeps an amount with its slider, moved by a hand here too.
 * @param slider an `input` of type "range" in percent, or what has its handlers, `value` and `valueAsNumber`
 * @param send tells Python of a release
 * @param held whether a hand is at it beside the slider
 */
export function followAmount(slider, { memory, show, send, held = () => false }) {
  const amount = keepAmount({
    memory,
    show(position) {
      if (Number(slider.value) !== position / 10) slider.value = String(position / 10);
      show(position);
    },
    held: () => hand.dragging || hand.waiting || held(),
  });
  const hand = followHand(slider, { move: (percent) => moveTo(Math.round(percent * 10)), release });
  const { leave } = amount;
  return Object.assign(amount, {
    hand,
    moveTo,
    leave() {
      hand.leave();
      if (hand.dragging) amount.share(false); // others would wait for the end of this move
      leave();
    },
  });

  // By a hand here.
  function moveTo(position) {
    amount.set(Math.min(LAST_POSITION, Math.max(0, position)));
    amount.share(true);
  }

  function release() {
    if (memory.released === amount.position) {
      amount.share(false);
      amount.take(amount.told); // what Python said meanwhile
      return;
    }
    Object.assign(memory, { revision: nextRevision(memory.revision), released: amount.position });
    send({ amount: amount.position / LAST_POSITION, revision: memory.revision });
    amount.share(false);
  }
}

const toPosition = (fraction) => (fraction === null ? null : Math.round(fraction * LAST_POSITION));
