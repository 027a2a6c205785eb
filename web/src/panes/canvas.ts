// A drawing that is panned by dragging or scrolling, and zoomed by buttons, keys, the wheel or two fingers.

import type { Light, Page } from "../page";
import { button, freshId, h } from "./dom";
import { bringIntoView, gently, isOrigin, keysOf, linkSpots, mark } from "./link";
import { boxNextTo } from "./svg";

/** The smallest zoom at which boxes can be read: a drawing begins with it if the whole does not fit. */
const readable = 0.62;
const smallest = 0.05;
const largest = 4;
/** How much a button or key zooms. */
const step = 1.3;

export class Canvas {
  readonly view: HTMLElement;
  #svg: SVGSVGElement | null = null;
  #natural = { width: 1, height: 1 };
  #zoom = 0; // 0: as much as fits and can be read
  #light: Light | null = null;

  constructor(
    private readonly host: HTMLElement,
    page: Page,
    body: HTMLElement,
  ) {
    const help = h("p", { class: "sr", id: freshId("pane") }, "Arrow keys go from box to box, plus and minus zoom, 0 shows all of it.");
    this.view = h("div", { class: "canvas tree", tabindex: -1, "aria-describedby": help.id });
    body.append(this.view, this.#buttons(), help);
    linkSpots(this.view, page);
    pan(this.view, (by, x, y) => this.#zoomTo(this.#scale() * by, x, y));
    this.view.addEventListener("keydown", (e) => this.#key(e));
    this.view.addEventListener("focusin", (e) => this.#focused(e));
    new ResizeObserver(() => {
      if (this.#zoom === 0) this.#resize();
    }).observe(this.view);
  }

  show(svg: SVGSVGElement): void {
    this.#svg = svg;
    this.#natural = { width: svg.viewBox.baseVal.width || 1, height: svg.viewBox.baseVal.height || 1 };
    const root = svg.querySelector("[data-node]");
    root?.setAttribute("tabindex", "0");
    this.view.replaceChildren(svg);
    this.#resize();
    if (this.#light) this.light(this.#light);
    else if (root) bringIntoView(this.view, root, "auto");
  }

  light(light: Light | null): void {
    this.#light = light;
    const svg = this.#svg;
    if (!svg) return;
    const lit = mark(svg, light && keysOf(light.trail), light?.by ?? null);
    svg.classList.toggle("some-lit", lit.length > 0);
    const nodes = new Set(light?.by === "call" ? lit.map((e) => e.getAttribute("data-node")) : []);
    for (const arrow of svg.querySelectorAll("[data-from]")) {
      arrow.classList.toggle("arrow-lit", nodes.has(arrow.getAttribute("data-from")) && nodes.has(arrow.getAttribute("data-to")));
    }
    const last = lit[lit.length - 1]; // where it ends says more than where it begins
    if (light && last && !isOrigin(this.host, light)) bringIntoView(this.view, last);
  }

  #buttons(): HTMLElement {
    return h("div", { class: "zoom", role: "group", "aria-label": "Zoom" },
      button("−", () => this.#zoomTo(this.#scale() / step), { "aria-label": "Zoom out", title: "Zoom out (−)" }),
      button("+", () => this.#zoomTo(this.#scale() * step), { "aria-label": "Zoom in", title: "Zoom in (+)" }),
      button("Fit", () => this.#showAll(), { title: "Show all of it (0)" }),
      button("1:1", () => this.#zoomTo(1), { title: "Natural size" }));
  }

  #scale(): number {
    return this.#zoom || Math.min(1, Math.max(readable, (this.view.clientWidth - 2) / this.#natural.width));
  }

  #resize(): void {
    if (!this.#svg) return;
    const scale = this.#scale();
    this.#svg.style.width = `${this.#natural.width * scale}px`;
    this.#svg.style.height = `${this.#natural.height * scale}px`;
  }

  /** Zooms and keeps what is at a place of the view where it is. */
  #zoomTo(to: number, x = this.view.clientWidth / 2, y = this.view.clientHeight / 2): void {
    const from = this.#scale();
    const at = { x: (this.view.scrollLeft + x) / from, y: (this.view.scrollTop + y) / from };
    this.#zoom = Math.min(largest, Math.max(smallest, to));
    this.#resize();
    this.view.scrollTo(at.x * this.#zoom - x, at.y * this.#zoom - y);
  }

  #showAll(): void {
    this.#zoomTo(Math.min(1, (this.view.clientWidth - 2) / this.#natural.width, (this.view.clientHeight - 2) / this.#natural.height));
  }

  /** Shows the box that a key came to. Where Tab entered the drawing, Firefox has scrolled to the middle of all of it. */
  #focused(e: FocusEvent): void {
    const box = e.target instanceof Element && e.target.matches(":focus-visible") ? e.target.closest("[data-node]") : null;
    if (box) bringIntoView(this.view, box, e.relatedTarget instanceof Node && this.view.contains(e.relatedTarget) ? gently() : "auto");
  }

  #key(e: KeyboardEvent): void {
    const svg = this.#svg;
    if (e.ctrlKey || e.metaKey || e.altKey || !svg) return;
    const box = e.target instanceof Element ? e.target.closest("[data-node]") : null;
    if (e.key === "+" || e.key === "=") this.#zoomTo(this.#scale() * step);
    else if (e.key === "-") this.#zoomTo(this.#scale() / step);
    else if (e.key === "0") this.#showAll();
    else if (box && /^Arrow/.test(e.key)) {
      const to = boxNextTo(svg, box, e.key.slice(5) as "Left" | "Right" | "Up" | "Down");
      if (to) {
        box.setAttribute("tabindex", "-1");
        to.setAttribute("tabindex", "0");
        to.focus({ preventScroll: true });
      }
    } else return;
    e.preventDefault();
  }
}

/** Pans by dragging with the mouse; zooms by the wheel with ctrl, as touch pads pinch, and by two fingers. */
function pan(view: HTMLElement, zoomBy: (by: number, x: number, y: number) => void): void {
  const down = new Map<number, { x: number; y: number }>();
  let spread = 0;
  const zoomAt = (by: number, x: number, y: number): void => {
    const box = view.getBoundingClientRect();
    zoomBy(by, x - box.left, y - box.top);
  };
  view.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    zoomAt(Math.exp(-e.deltaY / 200), e.clientX, e.clientY);
  }, { passive: false });
  view.addEventListener("pointerdown", (e) => {
    if (e.pointerType === "mouse" && e.button !== 0) return;
    down.set(e.pointerId, { x: e.clientX, y: e.clientY });
    spread = 0;
  });
  view.addEventListener("pointermove", (e) => {
    const before = down.get(e.pointerId);
    if (!before) return;
    down.set(e.pointerId, { x: e.clientX, y: e.clientY });
    if (e.pointerType === "mouse") {
      if (!view.hasPointerCapture(e.pointerId)) view.setPointerCapture(e.pointerId);
      view.scrollBy(before.x - e.clientX, before.y - e.clientY);
      return;
    }
    const [a, b] = [...down.values()];
    if (!a || !b) return; // one finger scrolls by itself
    const now = Math.hypot(a.x - b.x, a.y - b.y);
    if (spread > 0) zoomAt(now / spread, (a.x + b.x) / 2, (a.y + b.y) / 2);
    spread = now;
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
    view.addEventListener(end, (e) => down.delete(e.pointerId));
  }
}
