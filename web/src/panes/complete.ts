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
  const list = h("ul", { class: "offers", role: "listbox", id: freshId("pane"), "aria-label": "Completions", hidden: true });
  const hint = h("span", { class: "signature", hidden: true });
  const box = h("span", { class: "completing" }, input, list, hint);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" })) input.setAttribute(name, value);

  let found: Completion | null = null;
  let chosen = -1;
  let turn = 0;
  const choose = (i: number): void => {
    chosen = i;
    [...list.children].forEach((e, k) => e.setAttribute("aria-selected", String(k === i)));
    const item = list.children[i];
    if (item) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const close = (): void => {
    turn++;
    found = null;
    list.hidden = true;
    hint.hidden = true;
    input.setAttribute("aria-expanded", "false");
    choose(-1);
  };
  const accept = (word: string): void => {
    if (!found) return;
    const rest = input.value.slice(found.to);
    const isName = !found.call;
    const opens = isName && !options.namesOnly && rest === "";
    const before = input.value.slice(0, found.from) + word + (opens ? "(" : "");
    input.value = before + rest;
    input.setSelectionRange(before.length, before.length);
    close();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    if (options.namesOnly) input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  };
  const offer = async (wanted: boolean): Promise<void> => {
    const mine = ++turn;
    const abi = options.abi(page.state) || page.state.target.abis[0] || "x86_64";
    const calls = await callsOf(page, abi);
    if (mine !== turn || document.activeElement !== input) return;
    found = complete(calls, input.value, input.selectionStart ?? input.value.length, options.namesOnly);
    const typed = input.value.slice(found.from, found.to);
    const whole = found.words.includes(typed); // then the answer below is worth more than longer words
    const words = whole && !wanted ? [] : found.words;
    list.replaceChildren(...words.map((word) => h("li", { role: "option", id: freshId("pane"), "aria-selected": "false", pointerdown: (e: Event) => {
      e.preventDefault(); // the input keeps the focus
      accept(word);
    } }, word)));
    list.hidden = words.length === 0;
    input.setAttribute("aria-expanded", String(words.length > 0));
    choose(-1);
    signature(hint, found);
  };
  input.addEventListener("input", () => void offer(false));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (e) => {
    const n = list.children.length;
    if (list.hidden) {
      if (e.key === "ArrowDown" && !e.altKey) {
        void offer(true);
        e.preventDefault();
      }
      return;
    }
    if (e.key === "ArrowDown") choose((chosen + 1) % n);
    else if (e.key === "ArrowUp") choose(chosen <= 0 ? n - 1 : chosen - 1);
    else if ((e.key === "Enter" || e.key === "Tab") && chosen >= 0) accept(list.children[chosen]!.textContent!);
    else if (e.key === "Escape") close();
    else return;
    e.preventDefault();
    e.stopPropagation();
  });
  return box;
}

/** Shows the arguments of the call that is typed, the current one in bold. */
function signature(hint: HTMLElement, found: Completion): void {
  hint.hidden = !found.call || found.call.args.length === 0;
  if (hint.hidden) return;
  const args = found.call!.args.flatMap((a, i) => [i > 0 ? ", " : "", i === found.arg ? h("b", {}, a.name) : a.name]);
  hint.replaceChildren(found.call!.name, "(", ...args, ")");
}
