// Starts the engine while the page's own script is still on its way: the engine takes longest to load.

import { launch } from "./launch";
import type { Source } from "./launch";

declare global {
  var engineSource: Source;
}

declare const workerScript: string; // worker.ts, which build.mjs puts in

/** The engine of this page: index.html names its file, or holds it if it is the one-file form. The worker's
 * script is in this one, so that a new worker needs no network. */
function engineOfPage(): Source {
  const base64 = document.getElementById("engine-wasm")?.textContent;
  const name = document.querySelector<HTMLMetaElement>('meta[name="engine-wasm"]')?.content;
  return {
    worker: () => {
      const url = URL.createObjectURL(new Blob([workerScript], { type: "text/javascript" }));
      const worker = new Worker(url);
      worker.addEventListener("message", () => URL.revokeObjectURL(url), { once: true });
      return worker;
    },
    engine: base64 ? { base64 } : { url: new URL(name ?? "", document.baseURI).href },
  };
}

const source = (globalThis.engineSource = engineOfPage());
try {
  source.launched = launch(source.worker(), source.engine);
} catch {
  // The client tries again, and says why it cannot.
}
