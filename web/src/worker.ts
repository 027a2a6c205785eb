// The engine in its thread: it answers one question after the other.

import "wasm-exec";

/** Where the engine comes from: compiled already, to be fetched, or gzip in base64. */
export type Engine = { module: WebAssembly.Module } | { url: string } | { base64: string };
export type ToWorker = { start: Engine } | { id: number; question: object };
export type FromWorker = { ready: WebAssembly.Module } | { id: number; reply: string } | { died: string };

interface GoRuntime {
  importObject: WebAssembly.Imports;
  run(instance: WebAssembly.Instance): Promise<void>;
}

interface Scope {
  Go: new () => GoRuntime;
  seccompile?: (question: string) => string;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope = self as unknown as Scope;

scope.onmessage = ({ data }) => {
  if ("start" in data) void start(data.start).catch(died);
  else answer(data.id, data.question);
};

async function start(engine: Engine): Promise<void> {
  const module = await compiled(engine);
  const go = new scope.Go();
  const instance = await WebAssembly.instantiate(module, go.importObject);
  // The engine blocks for ever, so whenever run settles it has ended.
  go.run(instance).then(() => died(new Error("its program ended")), died);
  await new Promise((done) => setTimeout(done));
  if (!scope.seccompile) throw new Error("it does not offer its answers");
  scope.postMessage({ ready: module });
}

async function compiled(engine: Engine): Promise<WebAssembly.Module> {
  if ("module" in engine) return engine.module;
  if ("base64" in engine) {
    const packed = Uint8Array.from(atob(engine.base64), (c) => c.charCodeAt(0));
    const unpacked = new Response(packed).body?.pipeThrough(new DecompressionStream("gzip")); // WebKit reads no blob in a page from file://
    return WebAssembly.compile(await new Response(unpacked).arrayBuffer());
  }
  const response = await fetch(engine.url);
  if (!response.ok) throw new Error(`the server answers ${response.status} for ${engine.url.replace(/.*\//, "")}`);
  // Some hosts do not know the type of wasm, without which a browser does not compile a stream.
  if (response.headers.get("Content-Type") === "application/wasm") return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

function answer(id: number, question: object): void {
  try {
    if (!scope.seccompile) throw new Error("it is not running");
    scope.postMessage({ id, reply: scope.seccompile(JSON.stringify(question)) });
  } catch (error) {
    died(error);
  }
}

function died(error: unknown): void {
  scope.postMessage({ died: error instanceof Error ? error.message : String(error) });
}
