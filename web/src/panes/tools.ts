// What can be done with a profile as a whole: say the same in less, and write the report.

import type { Mount, Page } from "../page";
import type { Shrunk, Source } from "../protocol";
import { button, frame, h } from "./dom";
import { subject, words } from "./live";

export const tools: Mount = (host, page) => {
  const { body } = frame(host, "tools", "Tools");
  const out = h("div", { class: "outcome", role: "status" });
  const shrinking = button("Shrink", () => void shrink(page, out));
  const reporting = button("Save the report", () => void report(page, out));
  body.append(
    h("div", { class: "actions" }, 
      h("span", {}, shrinking, h("small", {}, " says the same in less, proved")),
      h("span", {}, reporting, h("small", {}, " a page for reviews"))), out);
  page.onState((state, before) => {
    shrinking.disabled = reporting.disabled = state.source.text === "";
    if (before && (before.source !== state.source || before.target !== state.target) && !out.dataset.keep) out.replaceChildren();
    delete out.dataset.keep;
  });
};

function complain(out: HTMLElement, text: string): void {
  out.replaceChildren(h("p", { class: "pane-note bad" }, text));
}

async function shrink(page: Page, out: HTMLElement): Promise<void> {
  const question = subject(page.state, "Paste a profile first.");
  if (typeof question === "string") return complain(out, question);
  out.replaceChildren("Working …");
  const reply = await page.ask("shrink", question, "shrink");
  if (reply === null || page.state.source !== question.source) return;
  if (reply.failure) return complain(out, words(reply.failure));
  out.replaceChildren(gain(page, out, reply.answer, question.source));
}

/** What shrinking gained, and a way to take it. */
function gain(page: Page, out: HTMLElement, s: Shrunk, before: Source): HTMLElement {
  const saved = s.before - s.after;
  if (saved <= 0) return h("p", {}, h("b", {}, `${s.unit === "bytes" ? "It" : "The filter"} is already as small as we can make it: `), `${s.note}.`);
  const size = `${s.before.toLocaleString("en")} → ${s.after.toLocaleString("en")} ${s.unit}`;
  const take = (): void => {
    out.dataset.keep = "yes";
    page.update({ source: s.source });
    out.replaceChildren(h("p", {}, "The smaller one is the source now. ", button("Undo", () => page.update({ source: before }))));
  };
  const name = s.source.name || (s.source.binary ? "smaller.bpf" : "smaller.json");
  return h("p", {}, h("b", {}, `${Math.round((100 * saved) / s.before)} % smaller: ${size}. `), s.note, " ",
    button("Take it as the source", take), " ",
    button("Save", () => page.save(name, s.source.binary ? "application/octet-stream" : "text/plain", s.source.binary ? bytes(s.source.text) : s.source.text)));
}

/** The bytes of base64. */
function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

async function report(page: Page, out: HTMLElement): Promise<void> {
  const question = subject(page.state, "Paste a profile first.");
  if (typeof question === "string") return complain(out, question);
  out.replaceChildren("Working …");
  const second = page.state.second?.text ? { second: page.state.second } : {};
  const reply = await page.ask("report", { ...question, ...second }, "report");
  if (reply === null) return;
  if (reply.failure) return complain(out, words(reply.failure));
  const { name, type, text, binary } = reply.answer;
  page.save(name, type, binary ? bytes(text) : text);
  out.replaceChildren(h("p", {}, `Saved ${name}.`));
}
