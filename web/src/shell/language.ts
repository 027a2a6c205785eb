// The language of a source: detected or chosen, with the version and the settings of its own tool.

import type { Reading, Source, Vocabulary } from "../protocol";
import { h } from "../dom";
import { popover } from "./popover";

type Known = Vocabulary["languages"][number];

const raw = "raw filter"; // of the chooser: the text is base64

// What else a text can be.
const kinds: Record<Reading["kind"], string> = { profile: "", empty: "", filter: "raw filter", assembly: "cBPF assembly", artifact: "artifact", snap: "snap's filter" };

export class LanguageBar {
  readonly element: HTMLElement;
  #changed: (change: Partial<Source>) => void;
  #languages: Known[] = [];
  #source: Source | null = null;
  #detected = "";
  #language: HTMLSelectElement;
  #version: HTMLSelectElement;
  #versionLabel: HTMLElement;
  #settings = popover("Settings", "Settings of the language", (panel) => this.#fill(panel));

  constructor(changed: (change: Partial<Source>) => void) {
    this.#changed = changed;
    this.#language = h("select", { change: () => this.#choose(this.#language.value) });
    this.#version = h("select", { change: () => this.#chooseVersion(this.#version.value) });
    this.#versionLabel = h("label", { hidden: true }, h("span", { class: "sr" }, "Version "), this.#version);
    this.element = h("div", { class: "bar" }, h("label", {}, h("span", { class: "sr" }, "Language "), this.#language), this.#versionLabel, this.#settings.button, this.#settings.panel);
    this.#list();
  }

  /** The languages of these names. */
  named(names: string[]): Known[] {
    return this.#languages.filter((l) => names.includes(l.name));
  }

  know(vocabulary: Vocabulary): void {
    this.#languages = vocabulary.languages;
    this.#list();
    this.#render();
  }

  show(source: Source): void {
    this.#source = source;
    this.#render();
  }

  detected(reading: Reading | null): void {
    this.#detected = !reading?.detected ? "" : reading.language || kinds[reading.kind];
    this.#render();
  }

  #list(): void {
    this.#language.replaceChildren(
      h("option", { value: "" }, "Detect"),
      ...this.#languages.map((l) => h("option", { value: l.name }, l.title)),
      h("option", { value: raw }, "Raw filter, in base64"),
    );
  }

  #base(): string {
    return (this.#source?.language || this.#detected).replace(/@.*/, "");
  }

  #known(): Known | undefined {
    return this.#languages.find((l) => l.name === this.#base());
  }

  #render(): void {
    const source = this.#source;
    if (!source) return;
    const first = this.#language.options[0];
    const detected = this.#languages.find((l) => l.name === this.#detected.replace(/@.*/, ""))?.title ?? this.#detected;
    if (first) first.text = detected === "" ? "Detect" : `Detected: ${detected}`;
    this.#language.value = source.binary ? raw : source.language.replace(/@.*/, "");
    const known = this.#known();
    const versions = known?.versions ?? [];
    this.#versionLabel.hidden = versions.length === 0;
    const newest = versions.at(-1);
    this.#version.replaceChildren(h("option", { value: "" }, `newest: ${newest}`), ...versions.map((v) => h("option", { value: v }, `version ${v}`)));
    this.#version.value = source.language.split("@")[1] ?? "";
    const count = source.settings.length;
    this.#settings.button.textContent = count === 0 ? "Settings" : `Settings (${count})`;
  }

  #choose(value: string): void {
    // The settings of one language mean nothing to another.
    this.#changed(value === raw ? { binary: true, language: "", settings: [] } : { binary: false, language: value, settings: [] });
  }

  #chooseVersion(value: string): void {
    this.#changed({ language: value === "" ? this.#base() : `${this.#base()}@${value}` });
  }

  #fill(panel: HTMLElement): void {
    const source = this.#source;
    const known = this.#known();
    const name = h("input", { value: source?.name ?? "", autocomplete: "off", spellcheck: "false", change: () => this.#changed({ name: name.value }) });
    const fields = (known?.settings ?? []).map((s) => this.#field(s, source?.settings ?? []));
    panel.replaceChildren(
      h("label", { class: "field" }, "File name ", name, h("small", {}, "Some languages are known by it.")),
      ...fields,
      known && fields.length === 0 ? h("p", {}, `${known.title} has no settings.`) : "",
    );
  }

  #field(setting: Known["settings"][number], settings: string[]): HTMLElement {
    const prefix = `${setting.key}=`;
    const value = settings.find((s) => s.startsWith(prefix))?.slice(prefix.length) ?? "";
    const set = (text: string): void => {
      const others = (this.#source?.settings ?? []).filter((s) => !s.startsWith(prefix));
      this.#changed({ settings: text === "" ? others : [...others, prefix + text].sort() });
    };
    if (setting.words.length === 0) {
      const input = h("input", { value, autocomplete: "off", spellcheck: "false", change: () => set(input.value) });
      return h("label", { class: "field" }, `${setting.key} `, input);
    }
    const select = h("select", { change: () => set(select.value) }, ...["", ...setting.words].map((w) => h("option", { value: w }, w || "default")));
    select.value = value;
    return h("label", { class: "field" }, `${setting.key} `, select);
  }
}
