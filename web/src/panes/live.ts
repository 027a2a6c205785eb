// A part of a pane that shows an answer of the engine and stays up to date: it asks when something
// changes that the answer depends on, but not while nobody sees it, and says what is missing.

import type { Page, State } from "../page";
import type { Failure, Questions, Reply } from "../protocol";
import { h } from "./dom";
import { isOfSource } from "./meanings";

export interface Live<Op extends keyof Questions> {
  op: Op;
  key: string;
  /** The parts of the state that the answer depends on, compared by identity. */
  on(state: Readonly<State>): readonly unknown[];
  /** The question, or in words why there is none, "" to say nothing. */
  question(state: Readonly<State>): Questions[Op]["question"] | string;
  /** How many milliseconds to wait for further changes: for answers that take the engine long. */
  pause?: number;
  /** Shows an answer again that is the same as before. */
  again?: boolean;
  /** Another way to ask, for answers that are shared. */
  ask?(question: Questions[Op]["question"]): Promise<Reply<Questions[Op]["answer"]> | null>;
  show(answer: Questions[Op]["answer"], state: Readonly<State>): void;
  /** Called when nothing is known any more, because there is no question or a failure. */
  clear?(): void;
}

/** How long an answer may take until the pane says that it is waiting. */
const patience = 250;

/** Keeps body up to date. What it says about missing answers stands above it. */
export function live<Op extends keyof Questions>(host: HTMLElement, body: HTMLElement, page: Page, what: Live<Op>): void {
  const note = h("p", { class: "pane-note", hidden: true });
  body.before(note);
  let seen = false; // whether the host is on the screen
  let asked: readonly unknown[] | null = null; // what the newest question depended on
  let turn = 0;
  let filled = false;
  let shown: Questions[Op]["answer"] | null = null;
  let name = ""; // of the source that shown is about

  const tell = (text: string | null, kind: "" | "bad" | "wait" = ""): void => {
    note.hidden = text === null;
    note.className = `pane-note ${kind}`;
    note.textContent = text;
  };
  const settle = (text: string | null, kind: "" | "bad" = ""): void => {
    body.removeAttribute("aria-busy");
    tell(text, kind);
    body.classList.toggle("stale", text !== null);
    body.hidden = !filled;
  };
  const clear = (): void => {
    shown = null;
    what.clear?.();
  };

  const refresh = async (): Promise<void> => {
    const state = page.state;
    const on = what.on(state);
    if (!seen || (asked && on.length === asked.length && on.every((part, i) => part === asked![i]))) return;
    asked = on;
    const mine = ++turn;
    const question = what.question(state);
    if (typeof question === "string") {
      filled = false;
      clear();
      settle(question);
      return;
    }
    const timer = setTimeout(() => {
      if (mine !== turn) return;
      body.setAttribute("aria-busy", "true");
      tell("Working …", "wait");
    }, patience);
    try {
      if (what.pause && filled) await new Promise((done) => setTimeout(done, what.pause));
      if (mine !== turn) return;
      const reply = await (what.ask ? what.ask(question) : page.ask(what.op, question, what.key));
      if (mine !== turn || reply === null) return;
      if (reply.failure) {
        clear();
        if (page.state.source.name !== name) filled = false; // what was shown is about another file
        const known = what.op !== "meaning" && (await isOfSource(page, reply.failure));
        if (mine === turn) settle(words(known ? { message: "The source is refused; the editor and the meaning tell why" } : reply.failure, filled), "bad");
        return;
      }
      filled = true;
      name = state.source.name;
      settle(null); // first, for what is shown may scroll
      if (reply.answer === shown && !what.again) return; // the page gives equal answers as the same object
      shown = reply.answer;
      what.show(reply.answer, state);
    } catch (error) {
      if (mine !== turn) return;
      asked = null;
      settle(`The engine did not answer: ${error instanceof Error ? error.message : String(error)}. Change something to ask again.`, "bad");
    } finally {
      clearTimeout(timer);
    }
  };

  new IntersectionObserver((entries) => {
    seen = entries.some((e) => e.isIntersecting);
    void refresh();
  }).observe(host);
  page.onState(() => void refresh());
}

/** A failure in one paragraph. */
export function words(failure: Failure, stale = false): string {
  const sentences = [failure.message, failure.hint ?? "", stale ? "Below is what it was before." : ""];
  return sentences.filter((s) => s !== "").map((s) => (/[.?!]$/.test(s) ? s : `${s}.`)).join(" ");
}

/** The question about the source alone, or, if there is none, what the pane will show. */
export function subject(state: Readonly<State>, otherwise: string): Pick<State, "source" | "target"> | string {
  return state.source.text === "" ? otherwise : { source: state.source, target: state.target };
}
