const GAP = 4;
const EDGE = 8;

/** What a figure's "?" opens: a popover of the browser's own, which a key, a finger and a click outside close. */
export function openHelp(button, element, name, readOff) {
  element.id = `help-${name}`;
  element.querySelector(".read-off").hidden = !readOff;
  button.popoverTargetElement = element;
  let within = false; // whether the focus was in it; Chromium does not bring it back out of a shadow root
  element.addEventListener("beforetoggle", ({ newState }) => {
    within = newState === "closed" && element.matches(":focus-within");
  });
  element.addEventListener("toggle", ({ newState }) => {
    if (newState === "open") place(button, element);
    else if (within) button.focus();
  });
  return {
    element,
    name(label) {
      button.setAttribute("aria-label", `About ${label}`);
      element.setAttribute("aria-label", label);
    },
    fill(amount, text, links) {
      element.querySelector(".at").textContent = `At ${(amount * 100).toFixed(1)} %:`;
      element.querySelector(".text").textContent = text;
      element.querySelector(".links").replaceChildren(...links.flatMap(linkTo));
    },
  };
}

function linkTo({ title, address }, number) {
  const link = document.createElement("a");
  Object.assign(link, { href: address, target: "_blank", rel: "noopener", textContent: `Glossary: ${title}` });
  return number ? [" · ", link] : [link];
}

// Below its button, inside the window.
function place(button, element) {
  const at = button.getBoundingClientRect();
  const { width, height } = element.getBoundingClientRect();
  const below = at.bottom + GAP + height <= innerHeight - EDGE;
  const top = below ? at.bottom + GAP : Math.max(EDGE, at.top - GAP - height);
  const left = Math.max(EDGE, Math.min(at.right - width, innerWidth - EDGE - width));
  Object.assign(element.style, { left: `${left}px`, top: `${top}px` });
}
