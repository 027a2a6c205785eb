// Expectations: calls with the verdicts that they must get, green or red as the profile changes. Their
// file is what seccompile eval --expect reads.

import type { Mount, Page } from "../page";
import type { Expectation, Outcome } from "../protocol";
import { abiChoice, type ABIChoice } from "./abis";
import { expected } from "./callbox";
import { completing, ended } from "./complete";
import { button, chip, count, frame, freshId, h } from "./dom";
import { live, subject, words } from "./live";

/** The largest file of expectations that is read. */
const largestFile = 1 << 20;
/** How many lines the table has; a file with more is for the command. */
const mostRows = 1000;

const verdicts = ["allow", "errno:EPERM", "errno:ENOSYS", "log", "trap", "user-notif", "kill-thread", "kill-process"];

interface Row {
  element: HTMLTableRowElement;
  set(e: Expectation): void;
  outcome(o: Outcome | null): void;
}

export const expectations: Mount = (host, page) => {
  const summary = h("output", { class: "count", "aria-live": "polite" });
  const file = h("input", { type: "file", accept: ".txt,.expect,text/plain", hidden: true, "aria-label": "Expectations file" });
  const { body } = frame(host, "expectations", "Expectations", summary);
  const choices = h("datalist", { id: freshId("pane") }, ...verdicts.map((v) => h("option", { value: v })));
  const rows = h("tbody");
  const table = h("table", {}, h("caption", { class: "sr" }, "Calls with the verdicts that they must get"),
    h("thead", {}, h("tr", {}, ...["Result", "ABI", "Call", "Expected"].map((t) => h("th", { scope: "col" }, t)), h("th", { scope: "col" }, h("span", { class: "sr" }, "Remove")))), rows);
  const none = h("p", { class: "pane-note" }, "Say what must stay true: add calls with the verdict that you expect, and see at once what a change of the profile breaks. The saved file is a test for CI: ", h("code", {}, "seccompile eval --expect FILE PROFILE"), ".");
  const trouble = h("p", { class: "pane-note bad", role: "alert", hidden: true });
  const complain = (text: string): void => {
    trouble.hidden = text === "";
    trouble.textContent = text;
  };

  const add = (e: Expectation): void => {
    page.update({ expectations: [...page.state.expectations, e] });
  };
  const addEmpty = (): void => {
    add({ abi: "", call: "", expect: "errno:EPERM" });
    rows.lastElementChild?.querySelector<HTMLElement>("input")?.focus();
  };
  const fromCallBox = async (): Promise<void> => {
    const { source, target, view } = page.state;
    const call = { ...page.state.call, text: ended(page.state.call.text) };
    if (call.text === "") return complain("The call box is empty: type a call there first.");
    const reply = await page.ask("eval", { source, target, call, stage: view.stage, drawn: view.only }, "expectations");
    if (reply === null) return;
    complain(reply.failure ? words(reply.failure) : "");
    if (reply.answer) add({ abi: reply.answer.document.abi, call: reply.answer.call, expect: expected(reply.answer.document) });
  };
  const save = async (): Promise<void> => {
    const reply = await page.ask("write-expectations", { expectations: page.state.expectations }, "save");
    if (reply === null) return;
    complain(reply.failure ? words(reply.failure) : "");
    if (reply.answer) page.save(reply.answer.name, reply.answer.type, reply.answer.text);
  };
  const saveButton = button("Save as a file", () => void save());
  body.append(choices, none, table, trouble,
    h("p", { class: "actions" }, button("Add a call", addEmpty), button("Add from the call box", () => void fromCallBox()), saveButton,
      button("Open a file", () => file.click()), file));

  const open = async (f: File): Promise<void> => {
    if (f.size > largestFile) return complain(`${f.name} has ${f.size.toLocaleString("en")} bytes; a file of expectations may have ${largestFile.toLocaleString("en")}. Check it with seccompile eval --expect.`);
    const reply = await page.ask("read-expectations", { text: await f.text() }, "open");
    if (reply === null) return;
    if (reply.failure) return complain(`${f.name}: ${words(reply.failure)}`);
    if (reply.answer.length > mostRows) return complain(`${f.name} has ${count(reply.answer.length, "call")}; the table shows up to ${mostRows}. Check it with seccompile eval --expect.`);
    complain("");
    page.update({ expectations: reply.answer });
    page.say(`${count(reply.answer.length, "expectation")} from ${f.name}.`);
  };
  file.addEventListener("change", () => {
    if (file.files?.[0]) void open(file.files[0]);
    file.value = "";
  });
  host.addEventListener("dragover", (e) => e.preventDefault());
  host.addEventListener("drop", (e) => {
    e.preventDefault();
    e.stopPropagation(); // the page takes other files as the source
    if (e.dataTransfer?.files[0]) void open(e.dataTransfer.files[0]);
  });

  const made: Row[] = [];
  const results: (Outcome | null)[] = [];
  const tell = (): void => {
    const n = page.state.expectations.length;
    const passed = results.filter((o) => o?.pass).length;
    const failed = results.filter((o) => o && !o.pass).length;
    summary.className = `count ${failed > 0 ? "fails" : ""}`;
    summary.value = n === 0 ? "" : failed > 0 ? `✗ ${failed} of ${n} fail` : passed === n ? `✓ all ${n} pass` : count(n, "expectation");
  };
  page.onState(({ expectations: list }) => {
    while (made.length > list.length) made.pop()!.element.remove();
    list.forEach((e, i) => {
      if (!made[i]) rows.append((made[i] = rowOf(page, i, choices.id)).element);
      made[i].set(e);
    });
    results.length = list.length;
    none.hidden = list.length > 0;
    table.hidden = list.length === 0;
    saveButton.disabled = list.length === 0;
    tell();
  });
  const ground = h("div", { hidden: true });
  body.append(ground);
  live(host, ground, page, {
    op: "expect",
    key: "expectations",
    on: (s) => [s.source, s.target, s.expectations],
    question: (s) => {
      const about = subject(s, "");
      if (typeof about === "string" || s.expectations.length === 0) return "";
      return { ...about, expectations: s.expectations };
    },
    show: (outcomes) => {
      made.forEach((row, i) => row.outcome((results[i] = outcomes[i] ?? null)));
      tell();
    },
    clear: () => {
      results.fill(null);
      for (const row of made) row.outcome(null);
      tell();
    },
  });
};

/** The row of an expectation, which changes the state as it is typed. */
function rowOf(page: Page, index: number, choices: string): Row {
  const number = index + 1;
  const change = (part: Partial<Expectation>): void => {
    page.update({ expectations: page.state.expectations.map((e, i) => (i === index ? { ...e, ...part } : e)) });
  };
  const abi: ABIChoice = abiChoice(page, `ABI of call ${number}`, (value) => change({ abi: value }));
  const call = h("input", { type: "text", "aria-label": `Call ${number}`, placeholder: "socket(AF_ALG)", spellcheck: "false", autocomplete: "off", autocapitalize: "off", input: () => change({ call: call.value }) });
  const expect = h("input", { type: "text", class: "expect", "aria-label": `Expected verdict of call ${number}`, list: choices, placeholder: "errno:EPERM", spellcheck: "false", autocapitalize: "off", input: () => change({ expect: expect.value }) });
  const result = h("td", { class: "result" });
  const remove = button("×", () => {
    const before = element.previousElementSibling;
    page.update({ expectations: page.state.expectations.filter((_, i) => i !== index) });
    if (!remove.isConnected) before?.querySelector<HTMLElement>("button")?.focus(); // the last row went
  }, { "aria-label": `Remove call ${number}`, title: "Remove" });
  const element = h("tr", {}, result, h("td", {}, abi.select), h("td", { class: "wide" }, completing(call, page, { abi: () => abi.select.value })), h("td", {}, expect), h("td", {}, remove));
  return {
    element,
    set(e) {
      abi.set(e.abi);
      if (call.value !== e.call) call.value = e.call;
      if (expect.value !== e.expect) expect.value = e.expect;
    },
    outcome(o) {
      element.className = o === null ? "" : o.pass ? "pass" : "fail";
      if (o === null) result.replaceChildren("…");
      else if (o.failure) result.replaceChildren(h("b", {}, "✗ "), words(o.failure));
      else if (o.pass) result.replaceChildren(h("b", {}, "✓ passes"));
      else result.replaceChildren(h("b", {}, "✗ "), "gets ", chip(o.look, o.got));
    },
  };
}
