// The comparison: what a second profile allows that the first denies, proved, with a call each that
// shows it; and both profiles combined into one.

import type { Mount, Page, State } from "../page";
import type { Comparison, DiffDocument, Questions } from "../protocol";
import { button, chip, coloured, count, frame, h, inSteps } from "./dom";
import { linkSpots, spotKey } from "./link";
import { live, subject, words as inWords } from "./live";

type Change = DiffDocument["changes"][number];
type Kind = Change["change"];

const kinds: readonly { kind: Kind; title: string; about: string }[] = [
  { kind: "weaker", title: "Weaker", about: "the second is less strict" },
  { kind: "other", title: "Different", about: "the verdict is another one, but not a more permissive one" },
  { kind: "stricter", title: "Stricter", about: "the second permits less" },
];
const asked = "Is a new profile weaker? Open it as the second input, and every call that it treats differently stands here, proved, with an example.";
const step = 100;
const shownCalls = 24;

export const compare: Mount = (host, page) => {
  const { body } = frame(host, "compare", "Comparison");
  const out = h("div", { class: "comparison" });
  const start = button("Compare with another profile", () => page.update({ second: { ...page.state.source } }), { hidden: true });
  body.append(out, start);
  page.onState((state) => (start.hidden = state.second !== null || state.source.text === ""));
  linkSpots(out, page);
  live(host, out, page, {
    op: "compare",
    key: "compare",
    pause: 300,
    on: (s) => [s.source, s.second, s.target],
    question: (s) => {
      const about = subject(s, asked);
      if (typeof about === "string") return about;
      if (s.second === null) return asked;
      if (s.second.text === "") return "The second input is empty: paste or open the profile to compare with.";
      return { ...about, second: s.second };
    },
    show: (answer, state) => {
      out.replaceChildren(...result(page, answer, state), combined(page, state));
    },
  });
};

function result(page: Page, c: Comparison, state: Readonly<State>): HTMLElement[] {
  const looser = c.document.changes.some((change) => change.change === "weaker");
  const verdict = c.weaker ? "⚠ Weaker. " : c.document.same ? "✓ The same. " : looser ? "⚠ Less strict, though it lets nothing more through. " : "✓ Not weaker. ";
  const head = h("p", { class: `answer ${c.weaker ? "weaker" : looser ? "looser" : "fine"}`, role: "status" }, h("b", {}, verdict), c.headline,
    h("small", {}, ` A is ${state.source.name || "the profile"}, B is ${state.second?.name || "what it is compared with"}.`));
  const sections = kinds.map(({ kind, title, about }) => {
    const changes = c.document.changes.flatMap((change, i) => (change.change === kind ? [{ change, words: c.words[i] }] : []));
    if (changes.length === 0) return null;
    const list = h("ol", { class: `changes ${kind}` });
    inSteps(list, changes, step, "change", ({ change, words: w }) => changeOf(page, change, w));
    return h("details", { class: `kind ${kind}`, open: kind === "weaker" || !looser },
      h("summary", {}, h("h3", {}, h("span", { class: `tag ${kind}` }, title)), h("small", {}, `${count(changes.length, "change")}: ${about}`)), list);
  });
  return [head, ...sections.filter((s) => s !== null)];
}

/** One change: which calls, when, what from and to, and a call that shows it. */
function changeOf(page: Page, change: Change, w: Comparison["words"][number] | undefined): HTMLElement {
  const { witness } = change;
  const abis = change.abis.map((a) => a.abi ?? "other ABIs");
  const calls = change.calls ?? (witness.syscall ? [witness.syscall] : [String(witness.number)]);
  const names = h("p", { class: "names" }, ...calls.slice(0, shownCalls).flatMap((name) => [h("code", {}, name), " "]));
  if (calls.length > shownCalls) {
    const rest = calls.slice(shownCalls);
    const more = button(`and ${count(rest.length, "other")}`, () => more.replaceWith(...rest.flatMap((name) => [h("code", {}, name), " "])), { class: "link" });
    names.append(more);
  }
  const abi = witness.abi ?? "";
  const words = w?.witness || witness.syscall || String(witness.number);
  const text = abi && words.startsWith(`${abi} `) ? words.slice(abi.length + 1) : words;
  const tryIt = button(text, () => {
    page.update({ call: { abi, text } });
    page.say(`${text} is in the call box.`);
  }, { class: "link witness", title: "Put this call into the call box", "data-spot": spotKey({ call: { abi, number: witness.number } }) });
  return h("li", { class: `change ${change.change}` },
    names,
    h("p", { class: "verdicts" }, chip(w?.lookA, change.a.verdict), h("span", { "aria-label": "becomes" }, " → "), chip(w?.lookB, change.b.verdict), h("small", {}, ` on ${[...new Set(abis)].join(", ")}`)),
    w?.when ? h("p", { class: "when" }, "if ", coloured(w.when)) : null,
    h("p", { class: "example" }, "For example ", tryIt, abi ? h("small", {}, ` on ${abi}`) : null));
}

const ways = [
  { how: "intersect", title: "Intersection", about: "allows only what both allow" },
  { how: "union", title: "Union", about: "allows what any of both allows" },
] as const;

/** Both profiles as one. */
function combined(page: Page, state: Readonly<State>): HTMLElement {
  const out = h("div", { class: "outcome", role: "status" });
  const make = async (how: Questions["combine"]["question"]["how"]): Promise<void> => {
    out.replaceChildren("Working …");
    const reply = await page.ask("combine", { source: state.source, target: state.target, second: state.second!, how }, "combine");
    if (reply === null) return;
    if (reply.failure) out.replaceChildren(h("p", { class: "pane-note bad" }, inWords(reply.failure)));
    else out.replaceChildren(taken(page, reply.answer));
  };
  return h("section", { class: "combine" }, h("h3", {}, "Both as one profile"),
    ...ways.map((w) => h("p", {}, button(w.title, () => void make(w.how)), h("small", {}, ` ${w.about}`))), out);
}

/** A profile that was made, to save it or to go on with. */
function taken(page: Page, made: Questions["combine"]["answer"]): HTMLElement {
  const take = (): void => {
    // It names its ABIs itself, which can be fewer than those that its sources were read for.
    page.update({ source: { text: made.text, name: made.name, language: "", settings: [] }, second: null, target: { ...page.state.target, abis: [] } });
    page.say("The combined profile is the source now.");
  };
  return h("p", made.exact ? {} : { class: "warn" }, made.note, " ", button(`Save ${made.name}`, () => page.save(made.name, made.type, made.text)), " ", button("Take it as the source", take));
}
