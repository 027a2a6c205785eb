// The few looks that all panes share.

import type { Look } from "../protocol";
import { freshId, h, type Child, type Value } from "../dom";

export { freshId, h };

/** A button that does not submit anything. */
export function button(text: string, click: () => void, attributes: Record<string, Value> = {}): HTMLButtonElement {
  return h("button", { type: "button", click, ...attributes }, text);
}

/** The frame of a pane: its title with the tools beside it, and the part that scrolls. */
export function frame(host: HTMLElement, name: string, title: string, ...tools: Child[]): { head: HTMLElement; body: HTMLElement } {
  const id = freshId("pane");
  const head = h("header", { class: "pane-head" }, h("h2", { id }, title), ...tools);
  const body = h("div", { class: "pane-body" });
  host.classList.add("pane", `pane-${name}`);
  host.setAttribute("aria-labelledby", id);
  if (host.tagName !== "SECTION") host.setAttribute("role", "region");
  host.append(head, body);
  return { head, body };
}

/** A verdict as a coloured word. */
export function chip(look: Look | undefined, text: string): HTMLElement {
  return h("span", { class: look ? `chip ${look}` : "chip" }, text);
}

const verdictWords = /\b(?:ALLOW|LOG|ERRNO\(\d+\)(?: E[A-Z0-9]+)?|TRACE(?:\(\d+\))?|USER_NOTIF|NOTIFY|TRAP(?:\(\d+\))?|KILL_(?:PROCESS|THREAD)|KILL)\b\)?/g;

/** The look of a verdict in words. */
export function lookOf(verdict: string): Look {
  if (verdict.startsWith("ALLOW")) return "allow";
  if (verdict.startsWith("LOG")) return "log";
  if (verdict.startsWith("ERRNO")) return "errno";
  return /^(TRACE|USER_NOTIF|NOTIFY)/.test(verdict) ? "ask" : "kill";
}

/** A sentence with its verdicts in their colours. */
export function coloured(sentence: string): DocumentFragment {
  const out = document.createDocumentFragment();
  let at = 0;
  for (const match of sentence.matchAll(verdictWords)) {
    out.append(breakable(sentence.slice(at, match.index)), h("b", { class: `word ${lookOf(match[0])}` }, match[0]));
    at = match.index + match[0].length;
  }
  out.append(breakable(sentence.slice(at)));
  return out;
}

/** A text whose lines may end after the bars between flags. */
function breakable(text: string): DocumentFragment {
  const out = document.createDocumentFragment();
  text.split("|").forEach((part, i) => out.append(...(i > 0 ? ["|", h("wbr")] : []), part));
  return out;
}

/** "1 call", "2 calls": number and noun. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

/** Fills a list in steps, with a button for more: whoever opens 10,000 entries sees the first at once. */
export function inSteps<T>(list: HTMLElement, items: readonly T[], step: number, noun: string, make: (item: T) => Node): void {
  const more = (from: number): void => {
    const to = Math.min(from + step, items.length);
    list.append(...items.slice(from, to).map(make));
    if (to === items.length) return;
    const next = Math.min(step, items.length - to);
    const text = next === items.length - to ? `Show the other ${count(next, noun)}` : `Show ${next} more of ${count(items.length - to, noun)}`;
    const row = h(list.tagName === "UL" || list.tagName === "OL" ? "li" : "div", { class: "more" }, button(text, () => {
      row.remove();
      const focus = list.children.length;
      more(to);
      const first = list.children[focus];
      (first?.querySelector<HTMLElement>("[tabindex], button, summary") ?? null)?.focus();
    }));
    list.append(row);
  };
  more(0);
}
