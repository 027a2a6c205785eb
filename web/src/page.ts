// What the parts of the page know of each other: the state, which is all that the reader chose, and the
// engine. A part is mounted once, listens to changes, and changes the state through update.

import type { CallText, Expectation, Questions, Reply, Source, Spot, Target, Trail } from "./protocol";

/** All that the reader chose. It is in the URL's fragment, so it holds no answers. */
export interface State {
  source: Source;
  second: Source | null; // null: nothing to compare with
  target: Target;
  call: CallText;
  expectations: Expectation[];
  view: { stage: "diagram" | "tree"; only: string /* the only call that is drawn, "" for all */; tab: string };
}

/** What is lit: by a pointer that rests on something, or by the call box. It is not part of the URL. */
export interface Light {
  trail: Trail;
  by: "pointer" | "call";
}

export interface Page {
  readonly state: Readonly<State>;
  /** Changes a part of the state and tells everybody. */
  update(change: Partial<State>): void;
  /** Calls f now and after every change of the state. */
  onState(f: (state: Readonly<State>, before: Readonly<State> | null) => void): void;
  /** Asks the engine. A later question with the same op and key makes the promise of an earlier one
   * resolve to null: its answer is of no use any more. An answer that is the same as the last one with this
   * op and key is the same object. */
  ask<Op extends keyof Questions>(op: Op, question: Questions[Op]["question"], key?: string): Promise<Reply<Questions[Op]["answer"]> | null>;
  /** Lights up what belongs to a spot in all panes, or, with null, nothing. */
  point(spot: Spot | null): void;
  /** Lights up the path of a call until the pointer rests on something else, or nothing with null. */
  follow(trail: Trail | null): void;
  onLight(f: (light: Light | null) => void): void;
  /** Says something to everybody, screen readers included. */
  say(text: string): void;
  /** Saves a file. */
  save(name: string, type: string, content: string | Uint8Array): void;
}

/** A part of the page. */
export type Mount = (host: HTMLElement, page: Page) => void;
