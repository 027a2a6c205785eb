// Reads the engine's drawing. The engine escapes what it writes; still nothing is taken over but the
// elements and attributes that drawings have, so that a mistake there cannot become a script here.

import { spotKey } from "./link";

const space = "http://www.w3.org/2000/svg";
const elements = new Set(["svg", "title", "desc", "defs", "marker", "path", "rect", "g", "text", "tspan"]);
const attributes = new Set([
  "viewBox", "width", "height", "x", "y", "rx", "d", "id", "class", "refX", "refY", "markerWidth", "markerHeight", "orient", "marker-end",
  "data-node", "data-from", "data-to", "data-calls", "data-pcs", "data-rules",
]);

/** How many characters of a drawing a page can show without a pause that is felt. */
const largest = 6 << 20;

/** The drawing as elements of the page, or null if it is none or too large. */
export function readDrawing(text: string): SVGSVGElement | null {
  if (text.length > largest) return null;
  const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (root.namespaceURI !== space || root.localName !== "svg") return null;
  const svg = copy(root) as SVGSVGElement;
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", root.querySelector(":scope > title")?.textContent || "Drawing of the profile");
  svg.querySelector(":scope > title")?.remove(); // a tooltip over everything
  for (const box of svg.querySelectorAll("[data-node]")) describe(box);
  return svg;
}

function copy(from: Element): Element {
  const to = document.createElementNS(space, from.localName);
  for (const { name, value } of from.attributes) {
    if (attributes.has(name) && (name !== "marker-end" || /^url\(#[\w-]+\)$/.test(value))) to.setAttribute(name, value);
  }
  for (const child of from.childNodes) {
    if (child instanceof Text) to.append(child.data);
    else if (child instanceof Element && child.namespaceURI === space && elements.has(child.localName)) to.append(copy(child));
  }
  return to;
}

/** Makes a box a spot that the keyboard reaches and screen readers read. */
function describe(box: Element): void {
  box.setAttribute("data-spot", spotKey({ node: Number(box.getAttribute("data-node")) }));
  box.setAttribute("tabindex", "-1");
  box.setAttribute("role", "img");
  const lines = [...box.querySelectorAll("text")].map((t) => t.textContent ?? "");
  const title = box.querySelector("title")?.textContent;
  box.setAttribute("aria-label", lines.join(" ") + (title ? ` (${title})` : ""));
}

/** The box that an arrow key goes to: the nearest one on that side, those straight ahead first. */
export function boxNextTo(svg: SVGSVGElement, from: Element, side: "Left" | "Right" | "Up" | "Down"): SVGGElement | null {
  const here = from.getBoundingClientRect();
  const x = (here.left + here.right) / 2;
  const y = (here.top + here.bottom) / 2;
  let best: SVGGElement | null = null;
  let least = Infinity;
  for (const box of svg.querySelectorAll<SVGGElement>("[data-node]")) {
    if (box === from) continue;
    const there = box.getBoundingClientRect();
    const dx = side === "Left" ? here.left - there.right : side === "Right" ? there.left - here.right : Math.abs((there.left + there.right) / 2 - x);
    const dy = side === "Up" ? y - (there.top + there.bottom) / 2 : side === "Down" ? (there.top + there.bottom) / 2 - y : Math.abs((there.top + there.bottom) / 2 - y);
    if (dx < 0 || dy < 0 || ((side === "Up" || side === "Down") && dy === 0)) continue;
    const cost = side === "Left" || side === "Right" ? dx * 2 + dy : dy + dx * 4;
    if (cost < least) {
      least = cost;
      best = box;
    }
  }
  return best;
}
