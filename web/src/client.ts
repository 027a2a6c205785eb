// The page's end of the engine: a queue of questions before one Web Worker.

import { launch, listen } from "./launch";
import type { Source } from "./launch";
import type { Failure, Questions, Reply } from "./protocol";
import type { Engine, FromWorker, ToWorker } from "./worker";

type Op = keyof Questions;

/** What the engine is doing. A question is slow once it takes five seconds. */
export type Status =
  | { state: "loading" }
  | { state: "idle" }
  | { state: "busy" }
  | { state: "slow"; op: Op }
  | { state: "failed"; why: string };

interface Pending {
  op: Op;
  key: string;
  question: object;
  settle: (reply: Reply<never> | null) => void;
}

const slowAfter = 5000; // ms
const staleAfter = 1000; // ms: a new engine is ready sooner than this one answers what nobody asks any more
const deathsInARow = 3;

// What a reader waits for most comes first.
const order: Op[] = ["vocabulary", "gallery", "read", "eval", "trail", "meaning", "program", "draw", "calls", "expect", "compare"];
const rank = (op: Op): number => (order.indexOf(op) + 1 || order.length + 1);

export class Client {
  #source: Source;
  #onStatus: (status: Status) => void;
  #onRestart: (why: string) => void;
  #engine: Engine; // compiled once it has run, so that a new worker starts at once
  #worker: Worker | null = null;
  #ready = false;
  #deaths = 0;
  #failed: Failure | null = null;
  #deadly: unknown = null; // the source that killed the engine too often
  #waiting = new Map<string, Pending>();
  #last = new Map<string, { text: string; reply: Reply<never> }>(); // by op and key
  #running: (Pending & { id: number; since: number }) | null = null;
  #serial = 0;
  #slow: ReturnType<typeof setTimeout> | undefined;

  constructor(source: Source, onStatus: (status: Status) => void, onRestart: (why: string) => void) {
    this.#source = source;
    this.#engine = source.engine;
    this.#onStatus = onStatus;
    this.#onRestart = onRestart;
    this.#start();
  }

  /** See Page.ask. */
  ask<O extends Op>(op: O, question: Questions[O]["question"], key = ""): Promise<Reply<Questions[O]["answer"]> | null> {
    return new Promise((resolve) => {
      const settle = resolve as Pending["settle"];
      if (this.#deadly && "source" in question && question.source !== this.#deadly) this.retry();
      if (this.#failed) return resolve({ failure: this.#failed });
      const name = `${op} ${key}`;
      this.#waiting.get(name)?.settle(null);
      this.#waiting.delete(name); // the new one goes to the end
      const late = this.#replaces(op, key, question);
      this.#waiting.set(name, { op, key, question: { op, ...question }, settle });
      if (late) this.#restart();
      else this.#next();
    });
  }

  // Drops the running question if a new one takes its place. True: it is about a source that was changed
  // since, and it takes long.
  #replaces(op: Op, key: string, question: object): boolean {
    const running = this.#running;
    if (running?.op !== op || running.key !== key) return false;
    running.settle(null);
    const changed = "source" in question && "source" in running.question && question.source !== running.question.source;
    return changed && performance.now() - running.since > staleAfter;
  }

  /** Gives up all questions and starts the engine anew. */
  stop(): void {
    const failure = { message: "stopped: this took too long", hint: "change the profile or the target to ask again" };
    this.#running?.settle({ failure });
    for (const pending of this.#waiting.values()) pending.settle({ failure });
    this.#waiting.clear();
    this.#restart();
  }

  /** Tries again after the engine failed. */
  retry(): void {
    this.#deaths = 0;
    this.#failed = null;
    this.#deadly = null;
    this.#restart();
  }

  #start(): void {
    this.#ready = false;
    this.#onStatus({ state: "loading" });
    try {
      const { worker, said } = this.#source.launched ?? launch(this.#source.worker(), this.#engine);
      delete this.#source.launched;
      this.#worker = worker;
      // What a worker said before it was ended may arrive after that.
      const heard = (message: FromWorker): void => {
        if (worker === this.#worker) this.#receive(message);
      };
      listen(worker, heard);
      for (const message of said) heard(message);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #restart(): void {
    clearTimeout(this.#slow);
    this.#worker?.terminate();
    this.#worker = null;
    this.#running = null;
    this.#start();
  }

  #receive(message: FromWorker): void {
    if ("died" in message) return this.#died(message.died);
    if ("ready" in message) {
      this.#engine = { module: message.ready };
      this.#ready = true;
      this.#onStatus({ state: "idle" });
    } else if (message.id === this.#running?.id) {
      this.#deaths = 0;
      this.#running.settle(this.#read(this.#running, message.reply));
      clearTimeout(this.#slow);
      this.#running = null;
      if (this.#waiting.size === 0) this.#onStatus({ state: "idle" });
    }
    this.#next();
  }

  // A reply that is the same as the last one is the same object, so that a pane can tell.
  #read({ op, key }: Pending, text: string): Reply<never> {
    const name = `${op} ${key}`;
    const last = this.#last.get(name);
    if (last?.text === text) return last.reply;
    const reply = JSON.parse(text) as Reply<never>;
    this.#last.set(name, { text, reply });
    return reply;
  }

  // An engine that dies while it loads will do so again, one that dies of a question may live on.
  #died(why: string): void {
    const loading = !this.#ready;
    const source = this.#running && "source" in this.#running.question ? this.#running.question.source : null;
    this.#running?.settle({ failure: { message: `the engine stopped working: ${why}`, hint: "it was started again; undo the last change if this repeats" } });
    if (loading || ++this.#deaths >= deathsInARow) {
      this.#deadly = source;
      return this.#fail(why);
    }
    this.#onRestart(why);
    this.#restart();
  }

  #fail(why: string): void {
    clearTimeout(this.#slow);
    this.#worker?.terminate();
    this.#worker = null;
    this.#ready = false;
    this.#running = null;
    this.#failed = { message: `the engine does not run: ${why}`, hint: "reload the page, or try a current Firefox, Chrome or Safari" };
    for (const pending of this.#waiting.values()) pending.settle({ failure: this.#failed });
    this.#waiting.clear();
    this.#onStatus({ state: "failed", why });
  }

  #next(): void {
    if (!this.#ready || this.#running || this.#waiting.size === 0) return;
    let first: Pending | undefined;
    for (const p of this.#waiting.values()) if (!first || rank(p.op) < rank(first.op)) first = p;
    if (!first) return;
    this.#waiting.delete(`${first.op} ${first.key}`);
    const id = ++this.#serial;
    this.#running = { ...first, id, since: performance.now() };
    this.#onStatus({ state: "busy" });
    const { op } = first;
    this.#slow = setTimeout(() => this.#onStatus({ state: "slow", op }), slowAfter);
    const message: ToWorker = { id, question: first.question };
    this.#worker?.postMessage(message);
  }
}
