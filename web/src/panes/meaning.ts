// The meaning in words: for each ABI what happens to which calls, to search and to fold.

import type { Light, Mount, Page } from "../page";
import type { ABIMeaning, Look, Sentence } from "../protocol";
import { button, chip, coloured, count, frame, h, inSteps } from "./dom";
import { bringIntoView, isOrigin, keysOf, linkSpots, mark, spotKey } from "./link";
import { live, subject } from "./live";
import { askMeaning } from "./meanings";
import { rove } from "./roving";

type Call = Sentence["calls"][number];

/** How many calls of a group are shown before somebody asks for all. */
const shownCalls = 40;
/** How many sentences with conditions are shown at once. */
const shownSentences = 500;
/** How many characters of a sentence are shown before somebody asks for all. */
const shownText = 600;

const tally: Record<Look, string> = { allow: "allowed", log: "logged", ask: "asked about", errno: "denied", kill: "killed" };

/** A number or a run of them stands for itself where a call has no name. */
function nameOf(call: Call): string {
  if (call.last !== undefined && call.last !== call.number) return `${call.name || call.number}–${call.last}`;
  return call.name || String(call.number);
}

/** How many calls there are; numbers without a call are not counted. */
function size(calls: readonly Call[]): number {
  return calls.reduce((n, c) => n + (c.name === "" ? 0 : 1), 0);
}

/** The size of a group in words. */
function sizeOf(calls: readonly Call[]): string {
  const named = size(calls);
  if (named === calls.length) return count(named, "call");
  return named === 0 ? "numbers without a call" : `${count(named, "call")}, and numbers without a call`;
}

/** What of the sentences fits a search: names and numbers of calls, or words of a sentence. */
export function search(sentences: readonly Sentence[], query: string): Sentence[] {
  const words = query.trim().toLowerCase();
  if (words === "") return [...sentences];
  const number = /^(0x[0-9a-f]+|\d+)$/.test(words) ? Number(words) : NaN;
  const found: Sentence[] = [];
  for (const s of sentences) {
    const calls = s.calls.filter((c) => c.name.toLowerCase().includes(words) || (number >= c.number && number <= (c.last ?? c.number)));
    if (calls.length > 0) found.push({ ...s, calls });
    else if (s.text.toLowerCase().includes(words)) found.push(s);
  }
  return found;
}

export const meaning: Mount = (host, page) => {
  const field = h("input", { type: "search", placeholder: "Find a call, number or word", "aria-label": "Search the meaning", spellcheck: "false", autocomplete: "off" });
  const result = h("output", { class: "count", "aria-live": "polite" });
  const { body } = frame(host, "meaning", "Meaning", field, result);
  const list = h("div", { class: "meaning" });
  body.append(list);
  linkSpots(list, page);
  rove(list, ".call");

  let answer: ABIMeaning[] = [];
  let light: Light | null = null;
  let folded = new Set<string>(); // the ABIs and groups that the reader closed
  const render = (): void => {
    const query = field.value;
    let found = 0;
    let all = 0;
    const sections = answer.map((abi) => {
      const sentences = search(abi.sentences, query);
      found += sentences.reduce((n, s) => n + s.calls.length, 0);
      all += abi.sentences.reduce((n, s) => n + s.calls.length, 0);
      return sentences.length === 0 ? null : section(page, abi, sentences, query !== "", folded);
    });
    list.replaceChildren(...sections.filter((s) => s !== null));
    if (found === 0) list.append(h("p", { class: "pane-note" }, `Nothing here has “${query.trim()}” in its name, number or sentence. What is not named gets the profile's default.`));
    result.value = query === "" ? count(all, "entry").replace("entrys", "entries") : `${found.toLocaleString("en")} of ${all.toLocaleString("en")}`;
    const first = list.querySelector<HTMLElement>(".call");
    if (first) first.tabIndex = 0;
    lightUp(query === "");
  };
  const lightUp = (scroll: boolean): void => {
    const keys = light && keysOf(light.trail);
    if (keys) for (const more of list.querySelectorAll<HTMLElement>(".calls > .more")) promote(more, keys);
    else for (const more of list.querySelectorAll(".more.has-lit")) more.classList.remove("has-lit");
    const lit = mark(list, keys, light?.by ?? null);
    for (const group of list.querySelectorAll("details")) {
      const inside = lit.filter((e) => group.contains(e)).length;
      group.classList.toggle("has-lit", inside > 0);
    }
    const first = lit[0];
    if (scroll && first && light && !isOrigin(host, light)) bringIntoView(body, first.closest("details:not([open])") ?? first);
  };

  let frameOf = 0;
  field.addEventListener("input", () => {
    cancelAnimationFrame(frameOf);
    frameOf = requestAnimationFrame(render);
  });
  field.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown") list.querySelector<HTMLElement>(".call")?.focus();
  });
  list.addEventListener("toggle", (e) => {
    const group = e.target as HTMLDetailsElement;
    const key = group.dataset.fold;
    if (key === undefined || field.value !== "") return;
    if (group.open) folded.delete(key);
    else folded.add(key);
  }, true);
  page.onLight((l) => {
    light = l;
    lightUp(true);
  });
  live(host, list, page, {
    op: "meaning",
    key: "meaning",
    on: (s) => [s.source, s.target],
    question: (s) => subject(s, "What a profile means, call by call and in words. Paste a profile, policy or filter, drop a file, or open an example."),
    ask: (question) => askMeaning(page, question),
    show: (a) => {
      answer = a;
      const known = new Set(a.map((m) => m.abi));
      folded = new Set([...folded].filter((key) => known.has(key.split(" ")[0]!)));
      render();
    },
  });
};

function section(page: Page, abi: ABIMeaning, sentences: readonly Sentence[], open: boolean, folded: ReadonlySet<string>): HTMLElement {
  const counts = new Map<string, number>();
  for (const s of abi.sentences) {
    const key = s.conditional ? "by arguments" : tally[s.look];
    counts.set(key, (counts.get(key) ?? 0) + size(s.calls));
  }
  const totals = [...counts].filter(([, n]) => n > 0).map(([text, n]) => `${n.toLocaleString("en")} ${text}`).join(" · ");
  const conditional = h("ul", { class: "conditional" });
  inSteps(conditional, sentences.filter((s) => s.conditional), shownSentences, "sentence", (s) => byArguments(page, abi.abi, s));
  return h("details", { class: "abi", "data-fold": abi.abi, open: open || !folded.has(abi.abi) },
    h("summary", {}, h("h3", {}, abi.title || abi.abi), h("small", {}, totals)),
    ...sentences.filter((s) => !s.conditional).map((s) => group(page, abi.abi, s, open, folded)),
    conditional.children.length > 0 && conditional);
}

/** Calls that all get one verdict. */
function group(page: Page, abi: string, s: Sentence, open: boolean, folded: ReadonlySet<string>): HTMLElement {
  const key = `${abi} ${s.text}`;
  return h("details", { class: `group ${s.look}`, "data-fold": key, open: open || !folded.has(key) },
    h("summary", {}, chip(s.look, s.text), " ", h("small", {}, sizeOf(s.calls))),
    calls(page, abi, s.calls, `${s.text}: calls`));
}

/** Calls whose verdict depends on their arguments. */
function byArguments(page: Page, abi: string, s: Sentence): HTMLElement {
  const text = h("p", {}, coloured(s.text.slice(0, shownText)));
  if (s.text.length > shownText) {
    text.append("… ", button("Show all of it", () => text.replaceChildren(coloured(s.text))));
  }
  return h("li", { class: `sentence ${s.look}` }, calls(page, abi, s.calls, "Calls"), text);
}

function calls(page: Page, abi: string, list: readonly Call[], label: string): HTMLElement {
  const chips = h("ul", { class: "calls", "aria-label": label });
  const make = (call: Call): HTMLElement => {
    const name = nameOf(call);
    const click = (): void => page.update({ call: { abi, text: call.name || String(call.number) } });
    return h("li", {}, button(name, click, {
      class: "call",
      tabindex: -1,
      title: `${abi} number ${call.number}. Click to try it in the call box.`,
      "data-spot": spotKey({ call: { abi, number: call.number } }),
    }));
  };
  chips.append(...list.slice(0, shownCalls).map(make));
  if (list.length > shownCalls) chips.append(moreCalls(list.slice(shownCalls), (call) => spotKey({ call: { abi, number: call.number } }), make));
  return chips;
}

/** The calls behind a button for more, by their spots, and how to show them. */
const waiting = new WeakMap<HTMLElement, { calls: Map<string, Call>; make(call: Call): HTMLElement; label(): void }>();
/** How many calls are shown because something lights them up; if it is more, the button is lit. */
const mostPromoted = 12;

/** A button that shows the rest of the calls. */
function moreCalls(rest: readonly Call[], key: (call: Call) => string, make: (call: Call) => HTMLElement): HTMLElement {
  const all = new Map(rest.map((call) => [key(call), call]));
  const show = button("", () => {
    const first = [...all.values()].map(make);
    more.replaceWith(...first);
    first[0]?.querySelector("button")?.focus();
  });
  const more = h("li", { class: "more" }, show);
  const label = (): void => {
    show.textContent = `${all.size.toLocaleString("en")} more`;
  };
  label();
  waiting.set(more, { calls: all, make, label });
  return more;
}

/** Shows those of the waiting calls that are lit. */
function promote(more: HTMLElement, keys: ReadonlySet<string>): void {
  const rest = waiting.get(more);
  if (!rest) return;
  const lit = [...rest.calls].filter(([key]) => keys.has(key));
  more.classList.toggle("has-lit", lit.length > mostPromoted);
  if (lit.length === 0 || lit.length > mostPromoted) return;
  for (const [key, call] of lit) {
    rest.calls.delete(key);
    more.before(rest.make(call));
  }
  rest.label();
  if (rest.calls.size === 0) more.remove();
}
