// Completes calls as they are typed: names, then the constants of the argument under the cursor.

import type { Page, State } from "../page";
import type { CallWords } from "../protocol";
import { freshId, h } from "./dom";

/** What can stand at the cursor. */
export interface Completion {
  from: number;
  to: number;
  words: string[];
  call?: CallWords; // whose arguments are typed
  arg?: number;
}

/** How many words are offered at once. */
const offered = 50;

/** Finds what can stand at a place of a call's text. */
export function complete(calls: readonly CallWords[], text: string, at: number, namesOnly = false): Completion {
  const before = text.slice(0, at);
  const from = at - /\w*$/.exec(before)![0].length;
  const to = at + /^\w*/.exec(text.slice(at))![0].length;
  const start = before.slice(from).toLowerCase();
  const open = before.search(/[(\s]\s*\S?/);
  if (namesOnly || open < 0 || before.trimStart() === before.slice(from)) {
    return { from, to, words: ranked(calls.map((c) => c.name), start) };
  }
  const name = /^\s*(\w+)/.exec(text)?.[1];
  const call = calls.find((c) => c.name === name);
  if (!call || before.includes(")")) return { from, to, words: [] };
  const pieces = before.slice(before.indexOf(name!) + name!.length).replace(/^\s*\(?\s*/, "").split(/\s*,\s*|\s+(?=\w+=)/);
  const piece = pieces[pieces.length - 1]!;
  const named = /^(\w+)\s*=/.exec(piece)?.[1];
  const arg = named ? call.args.findIndex((a) => a.name === named) : pieces.length - 1;
  const constants = call.args[arg]?.constants ?? [];
  return { from, to, words: ranked(constants, start), call, arg };
}

/** A call that is still being typed as if it ended here: "socket(AF_INET, " is "socket(AF_INET)". */
export function ended(text: string): string {
  const call = text.trim();
  return call.includes("(") && !call.includes(")") ? `${call.replace(/[\s,|]+$/, "")})` : call;
}

/** The words that begin with what was typed, then those that contain it. */
function ranked(words: readonly string[], start: string): string[] {
  const begin: string[] = [];
  const inside: string[] = [];
  for (const word of words) {
    const at = word.toLowerCase().indexOf(start);
    if (at === 0) begin.push(word);
    else if (at > 0) inside.push(word);
  }
  return [...begin, ...inside].slice(0, offered);
}

const known = new WeakMap<Page, Map<string, Promise<CallWords[]>>>();

/** The calls of an ABI, asked for once. */
function callsOf(page: Page, abi: string): Promise<CallWords[]> {
  let byABI = known.get(page);
  if (!byABI) known.set(page, (byABI = new Map()));
  let calls = byABI.get(abi);
  if (!calls) {
    const forget = (): CallWords[] => {
      byABI!.delete(abi);
      return [];
    };
    calls = page.ask("calls", { abi }, `complete ${abi}`).then((reply) => reply?.answer ?? forget(), forget);
    byABI.set(abi, calls);
  }
  return calls;
}

export interface Completing {
  /** The ABI whose calls are offered; "" is the first of the target's. */
  abi(state: Readonly<State>): string;
  namesOnly?: boolean;
}

/** Wraps an input into a box that offers completions below it. The input's own events tell of every
 * change, accepted completions included. */
export function completing(input: HTMLInputElement, page: Page, options: Completing): HTMLElement {
  return new Offers(input, page, options).box;
}

/** The completions of an input: a combobox as ARIA describes it. */
class Offers {
  readonly box: HTMLElement;
  #list = h("ul", { class: "offers", role: "listbox", id: freshId("offers"), "aria-label": "Completions", popover: "manual" });
  #hint = h("span", { class: "signature", hidden: true });
  #found: Completion | null = null;
  #chosen = -1;
  #turn = 0;
  #open: AbortController | null = null;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly page: Page,
    private readonly options: Completing,
  ) {
    const roles = { role: "combobox", "aria-expanded": "false", "aria-controls": this.#list.id, "aria-autocomplete": "list" };
    for (const [name, value] of Object.entries(roles)) input.setAttribute(name, value);
    input.addEventListener("input", () => void this.#offer(false));
    input.addEventListener("blur", () => this.#close());
    input.addEventListener("keydown", (e) => this.#key(e));
    this.box = h("span", { class: "completing" }, input, this.#list, this.#hint);
  }

  /** Shows what can stand at the cursor. What is whole already needs no longer words below it: the
   * answer is there; if they are wanted, they come. */
  async #offer(wanted: boolean): Promise<void> {
    const mine = ++this.#turn;
    const { input, options, page } = this;
    const calls = await callsOf(page, options.abi(page.state) || page.state.target.abis[0] || "x86_64");
    if (mine !== this.#turn || document.activeElement !== input) return;
    const found = complete(calls, input.value, input.selectionStart ?? input.value.length, options.namesOnly);
    const whole = found.words.includes(input.value.slice(found.from, found.to));
    const words = whole && !wanted ? [] : found.words;
    this.#found = found;
    this.#list.replaceChildren(...words.map((word) => this.#item(word)));
    this.#unfold(words.length > 0);
    this.#choose(-1);
    signature(this.#hint, found);
  }

  /** Shows or hides the list, above all other things of the page: a pane would cut it off. */
  #unfold(open: boolean): void {
    this.input.setAttribute("aria-expanded", String(open));
    if (this.#open && !open && this.#list.isConnected) this.#list.hidePopover();
    this.#open?.abort();
    this.#open = null;
    if (!open) return;
    const at = this.input.getBoundingClientRect();
    this.#list.style.left = `${at.left}px`;
    this.#list.style.top = `${at.bottom}px`;
    this.#list.style.minWidth = `${at.width}px`;
    this.#list.style.maxHeight = `${Math.max(80, Math.min(260, innerHeight - at.bottom - 8))}px`;
    this.#list.showPopover();
    this.#open = new AbortController();
    addEventListener("scroll", (e) => {
      if (e.target instanceof Node && e.target !== this.#list && e.target.contains(this.input)) this.#close();
    }, { capture: true, signal: this.#open.signal });
  }

  #item(word: string): HTMLElement {
    const accept = (e: Event): void => {
      e.preventDefault(); // the input keeps the focus
      this.#accept(word);
    };
    return h("li", { role: "option", id: freshId("offer"), "aria-selected": "false", pointerdown: accept }, word);
  }

  #choose(i: number): void {
    this.#chosen = i;
    [...this.#list.children].forEach((item, k) => item.setAttribute("aria-selected", String(k === i)));
    const item = this.#list.children[i];
    if (!item) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  }

  #close(): void {
    this.#turn++;
    this.#found = null;
    this.#unfold(false);
    this.#choose(-1);
  }

  #accept(word: string): void {
    const { input, options } = this;
    if (!this.#found) return;
    const rest = input.value.slice(this.#found.to);
    const opens = !this.#found.call && !options.namesOnly && rest === "";
    const before = input.value.slice(0, this.#found.from) + word + (opens ? "(" : "");
    input.value = before + rest;
    input.setSelectionRange(before.length, before.length);
    this.#close();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    if (options.namesOnly) input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  }

  #key(e: KeyboardEvent): void {
    const n = this.#list.children.length;
    if (!this.#open) {
      if (e.key !== "ArrowDown" || e.altKey) return;
      void this.#offer(true);
    } else if (e.key === "ArrowDown") this.#choose((this.#chosen + 1) % n);
    else if (e.key === "ArrowUp") this.#choose(this.#chosen <= 0 ? n - 1 : this.#chosen - 1);
    else if ((e.key === "Enter" || e.key === "Tab") && this.#chosen >= 0) this.#accept(this.#list.children[this.#chosen]?.textContent ?? "");
    else if (e.key === "Escape") this.#close();
    else return;
    e.preventDefault();
    e.stopPropagation();
  }
}

/** Shows the arguments of the call that is typed, the current one in bold. */
function signature(hint: HTMLElement, found: Completion): void {
  hint.hidden = !found.call || found.call.args.length === 0;
  if (hint.hidden) return;
  const args = found.call!.args.flatMap((a, i) => [i > 0 ? ", " : "", i === found.arg ? h("b", {}, a.name) : a.name]);
  hint.replaceChildren(found.call!.name, "(", ...args, ")");
}
