// A choice of one ABI, for calls.

import type { Page } from "../page";
import { h } from "./dom";

export interface ABIChoice {
  select: HTMLSelectElement;
  set(abi: string): void;
  /** Says which ABI the first entry stands for. */
  first(abi: string): void;
}

/** A list of all ABIs. Its first entry is the filter's own first ABI. */
export function abiChoice(page: Page, label: string, change: (abi: string) => void): ABIChoice {
  const first = h("option", { value: "" }, "first ABI");
  const select: HTMLSelectElement = h("select", { "aria-label": label, change: () => change(select.value) }, first);
  let wanted = "";
  void abisOf(page).then((abis) => {
    const there = new Set([...select.options].map((o) => o.value));
    select.append(...abis.filter((a) => !there.has(a)).map((abi) => h("option", { value: abi }, abi)));
    select.value = wanted;
  });
  return {
    select,
    set(abi) {
      wanted = abi;
      if (![...select.options].some((o) => o.value === abi)) select.append(h("option", { value: abi }, abi));
      select.value = abi;
    },
    first(abi) {
      if (select.value === "") first.textContent = `first: ${abi}`;
    },
  };
}

const known = new WeakMap<Page, Promise<string[]>>();

/** All ABIs there are, asked for once. */
export function abisOf(page: Page): Promise<string[]> {
  let abis = known.get(page);
  if (!abis) {
    const forget = (): string[] => {
      known.delete(page);
      return [];
    };
    abis = page.ask("vocabulary", {}, "panes").then((reply) => reply?.answer?.abis ?? forget(), forget);
    known.set(page, abis);
  }
  return abis;
}
