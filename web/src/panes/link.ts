// What links the panes: elements carry the spot that they show, the pointer and the keyboard's focus
// light it up, and what belongs to it is marked in all panes and brought into view.

import type { Light, Page } from "../page";
import type { Spot, Trail } from "../protocol";

/** A spot as text, for data-spot. */
export function spotKey(spot: Spot): string {
  if ("call" in spot) return `call ${spot.call.number} ${spot.call.abi}`;
  if ("node" in spot) return `node ${spot.node}`;
  if ("pc" in spot) return `pc ${spot.pc}`;
  return `pointer ${spot.pointer}`;
}

/** The spot of a text that spotKey made. */
export function spotOf(key: string): Spot {
  const [, kind, rest] = /^(\w+) ?([^]*)$/.exec(key)!;
  switch (kind) {
    case "call": {
      const [, number, abi] = /^(\d+) ([^]*)$/.exec(rest!)!;
      return { call: { abi: abi!, number: Number(number) } };
    }
    case "node":
      return { node: Number(rest) };
    case "pc":
      return { pc: Number(rest) };
  }
  return { pointer: rest! };
}

/** The keys of all that a trail has. */
export function keysOf(trail: Trail): Set<string> {
  const keys = new Set<string>();
  for (const call of trail.calls) keys.add(spotKey({ call }));
  for (const node of trail.nodes) keys.add(spotKey({ node }));
  for (const pc of trail.pcs) keys.add(spotKey({ pc }));
  for (const pointer of trail.pointers) keys.add(spotKey({ pointer }));
  return keys;
}

/** What is under the pointer and what has the focus, of all panes of a page. The pointer comes first;
 * when it leaves, what was clicked is lit again, because a click gives the focus. */
class Pointing {
  private hovered: string | null = null;
  private focused: string | null = null;

  constructor(private readonly page: Page) {}

  hover(key: string | null): void {
    this.hovered = key;
    this.tell();
  }

  focus(key: string | null): void {
    this.focused = key;
    this.tell();
  }

  private tell(): void {
    const key = this.hovered ?? this.focused;
    this.page.point(key === null ? null : spotOf(key));
  }
}

const pointings = new WeakMap<Page, Pointing>();

function pointingOf(page: Page): Pointing {
  let pointing = pointings.get(page);
  if (!pointing) pointings.set(page, (pointing = new Pointing(page)));
  return pointing;
}

function keyAt(event: Event): string | null {
  const target = event.target instanceof Element ? event.target.closest("[data-spot]") : null;
  return target?.getAttribute("data-spot") ?? null;
}

/** Makes the elements with data-spot in a pane light up what belongs to them. */
export function linkSpots(pane: HTMLElement, page: Page): void {
  const pointing = pointingOf(page);
  pane.addEventListener("pointerover", (e) => {
    if (e.pointerType !== "touch") pointing.hover(keyAt(e));
  });
  pane.addEventListener("pointerleave", () => pointing.hover(null));
  pane.addEventListener("focusin", (e) => {
    // A click on a button does something; the keyboard's focus on it lights up as the pointer does.
    const clicked = e.target instanceof HTMLButtonElement && !e.target.matches(":focus-visible");
    pointing.focus(clicked ? null : keyAt(e));
  });
  pane.addEventListener("focusout", () => pointing.focus(null));
  pane.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && keyAt(e) !== null) pointing.focus(null);
  });
}

/** Whether what is lit was pointed at in this pane, which must not move then. */
export function isOrigin(pane: HTMLElement, light: Light): boolean {
  if (light.by !== "pointer") return false;
  if (pane.matches(":hover")) return true;
  const focus = document.activeElement;
  return focus !== null && pane.contains(focus) && focus.closest("[data-spot]") !== null && document.querySelector(".pane:hover [data-spot]:hover") === null;
}

/** Marks the elements under root that are lit. Returns them in the order of the page. */
export function mark(root: ParentNode, keys: ReadonlySet<string> | null, by: Light["by"] | null): Element[] {
  const lit: Element[] = [];
  for (const element of root.querySelectorAll("[data-spot]")) {
    const on = keys?.has(element.getAttribute("data-spot")!) ?? false;
    if (element.classList.contains("lit") !== on) element.classList.toggle("lit", on);
    if (element.classList.contains("path") !== (on && by === "call")) element.classList.toggle("path", on && by === "call");
    if (on) lit.push(element);
  }
  return lit;
}

/** Scrolls one box until an element in it can be seen, and moves nothing else. */
export function bringIntoView(scroller: HTMLElement, element: Element, behavior: ScrollBehavior = gently()): void {
  const box = scroller.getBoundingClientRect();
  const at = element.getBoundingClientRect();
  const shift = (start: number, end: number, from: number, to: number): number => {
    if (start >= from && end <= to) return 0;
    return start - from - Math.max(0, (to - from - (end - start)) * 0.4);
  };
  const top = shift(at.top, at.bottom, box.top, box.bottom);
  const left = shift(at.left, at.right, box.left, box.right);
  if (top !== 0 || left !== 0) scroller.scrollBy({ top, left, behavior });
  else halt(scroller);
}

/** Ends a smooth scrolling towards something that is not wanted any more. */
export function halt(scroller: HTMLElement): void {
  scroller.scrollTo({ top: scroller.scrollTop, left: scroller.scrollLeft, behavior: "instant" });
}

/** Smooth, unless the reader asked for less motion. */
export function gently(): ScrollBehavior {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
}
