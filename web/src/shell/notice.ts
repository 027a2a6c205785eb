// What went wrong with the page itself, until the reader closes it.

import { h } from "../dom";

export class Notice {
  constructor(private readonly element: HTMLElement) {}

  show(text: string): void {
    const close = h("button", { type: "button", "aria-label": "Close the message", click: () => this.clear() }, "×");
    this.element.replaceChildren(h("p", {}, text), close);
    this.element.hidden = false;
  }

  clear(): void {
    this.element.hidden = true;
  }
}
