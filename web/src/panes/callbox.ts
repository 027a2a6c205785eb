// The call box: one call as C has it, and what the filter does with it, why and on which path.

import type { Mount, Page } from "../page";
import type { EvalDocument, Verdict } from "../protocol";
import { button, chip, coloured, count, frame, h } from "./dom";
import { abiChoice } from "./abis";
import { completing, ended } from "./complete";
import { linkSpots, spotKey } from "./link";
import { live, subject } from "./live";
import { askMeaning, sentenceOf } from "./meanings";

const examples = ["socket(AF_ALG, SOCK_SEQPACKET, 0)", "clone3", "unshare(CLONE_NEWUSER)", "mount"];

/** A verdict as --expect and expectations take it: "errno:EPERM". */
export function expected(d: Pick<EvalDocument, "action" | "data" | "errno">): string {
  const action = d.action.toLowerCase().replaceAll("_", "-");
  if (action === "errno") return `errno:${d.errno ?? d.data}`;
  return action === "trace" ? `trace:${d.data}` : action;
}

export const callBox: Mount = (host, page) => {
  const input = h("input", { type: "text", class: "call-text", "aria-label": "Call to try", placeholder: examples[0]!, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  const abi = abiChoice(page, "ABI of the call", (value) => page.update({ call: { ...page.state.call, abi: value } }));
  const { body } = frame(host, "call", "What happens to this call?");
  const out = h("div", { class: "verdict", role: "status", "aria-live": "polite" });
  const offers = h("p", { class: "examples" }, "Try ", ...examples.map((text) => button(text, () => page.update({ call: { ...page.state.call, text } }), { class: "link" })));
  body.append(h("div", { class: "call-line" }, completing(input, page, { abi: (s) => s.call.abi }), abi.select), offers, out);
  linkSpots(body, page);

  input.addEventListener("input", () => page.update({ call: { ...page.state.call, text: input.value } }));
  page.onState((state) => {
    if (input.value !== state.call.text) input.value = state.call.text;
    abi.set(state.call.abi);
    offers.hidden = state.call.text.trim() !== "";
  });
  let traceOpen = false;
  live(host, out, page, {
    op: "eval",
    key: "call",
    again: true, // the second profile may answer otherwise
    on: (s) => [s.source, s.second, s.target, s.call, s.view.stage, s.view.only],
    question: (s) => {
      const about = subject(s, "Whether a call is allowed, by which rule, and on which path through the filter.");
      if (typeof about === "string") return about;
      if (s.call.text.trim() === "") return "Type a call with its arguments as in C, or paste a line of strace; what you leave out is 0.";
      return { ...about, call: { ...s.call, text: ended(s.call.text) }, stage: s.view.stage, drawn: s.view.only };
    },
    show: (verdict) => {
      const open = out.querySelector("details");
      traceOpen = open ? open.open : traceOpen;
      out.replaceChildren(...answerOf(page, verdict, traceOpen));
      abi.first(verdict.document.abi);
      page.follow(verdict.path);
      void explain(page, verdict, out);
      void other(page, verdict, out);
    },
    clear: () => page.follow(null),
  });
};

/** What is said about a verdict: it in large, why, and what else is known. */
function answerOf(page: Page, v: Verdict, traceOpen: boolean): HTMLElement[] {
  const d = v.document;
  const big = h("p", { class: "big" }, chip(v.look, d.verdict), " ", h("span", {}, effect(d)));
  const rules = v.path.pointers.length > 0 ? v.path.pointers : d.pointer ? [d.pointer] : [];
  const why = becauseOf(page, v.because, rules);
  const rule = h("p", { class: "rule", hidden: true });
  const facts = h("ul", { class: "facts" },
    h("li", {}, h("code", {}, v.text)),
    h("li", { class: v.bitmap ? "yes" : "no" }, h("b", {}, v.bitmap ? "In the kernel's bitmap. " : "Not in the kernel's bitmap. "), v.bitmapWhy),
    h("li", {}, v.bitmap ? `Without the bitmap, ${count(v.steps, "instruction")} of the filter would decide it.` : `${count(v.steps, "instruction")} of the filter decide it.`));
  const keeping = button("Add to expectations", () => {
    keep(page, v.call, d);
    keeping.textContent = "✓ Added";
    keeping.disabled = true; // until the next verdict
  });
  const unsure = d.depends && h("p", { class: "unsure" }, h("b", {}, "The verdict may be another one: "), `it depends on ${d.depends.join(" and ")}, which is not known here. This is the one for 0.`);
  const actions = h("p", { class: "actions" },
    keeping,
    d.syscall && page.state.view.only !== d.syscall
      ? button(`Draw only ${d.syscall}`, () => page.update({ view: { ...page.state.view, only: d.syscall! } }))
      : page.state.view.only !== "" && button("Draw all calls", () => page.update({ view: { ...page.state.view, only: "" } })));
  return [big, ...(unsure ? [unsure] : []), h("p", { class: "second", hidden: true }), why, rule, facts, actions, ...(d.trace ? [traceOf(d.trace, traceOpen)] : [])];
}

/** Why, with the places in the profile as links to them. */
function becauseOf(page: Page, because: string, rules: readonly string[]): HTMLElement {
  const link = (pointer: string): HTMLElement =>
    button(pointer, () => page.point({ pointer }), { class: "link", title: "Show it in the profile", "data-spot": spotKey({ pointer }) });
  const parts = because.split(/(?<=\bat )([^\s,;]+)/); // "/syscalls/3", or "11:18" in a language of lines
  const others = rules.filter((rule) => rule !== "" && !parts.includes(rule)).slice(0, 3);
  return h("p", { class: "because" }, ...parts.map((part, i) => (i % 2 === 1 ? link(part) : coloured(part))),
    ...others.flatMap((rule) => [" ", link(rule)]));
}

/** How many characters of a call's rule are shown; the meaning has all. */
const shownRule = 400;

/** Adds what decides about this call in general, if that is more than its verdict. */
async function explain(page: Page, v: Verdict, out: HTMLElement): Promise<void> {
  const rule = out.querySelector<HTMLElement>(".rule");
  const question = subject(page.state, "");
  if (!rule || typeof question === "string") return;
  const reply = await askMeaning(page, question).catch(() => null);
  const sentence = reply?.answer && sentenceOf(reply.answer, v.document.abi, v.document.number);
  if (!sentence?.conditional) return;
  const text = sentence.text.length > shownRule ? `${sentence.text.slice(0, shownRule)} …` : sentence.text;
  rule.hidden = false;
  rule.replaceChildren(h("b", {}, `Every ${v.document.syscall ?? v.document.number}: `), coloured(text));
}

/** Adds what the second profile does with the call. */
async function other(page: Page, v: Verdict, out: HTMLElement): Promise<void> {
  const { second, target, call, view } = page.state;
  const line = out.querySelector<HTMLElement>(".second");
  if (!line || !second?.text) return;
  const question = { source: second, target, call: { text: ended(call.text), abi: v.document.abi }, stage: view.stage, drawn: "" };
  const reply = await page.ask("eval", question, "call-second").catch(() => null);
  if (!reply?.answer) return;
  const same = reply.answer.document.verdict === v.document.verdict;
  line.hidden = false;
  line.replaceChildren(same ? "The second profile does the same." : "In the second profile: ", ...(same ? [] : [chip(reply.answer.look, reply.answer.document.verdict)]));
}

/** What a verdict means for the program that makes the call. */
function effect(d: EvalDocument): string {
  switch (d.action) {
    case "ALLOW":
      return "The call runs.";
    case "LOG":
      return "The call runs and is logged.";
    case "ERRNO":
      return d.data === 0 ? "The call does nothing, and returns 0." : `The call does not run, and fails with ${d.errno ?? `error ${d.data}`}.`;
    case "TRACE":
      return "A tracer decides; without one the call fails with ENOSYS.";
    case "USER_NOTIF":
      return "A supervisor decides; without one the call fails with ENOSYS.";
    case "TRAP":
      return "The call does not run, and the thread gets SIGSYS.";
    case "KILL_PROCESS":
      return "The whole process dies.";
  }
  return "The thread dies.";
}

/** Adds the call with the verdict that it has now. */
function keep(page: Page, call: string, d: EvalDocument): void {
  const expect = expected(d);
  page.update({ expectations: [...page.state.expectations, { abi: d.abi, call, expect }] });
  page.say(`Added: ${call} on ${d.abi} is expected to get ${expect}.`);
}

function traceOf(trace: NonNullable<EvalDocument["trace"]>, open: boolean): HTMLElement {
  const rows = trace.map((t) => h("tr", { "data-spot": spotKey({ pc: t.pc }) },
    h("th", { scope: "row", class: "n" }, String(t.pc)), h("td", {}, h("code", {}, t.instruction)), h("td", {}, `0x${t.a.toString(16)}`), h("td", {}, t.meaning ?? "")));
  return h("details", { class: "trace", open },
    h("summary", {}, `Trace: ${count(trace.length, "step")}`),
    h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Trace" },
      h("table", {}, h("thead", {}, h("tr", {}, ...["pc", "Instruction", "A after it", "Meaning"].map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, ...rows))));
}
