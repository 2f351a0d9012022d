import { backgroundOf } from "./picture.js";
import { save } from "./save.js";

// Two buttons on each chart.
const PAGES = new WeakMap();
const KINDS = ["png", "svg"];
const SAID_MS = 4000;

/** Streamlit's class of an element's key. */
const classOf = (key) => `st-key-${key.trim().replace(/[^a-zA-Z0-9_-]/g, "-")}`;

function makePair(key) {
  const pair = document.createElement("div");
  pair.className = "px-save";
  pair.dataset.chart = key;
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  pair.append(said);
  for (const kind of KINDS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind.toUpperCase();
    button.onclick = async () => {
      clearTimeout(pair.saying);
      said.textContent = "";
      try {
        await save(pair.parentElement, pair.dataset.name, kind);
      } catch (error) {
        said.style.background = backgroundOf(pair);
        said.textContent = error.message;
        pair.saying = setTimeout(() => (said.textContent = ""), SAID_MS);
      }
    };
    pair.append(button);
  }
  return pair;
}

function nameIt(pair, name) {
  if (pair.dataset.name === name) return;
  pair.dataset.name = name;
  pair.querySelectorAll("button").forEach((button, i) => {
    const words = `Save ${name} as ${KINDS[i].toUpperCase()}`;
    button.setAttribute("aria-label", words);
    button.title = words;
  });
}

/** Put buttons onto charts that have none and take them off what is no such chart any more. */
function place(page) {
  for (const [key, name] of Object.entries(page.charts)) {
    const container = document.getElementsByClassName(classOf(key))[0];
    let pair = page.pairs.get(key);
    if (container && pair?.parentElement !== container) {
      pair ??= makePair(key);
      page.pairs.set(key, pair);
      container.append(pair);
    }
    if (!container) pair?.remove();
    if (pair) nameIt(pair, name);
  }
  for (const [key, pair] of page.pairs) {
    if (key in page.charts) continue;
    pair.remove();
    page.pairs.delete(key);
  }
}

function openPage() {
  const page = { charts: {}, pairs: new Map(), frame: 0 };
  // Streamlit mounts charts anew when it likes
  page.observer = new MutationObserver(() => {
    page.frame ||= requestAnimationFrame(() => {
      page.frame = 0;
      place(page);
    });
  });
  page.observer.observe(document.querySelector("[data-testid=stApp]") ?? document.body, {
    childList: true,
    subtree: true,
    attributeFilter: ["class"],
  });
  return page;
}

export default function ({ data, parentElement }) {
  const page = PAGES.get(parentElement) ?? openPage();
  PAGES.set(parentElement, page);
  page.charts = data.charts;
  place(page);
  return () => {
    page.observer.disconnect();
    cancelAnimationFrame(page.frame);
    page.pairs.forEach((pair) => pair.remove());
    PAGES.delete(parentElement);
  };
}
