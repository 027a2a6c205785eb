// The switches of the target: where the filter will run and how the profile is read.

import type { Target, Vocabulary } from "../protocol";
import type { Page } from "../page";
import { freshId, h } from "../dom";
import { emptyTarget } from "../state";
import { narrow } from "./layout";
import { popover } from "./popover";

export class TargetBar {
  readonly element: HTMLElement;
  #page: Page;
  #title = h("summary", {}, "Target");
  #shows: ((target: Target) => void)[] = [];

  constructor(page: Page, vocabulary: Vocabulary) {
    this.#page = page;
    const v = vocabulary;
    const reset = h("button", { type: "button", click: () => page.update({ target: emptyTarget }) }, "Reset");
    this.#shows.push((target) => (reset.hidden = JSON.stringify(target) === JSON.stringify(emptyTarget)));
    const fields = [
      this.#several("abis", "ABIs", v.abis, "those of the profile"),
      this.#select("mode", "Runtime", v.modes, "default"),
      this.#capabilities(v.caps),
      this.#kernel(),
      this.#enosys(),
      this.#select("badArch", "Other ABIs", v.actions, "default"),
      this.#select("consumer", "Check for", v.consumers, "anyone"),
      reset,
    ];
    const fold = h("details", {}, this.#title, h("div", { class: "bar" }, ...fields.flat()));
    this.element = h("section", { class: "target", "aria-label": "Target" }, fold);
    // Where there is space for them, the switches are always there.
    const unfold = (): boolean => fold.toggleAttribute("open", !narrow.matches);
    narrow.addEventListener("change", unfold);
    unfold();
    page.onState(({ target }) => {
      for (const show of this.#shows) show(target);
      this.#title.textContent = `Target: ${inWords(target)}`;
    });
  }

  #set(change: Partial<Target>): void {
    this.#page.update({ target: { ...this.#page.state.target, ...change } });
  }

  #select(key: "mode" | "badArch" | "consumer", label: string, words: string[], none: string): HTMLElement {
    const select = h("select", { change: () => this.#set({ [key]: select.value }) }, h("option", { value: "" }, none), ...words.map((w) => h("option", { value: w }, w)));
    this.#shows.push((target) => choose(select, target[key]));
    return h("label", {}, `${label} `, select);
  }

  #several(key: "abis" | "caps", label: string, words: string[], none: string, ...extra: HTMLElement[]): HTMLElement[] {
    const boxes = words.map((word) => {
      const input = h("input", { type: "checkbox", value: word, change: () => this.#toggle(key, word, input.checked) });
      this.#shows.push((target) => (input.checked = target[key].includes(word)));
      return h("label", { class: "check" }, input, ` ${word}`);
    });
    const { button, panel } = popover(label, label);
    panel.append(...extra, h("fieldset", {}, h("legend", {}, label), ...boxes));
    this.#shows.push((target) => {
      const chosen = target[key];
      button.textContent = `${label}: ${chosen.length > 3 ? `${chosen.length} chosen` : chosen.join(", ") || none}`;
    });
    return [button, panel];
  }

  #toggle(key: "abis" | "caps", word: string, on: boolean): void {
    const sets = ["default", "all", "none"]; // which stand for themselves
    const others = this.#page.state.target[key].filter((w) => w !== word && !(key === "caps" && sets.includes(w)));
    this.#set({ [key]: on ? [...others, word] : others });
  }

  #capabilities(caps: string[]): HTMLElement[] {
    const words = ["", "default", "all", "none"];
    const name = freshId("caps");
    const titles = ["as the command has them", "those of a Docker container", "all (--privileged)", "none"];
    const radios = words.map((word, i) => {
      const input = h("input", { type: "radio", name, change: () => this.#set({ caps: word === "" ? [] : [word] }) });
      this.#shows.push(({ caps: chosen }) => (input.checked = word === "" ? chosen.length === 0 : chosen.length === 1 && chosen[0] === word));
      return h("label", { class: "check" }, input, ` ${titles[i]}`);
    });
    const set = h("fieldset", {}, h("legend", {}, "Set of capabilities"), ...radios);
    return this.#several("caps", "Capabilities", caps.filter((c) => !words.includes(c)), "default", set);
  }

  #kernel(): HTMLElement {
    const list = freshId("kernels");
    const input = h("input", { list, size: 6, placeholder: "any", autocomplete: "off", spellcheck: "false", change: () => this.#set({ kernel: input.value.trim() }) });
    const releases = ["4.19", "5.4", "5.10", "5.15", "6.1", "6.6", "6.12", "6.18"];
    this.#shows.push(({ kernel }) => (input.value = kernel));
    return h("label", {}, "Linux ", input, h("datalist", { id: list }, ...releases.map((value) => h("option", { value }))));
  }

  #enosys(): HTMLElement {
    const words: [string, string][] = [["", "default"], ["profile", "newer than the profile knows"], ["kernel:5.10", "newer than Linux 5.10"], ["kernel:6.1", "newer than Linux 6.1"], ["kernel:6.6", "newer than Linux 6.6"], ["kernel:6.12", "newer than Linux 6.12"], ["off", "off"]];
    const select = h("select", { change: () => this.#set({ enosys: select.value }) }, ...words.map(([value, text]) => h("option", { value }, text)));
    this.#shows.push(({ enosys }) => choose(select, enosys));
    return h("label", { title: "Calls that get ENOSYS, so that programs fall back to older ones" }, "ENOSYS ", select);
  }
}

/** Selects a value, which a link may have though it is not among the options. */
function choose(select: HTMLSelectElement, value: string): void {
  if (![...select.options].some((o) => o.value === value)) select.append(h("option", { value }, value));
  select.value = value;
}

function inWords(t: Target): string {
  const parts = [t.abis.join(", "), t.mode, t.caps.length ? `capabilities ${t.caps.join(", ")}` : "", t.kernel && `Linux ${t.kernel}`, t.enosys && `ENOSYS ${t.enosys}`, t.badArch && `other ABIs ${t.badArch}`, t.consumer && `for ${t.consumer}`];
  return parts.filter((p) => p !== "").join(" · ") || "as the profile says";
}
