// Starts the engine while the page's own script is still on its way: the engine takes longest to load.

import { launch } from "./launch";
import type { Source } from "./launch";

declare global {
  var engineSource: Source;
}

/** The engine of this page: index.html names its files, or holds them if it is the one-file form. */
function engineOfPage(): Source {
  const inline = (id: string): string | null => document.getElementById(id)?.textContent ?? null;
  const named = (name: string): string => {
    const content = document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content;
    return new URL(content ?? "", document.baseURI).href;
  };
  const script = inline("engine-worker");
  const base64 = inline("engine-wasm");
  if (script === null || base64 === null) return { worker: () => new Worker(named("engine-worker")), engine: { url: named("engine-wasm") } };
  return {
    worker: () => {
      const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
      const worker = new Worker(url);
      worker.addEventListener("message", () => URL.revokeObjectURL(url), { once: true });
      return worker;
    },
    engine: { base64 },
  };
}

const source = (globalThis.engineSource = engineOfPage());
try {
  source.launched = launch(source.worker(), source.engine);
} catch {
  // The client tries again, and says why it cannot.
}
