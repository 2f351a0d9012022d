import { layersText } from "./words.js";

// The list of types: one press chooses all layers of a type, and no others.

/** The layers of each type, by type, as places in `layers`; the most frequent type first. */
export function layersByType(layers) {
  const types = new Map();
  layers.forEach(([, type], layer) => types.set(type, [...(types.get(type) ?? []), layer]));
  return [...types].toSorted(([, one], [, other]) => other.length - one.length);
}

export function bindTypes(app) {
  const { types, byType } = app;
  byType.popoverTargetElement = types;
  types.ontoggle = ({ newState }) => {
    byType.setAttribute("aria-expanded", String(newState === "open"));
    if (newState !== "open") return;
    const [button, list] = [byType.getBoundingClientRect(), types.getBoundingClientRect()];
    const below = button.bottom + list.height + 8 < innerHeight;
    types.style.left = `${Math.max(8, Math.min(button.left, innerWidth - list.width - 8))}px`;
    types.style.top = `${Math.max(8, below ? button.bottom + 4 : button.top - list.height - 4)}px`;
    types.querySelector("button").focus();
  };
}

export function writeTypes(app) {
  const kinds = layersByType(app.layers);
  app.types.replaceChildren(
    ...kinds.map(([type, layers]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `Only ${type}: ${layersText(layers.length)}`;
      button.onclick = () => {
        app.types.hidePopover();
        app.only(layers);
      };
      return button;
    }),
  );
}
