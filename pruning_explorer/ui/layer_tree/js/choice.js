// Which layers are chosen: a Uint8Array of 0 and 1 by layer. It travels as a text of these digits.

export const readChoice = (digits) => Uint8Array.from(digits, Number);
export const writeChoice = (chosen) => Array.from(chosen).join("");

/** "true", "false" or, where some of the layers are chosen, "mixed": as `aria-checked` has it. */
export function checkedOf(layers, chosen) {
  const count = countChosen(layers, chosen);
  if (!count) return "false";
  return count === layers.length ? "true" : "mixed";
}

export const countChosen = (layers, chosen) => layers.reduce((sum, layer) => sum + chosen[layer], 0);

/** The choice with these layers on or off; without saying which: on, unless all of them are. */
export function choose(chosen, layers, on = checkedOf(layers, chosen) !== "true") {
  const after = chosen.slice();
  for (const layer of layers) after[layer] = Number(on);
  return after;
}

/** The choice with these layers on and all others off. */
export const chooseOnly = (chosen, layers) => choose(new Uint8Array(chosen.length), layers, true);

/** What Python says of layers that are new here, and what a hand said of the others, which Python has not heard yet. */
export function carryChoice(names, told, namesBefore, chosenBefore) {
  const before = new Map(namesBefore.map((name, layer) => [name, chosenBefore[layer]]));
  return told.map((digit, layer) => before.get(names[layer]) ?? digit);
}
