// Puts the page together.

import { Address } from "./address";
import { Client } from "./client";
import { byId, h } from "./dom";
import { Words } from "./editor/complete";
import { decode } from "./fragment";
import type { Link } from "./fragment";
import type { Vocabulary } from "./protocol";
import { Session } from "./session";
import { Layout, narrow } from "./shell/layout";
import { show } from "./shell/example";
import { about, downloads, examples, share, theme } from "./shell/menus";
import { Notice } from "./shell/notice";
import { panes } from "./shell/panes";
import { SourceRoom } from "./shell/source";
import { splitColumns } from "./shell/split";
import { StatusLine } from "./shell/status";
import { TargetBar } from "./shell/target";

const notice = new Notice(byId("notice"));
const status = new StatusLine(() => client.stop(), () => void retry());
const client: Client = new Client(engineSource, (s) => status.show(s), (why) => notice.show(`The engine stopped (${why}) and was started again. Your text is safe.`));
const page = new Session(client, byId("live"));

const address = new Address(page);

const words = new Words();
const swap = h("button", { type: "button", title: "Exchange the two", click: () => page.state.second && page.update({ source: page.state.second, second: page.state.source }) }, "Swap");
const close = h("button", { type: "button", click: () => page.update({ second: null, view: { ...page.state.view, tab: "" } }) }, "Close");
const compare = h("button", { type: "button", title: "Compare with another: at first a copy, to edit or to replace", click: () => startComparison() }, "Compare…");
const first = new SourceRoom(page, words, "source", "Profile", compare);
const second = new SourceRoom(page, words, "second", "Compared with", swap, close);
byId("source").append(first.element, second.element);
page.onState((state, before) => {
  second.element.hidden = state.second === null;
  compare.hidden = !second.element.hidden;
  if (before && before.source !== state.source) notice.clear(); // it was about what was before
  document.title = `${state.source.name && `${state.source.name} – `}seccompile playground`;
});

function startComparison(): void {
  const tab = narrow.matches ? "source" : "compare"; // where the second source is to be seen
  page.update({ second: { ...page.state.source }, view: { ...page.state.view, tab } });
  second.element.scrollIntoView({ block: "nearest" });
  second.editor.view.focus();
}

const layout = new Layout(page, { tabs: byId("tabs"), source: byId("source"), call: byId("call"), answers: byId("answers"), machine: byId("machine") });
layout.mount(panes);
splitColumns(byId("main"));

for (const skip of document.querySelectorAll<HTMLElement>("[data-to]")) {
  skip.addEventListener("click", () => {
    const room = byId(skip.dataset.to ?? "main");
    if (room.hidden) layout.open({ source: "source", call: "call", machine: "drawing" }[room.id] ?? "meaning");
    room.focus();
  });
}

const head = byId("top");
head.append(h("h1", {}, h("b", {}, "seccompile"), " playground"), h("small", { class: "tagline" }, "what a seccomp profile, unit, policy or filter means, proved; nothing leaves this page"), status.element, h("span", { class: "spring" }), ...share(page), theme(page));

let known: Vocabulary | null = null; // once the engine said what there is to choose from

address.follow((opened) => void open(opened));
void start();

async function start(): Promise<void> {
  const link = await decode(location.hash);
  if (link.kind === "state") page.update(link.state);
  const reply = await page.ask("vocabulary", {});
  if (!reply?.answer) return; // the status line says why, and offers to try again
  equip(reply.answer);
  known = reply.answer;
  if (link.kind !== "state") await open(link, true);
  // Between them, these ABIs have nearly every name.
  for (const abi of ["x86", "x86_64"]) words.learn((await page.ask("calls", { abi }))?.answer ?? []);
  first.editor.recolour();
  second.editor.recolour();
}

/** Starts the engine again after it failed, and asks it everything anew. */
async function retry(): Promise<void> {
  client.retry();
  if (!known) return start();
  page.update({ source: { ...page.state.source }, second: page.state.second && { ...page.state.second } });
}

/** Adds what needs to know what there is to choose from. */
function equip(vocabulary: Vocabulary): void {
  first.know(vocabulary);
  second.know(vocabulary);
  const target = new TargetBar(page, vocabulary);
  head.after(target.element);
  head.querySelector("h1")?.after(...examples(vocabulary, (id) => void open({ kind: "example", id })));
  head.querySelector(".spring")?.after(...downloads(page, vocabulary));
  head.append(...about(vocabulary.version));
}

/** Shows what a link says, or the first example if it says nothing, or nothing that is right when the page starts. */
async function open(link: Link, atStart = false): Promise<void> {
  notice.clear();
  if (link.kind === "state") return page.update(link.state);
  let why = link.kind === "broken" ? link.why : null;
  if (link.kind === "example") why = await openExample(link.id, atStart, `example=${link.id}`);
  const first = known?.gallery[0]?.id;
  if (first !== undefined && (link.kind === "none" || (why !== null && atStart))) await openExample(first, atStart, "");
  if (why !== null) notice.show(`This link is broken: ${why}. ${atStart ? "Here is an example instead." : "The page is as it was."}`);
}

/** Opens an example. The address names it so. Returns why it cannot be opened. */
async function openExample(id: string, atStart: boolean, name: string): Promise<string | null> {
  const typed = (): boolean => atStart && page.state.source.text !== "";
  if (typed()) return null; // the reader was faster
  const reply = await page.ask("gallery", { id });
  if (!reply || typed()) return null; // or chose another one since
  if (!reply.answer) return reply.failure.message;
  show(page, reply.answer);
  address.name(name);
  page.say(`Example: ${known?.gallery.find((g) => g.id === id)?.title ?? id}`);
  return null;
}

// Dropping a file beside the editors must not leave the page.
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) void first.open(file);
});
