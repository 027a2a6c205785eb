// What the engine is doing, in the head of the page, and what to do if it does not do it.

import type { Status } from "../client";
import { h } from "../dom";

const patience = 200; // ms: work that takes less is not worth a word

export class StatusLine {
  readonly element = h("span", { class: "status", role: "status" });
  #later: ReturnType<typeof setTimeout> | undefined;
  #stop: () => void;
  #retry: () => void;

  constructor(stop: () => void, retry: () => void) {
    this.#stop = stop;
    this.#retry = retry;
  }

  show(status: Status): void {
    clearTimeout(this.#later);
    switch (status.state) {
      case "loading":
        return this.#put("loading", "Loading the engine…");
      case "idle":
        return this.#put("idle");
      case "busy":
        this.#later = setTimeout(() => this.#put("working", "Working…"), patience);
        return;
      case "slow":
        return this.#put("slow", `This takes long (${status.op}). `, button("Stop", this.#stop));
      case "failed":
        return this.#put("failed", `The engine does not run: ${status.why} `, button("Try again", this.#retry));
    }
  }

  #put(state: string, ...content: (Node | string)[]): void {
    this.element.dataset.state = state;
    this.element.replaceChildren(...content);
  }
}

function button(text: string, click: () => void): HTMLElement {
  return h("button", { type: "button", click }, text);
}
