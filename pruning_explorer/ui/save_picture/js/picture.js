import { partsOf, pixelOf } from "../../browser/js/theme.js";

// A Plotly chart of this page as one SVG that stands alone.
const SVG = "http://www.w3.org/2000/svg";
const TOOLS = ".hoverlayer, .draglayer, .zoomlayer, .selectionlayer, .menulayer, .legendtoggle, .scrollbar";
const INHERITED = [
  "fill",
  "fill-opacity",
  "fill-rule",
  "clip-rule",
  "stroke",
  "stroke-opacity",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-linejoin",
  "stroke-miterlimit",
  "font-family",
  "font-size",
  "font-style",
  "font-variant",
  "font-weight",
  "letter-spacing",
  "word-spacing",
  "text-anchor",
  "white-space",
  "direction",
  "visibility",
  "shape-rendering",
  "image-rendering",
  "paint-order",
];
const FOR_POINTERS = ["pointer-events", "data-unformatted", "data-math", "data-notex", "data-subplot"];
const FONTS = new Map();

/** One SVG element, width and height in CSS pixels: layers of the chart over one another on the page's background. */
export async function standalone(chart, title) {
  const layers = [...chart.querySelectorAll(".svg-container > svg.main-svg")];
  const [width, height] = ["width", "height"].map((side) => Number(layers[0].getAttribute(side)));
  const svg = make("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(make("title", {}, title));
  svg.append(make("rect", { width, height, fill: backgroundOf(layers[0]) }));
  const fonts = new Set();
  for (const layer of layers) {
    const copy = make("g");
    copy.append(...[...layer.childNodes].map((child) => child.cloneNode(true)));
    inline(layer, copy, null, fonts);
    copy.querySelectorAll(TOOLS).forEach((tool) => tool.remove());
    if (copy.childElementCount) svg.append(copy);
  }
  const faces = await embedded(fonts);
  if (faces) svg.querySelector("title").after(make("style", {}, faces));
  return { text: new XMLSerializer().serializeToString(svg), width, height };
}

function make(tag, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

/** What stylesheets and ancestors give an element is written onto its copy, where it is not what the parent hands down. */
function inline(live, copy, parent, fonts) {
  const style = getComputedStyle(live);
  const here = INHERITED.map((name) => style.getPropertyValue(name));
  INHERITED.forEach((name, i) => {
    if (here[i] !== parent?.[i]) copy.style.setProperty(name, here[i]);
  });
  if (style.display === "none") copy.style.display = "none";
  // lines that keep their width while all else doubles would be thin in a PNG
  for (const name of ["cursor", "pointer-events", "vector-effect"]) copy.style.removeProperty(name);
  for (const name of FOR_POINTERS) copy.removeAttribute(name);
  for (const { name, value } of [...copy.attributes]) {
    // an address of this page before the # would point out of the file
    if (value.includes("url("))
      copy.setAttribute(name, value.replace(/url\((["']?)[^"')]*#([^"')]*)\1\)/g, "url(#$2)"));
  }
  if (live.localName === "text" || live.localName === "tspan") fonts.add(`${style.fontStyle} ${style.fontFamily}`);
  [...live.children].forEach((child, i) => inline(child, copy.children[i], here, fonts));
}

/** The colour that one sees behind an element: all backgrounds up to the first that nothing shines through. */
export function backgroundOf(element) {
  const behind = [];
  for (let at = element; at; at = at.parentElement) behind.push(getComputedStyle(at).backgroundColor);
  return `rgb(${partsOf(pixelOf(...behind, "white")).join(", ")})`;
}

/** The page's loaded web fonts among those wanted, as @font-face rules that carry the font; the rest is the reader's. */
async function embedded(wanted) {
  const plain = (family) => family.replace(/["']/g, "").trim();
  const loaded = [...document.fonts].filter((font) => font.status === "loaded");
  const needed = ({ style }) =>
    [...wanted].some((font) => {
      const [slant, ...family] = font.split(" ");
      return (
        slant === (style.fontStyle || "normal") && plain(family.join(" ").split(",")[0]) === plain(style.fontFamily)
      );
    }) && loaded.some((font) => plain(font.family) === plain(style.fontFamily));
  const rules = [...document.styleSheets].flatMap((sheet) => {
    try {
      return [...sheet.cssRules].filter((rule) => rule instanceof CSSFontFaceRule && needed(rule));
    } catch {
      return []; // of another origin
    }
  });
  const texts = rules.map(async (rule) => {
    const source = rule.style.getPropertyValue("src");
    const address = /url\(["']?([^"')]+)["']?\)/.exec(source)?.[1];
    if (!address) return "";
    const url = new URL(address, rule.parentStyleSheet.href ?? document.baseURI).href;
    if (!FONTS.has(url)) FONTS.set(url, dataOf(url));
    const data = await FONTS.get(url);
    if (!data) FONTS.delete(url);
    return data ? rule.cssText.replace(/src:[^;]*/, `src: url("${data}")`) : "";
  });
  return (await Promise.all(texts)).join("\n");
}

/** A file that the page has loaded before, as a data URL; nothing if it cannot be had, so that a picture can do without. */
async function dataOf(url) {
  try {
    const answer = await fetch(url, { cache: "force-cache", signal: AbortSignal.timeout(3000) });
    if (!answer.ok) return "";
    const reader = new FileReader();
    reader.readAsDataURL(await answer.blob());
    await new Promise((done) => (reader.onloadend = done));
    return reader.result ?? "";
  } catch {
    return "";
  }
}
