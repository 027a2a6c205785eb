// Where the panes are. Wide: the sources, and below the call box the answers in tabs and the drawing over the
// program, all at once. Medium: the sources beside one pane. Narrow: one pane, the source being one.

import type { Page } from "../page";
import { h } from "../dom";
import type { Pane } from "./panes";

const wide = matchMedia("(min-width: 75rem)");
export const narrow = matchMedia("(max-width: 47.99rem)");

const always = new Set<string>(["source", "call"]); // to be seen, if there is space
const machine = new Set<string>(["drawing", "program"]);

interface Room {
  id: string;
  title: string;
  element: HTMLElement;
}

type Hosts = Record<"tabs" | "source" | "call" | "answers" | "machine", HTMLElement>;

export class Layout {
  #page: Page;
  #rooms: Room[] = [];
  #host: Hosts;
  #tablist = h("div", { role: "tablist", class: "tabs", "aria-label": "Panes", keydown: (event: KeyboardEvent) => this.#key(event) });

  constructor(page: Page, host: Hosts) {
    this.#page = page;
    this.#host = host;
    host.tabs.append(this.#tablist);
  }

  /** Mounts the panes and keeps them arranged. */
  mount(panes: Pane[]): void {
    this.#rooms.push({ id: "source", title: "Profile", element: this.#host.source });
    const hosts = panes.map((pane) => {
      const element = h("section", { id: `pane-${pane.id}`, tabindex: "-1" });
      const host = pane.id === "call" ? "call" : machine.has(pane.id) ? "machine" : "answers";
      this.#host[host].append(element);
      this.#rooms.push({ id: pane.id, title: pane.title, element: host === "call" ? this.#host.call : element });
      return { pane, element };
    });
    // First, so that a pane finds itself shown or hidden when it hears of a change.
    this.#page.onState((state, before) => {
      if (!before || before.view.tab !== state.view.tab) this.arrange();
    });
    for (const query of [wide, narrow]) query.addEventListener("change", () => this.arrange());
    for (const { pane, element } of hosts) pane.mount(element, this.#page);
  }

  /** The rooms that share the tabs at this width. */
  #tabbed(): Room[] {
    if (narrow.matches) return this.#rooms;
    return this.#rooms.filter((r) => !always.has(r.id) && !(wide.matches && machine.has(r.id)));
  }

  arrange(): void {
    const tabbed = this.#tabbed();
    const open = tabbed.find((r) => r.id === this.#page.state.view.tab) ?? tabbed[0];
    for (const room of this.#rooms) {
      const inTabs = tabbed.includes(room);
      room.element.hidden = inTabs && room !== open;
      if (inTabs) room.element.setAttribute("role", "tabpanel");
      else room.element.removeAttribute("role");
    }
    const onMachine = open !== undefined && machine.has(open.id);
    this.#host.answers.hidden = !wide.matches && open !== undefined && (onMachine || always.has(open.id));
    this.#host.machine.hidden = !wide.matches && !onMachine;
    // The tabs come before what they choose from. To move them takes the focus from them.
    const below = this.#host[narrow.matches ? "source" : "answers"];
    if (this.#host.tabs.nextElementSibling !== below) below.before(this.#host.tabs);
    this.#renderTabs(tabbed, open);
    document.documentElement.dataset.layout = wide.matches ? "wide" : narrow.matches ? "narrow" : "medium";
  }

  #renderTabs(tabbed: Room[], open: Room | undefined): void {
    const focused = this.#tablist.contains(document.activeElement);
    this.#tablist.replaceChildren(
      ...tabbed.map((room) => {
        const selected = room === open;
        return h("button", { type: "button", role: "tab", "data-tab": room.id, "aria-selected": String(selected), "aria-controls": room.element.id, tabindex: selected ? 0 : -1, click: () => this.open(room.id) }, room.title);
      }),
    );
    if (focused) this.#tablist.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
  }

  open(id: string): void {
    this.#page.update({ view: { ...this.#page.state.view, tab: id } });
  }

  #key(event: KeyboardEvent): void {
    const tabs = [...this.#tablist.querySelectorAll<HTMLElement>("[role=tab]")];
    const at = tabs.findIndex((t) => t === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const id = tabs[to % tabs.length]?.dataset.tab;
    if (id) this.open(id);
  }
}
