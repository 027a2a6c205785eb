// The engine's worker, from its start until the client listens to it.

import type { Engine, FromWorker, ToWorker } from "./worker";

/** A worker that was told to start, and what it said since. */
export interface Launched {
  worker: Worker;
  said: FromWorker[];
}

/** What can be started: a worker, and the engine for it. */
export interface Source {
  worker(): Worker;
  engine: Engine;
  launched?: Launched; // the first one
}

/** Starts the engine. Whoever takes it reads what it said, and then listens. */
export function launch(worker: Worker, engine: Engine): Launched {
  const said: FromWorker[] = [];
  listen(worker, (message) => said.push(message));
  const message: ToWorker = { start: engine };
  worker.postMessage(message);
  return { worker, said };
}

/** Calls heard with all that a worker says from now on, its end included. */
export function listen(worker: Worker, heard: (message: FromWorker) => void): void {
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => heard(data);
  worker.onerror = (event) => {
    event.preventDefault();
    heard({ died: event.message || "its script cannot be loaded" });
  };
}
