// The page that its parts see: the state with its listeners, the engine, and what is lit.

import type { Questions, Reply, Spot, Trail } from "./protocol";
import type { Light, Page, State } from "./page";
import type { Client } from "./client";
import { initial } from "./state";
import { h } from "./dom";

const pointDelay = 25; // ms: a pointer that crosses the page asks nothing
const mostSaid = 10; // messages that are kept

type StateListener = (state: Readonly<State>, before: Readonly<State> | null) => void;

export class Session implements Page {
  #state: State = initial;
  #stateListeners: { f: StateListener; seen: State | null }[] = [];
  #telling = false;
  #lightListeners: ((light: Light | null) => void)[] = [];
  #light: Light | null = null;
  #followed: Trail | null = null;
  #spot: string = "null";
  #pointing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: Client,
    private readonly live: HTMLElement,
  ) {}

  get state(): Readonly<State> {
    return this.#state;
  }

  update(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    this.#tell();
  }

  onState(f: StateListener): void {
    this.#stateListeners.push({ f, seen: null });
    this.#tell();
  }

  // A listener may change the state: then all hear of that too, each with the state it saw before.
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let late = this.#late(); late; late = this.#late()) {
        const before = late.seen;
        late.seen = this.#state;
        late.f(late.seen, before);
      }
    } finally {
      this.#telling = false;
    }
  }

  #late(): { f: StateListener; seen: State | null } | undefined {
    return this.#stateListeners.find((l) => l.seen !== this.#state);
  }

  ask<Op extends keyof Questions>(op: Op, question: Questions[Op]["question"], key?: string): Promise<Reply<Questions[Op]["answer"]> | null> {
    return this.client.ask(op, question, key);
  }

  point(spot: Spot | null): void {
    const name = JSON.stringify(spot);
    if (name === this.#spot) return;
    this.#spot = name;
    clearTimeout(this.#pointing);
    this.#pointing = setTimeout(() => void this.#lightUp(spot, name), pointDelay);
  }

  async #lightUp(spot: Spot | null, name: string): Promise<void> {
    if (!spot) return this.#shine(this.#followed && { trail: this.#followed, by: "call" });
    const { source, target, view } = this.#state;
    const reply = await this.ask("trail", { source, target, stage: view.stage, call: view.only, spot }, "point");
    if (reply?.answer && name === this.#spot) this.#shine({ trail: reply.answer, by: "pointer" });
  }

  follow(trail: Trail | null): void {
    this.#followed = trail;
    if (this.#light?.by !== "pointer") this.#shine(trail && { trail, by: "call" });
  }

  #shine(light: Light | null): void {
    this.#light = light;
    for (const f of this.#lightListeners) f(light);
  }

  onLight(f: (light: Light | null) => void): void {
    this.#lightListeners.push(f);
    f(this.#light);
  }

  say(text: string): void {
    // Each message is a paragraph of its own: a text that is replaced at once is not read out.
    this.live.append(h("p", {}, text));
    if (this.live.childElementCount > mostSaid) this.live.firstElementChild?.remove();
  }

  save(name: string, type: string, content: string | Uint8Array): void {
    const url = URL.createObjectURL(new Blob([content as BlobPart], { type }));
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.say(`Saved ${name}`);
  }
}
