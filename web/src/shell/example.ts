// Examples of the gallery: they come with a call, expectations and a target, which go with them.

import type { Example, Source } from "../protocol";
import type { Page, State } from "../page";
import { initial } from "../state";

const came = new WeakMap<Page, Readonly<State>>(); // the state as the last example made it

/** Makes an example the state. */
export function show(page: Page, example: Example): void {
  const { view } = page.state;
  page.update({
    ...initial,
    source: example.source,
    second: example.second ?? null,
    target: example.target,
    call: example.call ?? initial.call,
    expectations: example.expectations ?? [],
    view: { ...initial.view, tab: example.second ? "compare" : view.tab === "compare" ? "" : view.tab },
  });
  came.set(page, page.state);
}

/** Puts the reader's own source in the place of the present one. What came with an example and was not
 * changed goes with it, and what the reader chose stays. */
export function replaceSource(page: Page, source: Source): void {
  const was = came.get(page);
  came.delete(page);
  if (!was) return page.update({ source });
  const { state } = page;
  const gone = (["target", "call", "expectations"] as const).filter((part) => state[part] === was[part]);
  const change: Partial<State> = Object.fromEntries(gone.map((part) => [part, initial[part]]));
  const mine = source.language === was.source.language ? { ...source, language: "", settings: [] } : source;
  page.update({ ...change, source: mine });
}
