// An input of the page: its editor, language, settings and findings. There are two, the second to compare.

import type { Finding, Reading, Reply, Rule, Source, Vocabulary } from "../protocol";
import type { Page, State } from "../page";
import { h } from "../dom";
import { Editor } from "../editor/editor";
import type { Words } from "../editor/complete";
import { replaceSource } from "./example";
import { choose, dropZone, plainLines, rawFilter, sourceOf } from "./files";
import { emptySource } from "../state";
import { count, listFindings } from "./findings";
import { LanguageBar } from "./language";

const longText = 100_000; // UTF-16 units: from here on the text is read when typing pauses
const pause = 150; // ms
const sayAfter = 1500; // ms

export class SourceRoom {
  readonly element: HTMLElement;
  readonly editor: Editor;
  #page: Page;
  #which: "source" | "second";
  #title: string;
  #bar: LanguageBar;
  #letter: HTMLElement;
  #name = h("span", { class: "file-name" });
  #summary = h("p", { class: "reading", "aria-live": "off" });
  #findings = h("div", { class: "finding-list", hidden: true });
  #rules: Rule[] = [];
  #typed: ReturnType<typeof setTimeout> | undefined;
  #told = ""; // the last count of findings that was said
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Page, words: Words, which: "source" | "second", title: string, ...buttons: HTMLElement[]) {
    this.#page = page;
    this.#which = which;
    this.#title = title;
    this.#bar = new LanguageBar((change) => this.#change(change));
    this.#letter = h("span", { class: "letter" }, which === "source" ? "A" : "B");
    const box = h("div", { class: "editor" });
    const open = h("button", { type: "button", click: () => choose((file) => void this.open(file)) }, "Open…");
    this.element = h(
      "section",
      { class: "source-room", "aria-label": title },
      h("header", {}, h("h2", {}, this.#letter, ` ${title}`), this.#name, open, ...buttons),
      this.#bar.element,
      box,
      this.#summary,
      this.#findings,
    );
    this.editor = new Editor(box, { label: `${title}: its text`, words, changed: (replaced) => this.#changed(replaced), at: (place) => this.#pointAt(place) });
    dropZone(this.element, (files) => this.#dropped(files));
    page.onState((state, before) => this.#onState(state, before));
    page.onLight((light) => this.#shine(which === "source" && light ? light.trail.pointers : []));
  }

  know(vocabulary: Vocabulary): void {
    this.#bar.know(vocabulary);
  }

  /** Reads a file in the place of the present source. */
  async open(file: File): Promise<void> {
    try {
      const source = await sourceOf(file);
      this.#replace(source);
      this.#page.say(`Opened ${file.name}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#say({ message });
      this.#page.say(message);
    }
  }

  // Two files that are dropped together are compared.
  #dropped(files: File[]): void {
    const [first, second] = files;
    if (first) void this.open(first);
    if (second && this.#which === "source") void sourceOf(second).then((s) => this.#page.update({ second: s }), (e: Error) => this.#page.say(e.message));
  }

  #source(): Source | null {
    return this.#page.state[this.#which];
  }

  #replace(source: Source): void {
    if (this.#which === "source") replaceSource(this.#page, source);
    else this.#page.update({ second: source });
  }

  #change(change: Partial<Source>): void {
    const source = this.#source();
    if (source) this.#page.update({ [this.#which]: { ...source, ...change } });
  }

  // The text of the editor becomes that of the state: at once, or, if it is long, in a pause of typing.
  #changed(replaced: boolean): void {
    this.#rules = [];
    clearTimeout(this.#typed);
    const send = (): void => {
      this.#typed = undefined;
      const text = this.editor.text;
      const raw = replaced ? rawFilter(text) : null;
      if (raw !== null) {
        this.#page.say("Read as a raw filter");
        return this.#replace({ ...emptySource, text: raw, binary: true });
      }
      const { binary, ...rest } = this.#source() ?? { name: "", language: "", settings: [] };
      const still = binary && text !== "" && /^[\sA-Za-z0-9+/=_-]+$/.test(text);
      const source = { ...rest, text, ...(still && { binary }) };
      if (replaced) this.#replace({ ...source, name: "" });
      else this.#page.update({ [this.#which]: source });
    };
    // What changes the editor waits until it has finished its own update.
    if (replaced) {
      this.#typed = setTimeout(() => {
        this.editor.fit();
        send();
      });
    } else if (this.editor.view.state.doc.length < longText) send();
    else this.#typed = setTimeout(send, pause);
  }

  #onState(state: Readonly<State>, before: Readonly<State> | null): void {
    const source = state[this.#which];
    this.#letter.hidden = state.second === null;
    if (!source || (before && source === before[this.#which] && state.target === before.target)) return;
    if (source.text.includes("\r")) return this.#change({ text: plainLines(source.text) });
    void this.#read(source, state); // first: the engine works while the editor draws
    if (source.text !== before?.[this.#which]?.text) {
      clearTimeout(this.#typed);
      this.editor.set(source.text);
    }
    this.editor.colour(source.language);
    this.#name.textContent = this.#name.title = source.name;
    this.#bar.show(source);
  }

  async #read(source: Source, state: Readonly<State>): Promise<void> {
    if (source.text.trim() === "") return this.#empty();
    this.#summary.className = "reading old"; // what stands there is about the text before
    const reply = await this.#page.ask("read", { source, target: state.target }, this.#which);
    if (!reply || this.#source() !== source) return;
    if (reply.answer) return this.#show(source, reply.answer);
    this.#clear();
    this.#say(reply.failure);
  }

  #show(source: Source, reading: Reading): void {
    this.#bar.detected(reading);
    if (this.editor.text !== source.text) return; // typed since: the next answer is on its way
    this.#rules = reading.rules;
    this.editor.colour(reading.kind === "assembly" ? "assembly" : reading.language);
    this.editor.find(reading.findings);
    const go = (finding: Finding): void => this.editor.go(finding);
    const fix = (finding: Finding): void => this.#page.say(this.editor.fix(finding) ? "Fixed" : "The text has changed: try again");
    listFindings(this.#findings, reading.findings, { go, fix });
    this.#tell(`${this.#title}: ${count(reading.findings) || "nothing to complain about"}`);
    this.#summary.className = reading.good ? "reading good" : "reading bad";
    this.#summary.replaceChildren(...summary(reading));
  }

  // Who does not see the margin hears the count of findings, when typing pauses.
  #tell(text: string): void {
    clearTimeout(this.#telling);
    if (text === this.#told) return;
    this.#telling = setTimeout(() => {
      this.#told = text;
      this.#page.say(text);
    }, sayAfter);
  }

  #clear(): void {
    this.#rules = [];
    this.editor.find([]);
    listFindings(this.#findings, [], { go: () => {}, fix: () => {} });
    this.#bar.detected(null);
  }

  #empty(): void {
    this.#clear();
    this.#summary.className = "reading";
    this.#summary.replaceChildren("Paste a profile, unit, policy or filter, drop a file here, or choose an example.");
  }

  #say(failure: NonNullable<Reply<never>["failure"]>): void {
    this.#summary.className = "reading bad";
    this.#summary.replaceChildren(h("b", {}, failure.message), failure.hint ? ` – ${failure.hint}` : "", ...this.#choices(failure.languages ?? []));
  }

  // One button for each language that the source may be in.
  #choices(names: string[]): HTMLElement[] {
    return this.#bar.named(names).map((l) => h("button", { type: "button", click: () => this.#change({ language: l.name }) }, l.title));
  }

  #shine(pointers: string[]): void {
    const wanted = new Set(pointers);
    this.editor.light(this.#rules.filter((r) => wanted.has(r.pointer)));
  }

  // The innermost rule at a place is what the reader points at.
  #pointAt(place: number | null): void {
    if (this.#which !== "source") return;
    let found: Rule | null = null;
    if (place !== null) for (const r of this.#rules) if (r.from <= place && place <= r.to && (!found || r.to - r.from <= found.to - found.from)) found = r;
    this.#page.point(found && { pointer: found.pointer });
  }
}

const plural = (n: number, what: string): string => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

/** What was read, in a line. */
function summary(r: Reading): (Node | string)[] {
  if (!r.good) return [h("b", {}, "Refused"), ": the answers wait for the errors to be mended."];
  const facts = [r.rules.length ? plural(r.rules.length, "rule") : "", plural(r.instructions, "instruction"), r.abis.join(", ")];
  const plain = r.plain > 0 ? `a plain list of comparisons has ${r.plain.toLocaleString("en")}` : "";
  return [h("b", {}, facts.filter((f) => f !== "").join(" · ")), plain && h("span", { title: "Written as one comparison of the number for each call and one for each argument, without a search tree" }, ` (${plain})`), h("small", {}, r.proof)];
}
