// The address bar: each change of the state becomes the URL's fragment, and links that are opened are told.

import { decode, encode } from "./fragment";
import type { Link } from "./fragment";
import type { Page, State } from "./page";

const delay = 400; // ms: browsers bound how often a page may change its address
const longest = 1_000_000; // characters; a longer fragment is left out, as browsers cut or refuse it

/** A link to the state, or null if it would be too long for a browser. */
export async function linkTo(state: State): Promise<string | null> {
  const fragment = await encode(state);
  return fragment.length > longest ? null : `${location.href.replace(/#.*/s, "")}#${fragment}`;
}

/** Whether something else is looked at now: another text under another name, or one text more or less. */
function replaced(before: Readonly<State>, state: Readonly<State>): boolean {
  const other = before.source.name !== state.source.name && before.source.text !== state.source.text;
  return other || (before.second === null) !== (state.second === null);
}

/** Keeps the address equal to the state. What replaces a whole text is a step that the browser's Back undoes. */
export class Address {
  #page: Page;
  #written = location.hash;
  #named: { state: Readonly<State>; fragment: string } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #serial = 0;
  #step = false; // whether the next address is a place that Back returns from

  constructor(page: Page) {
    this.#page = page;
    page.onState((state, before) => {
      if (!before) return;
      this.#step ||= before.source.text !== "" && replaced(before, state);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#write(state), delay);
    });
  }

  /** Calls opened with the links that are opened in this page from now on. */
  follow(opened: (link: Link) => void): void {
    addEventListener("hashchange", () => {
      if (location.hash === this.#written) return;
      this.#written = location.hash;
      void decode(location.hash).then(opened);
    });
  }

  /** Gives the present state a short fragment, as long as the reader changes nothing. */
  name(fragment: string): void {
    this.#named = { state: this.#page.state, fragment };
  }

  async #write(state: Readonly<State>): Promise<void> {
    const serial = ++this.#serial;
    const bare = location.href.replace(/#.*/s, "");
    const name = this.#named?.state === state ? this.#named.fragment : null;
    const link = name === null ? await linkTo(state) : name === "" ? bare : `${bare}#${name}`;
    if (serial !== this.#serial) return;
    const step = this.#step;
    this.#step = false;
    if ((link ?? bare) === location.href) return;
    try {
      if (step) history.pushState(null, "", link ?? bare);
      else history.replaceState(null, "", link ?? bare);
    } catch {
      return; // too often or, for a file, not allowed: the share button still makes links
    }
    this.#written = location.hash;
  }
}
