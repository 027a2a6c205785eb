// The page's engine in Node.js, and the command beside it: what one says, the other must say.

import { execFile } from "node:child_process";
import { webcrypto } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";

export const web = dirname(dirname(fileURLToPath(import.meta.url)));
export const command = join(web, "dist/seccompile");

/** Starts the engine. Returns a function that takes a question and returns the answer, or throws. */
export async function startEngine() {
  globalThis.crypto ??= webcrypto; // Node.js 18 has it there only
  runInThisContext(await readFile(join(web, "dist/engine/wasm_exec.js"), "utf8"));
  const go = new globalThis.Go();
  const { instance } = await WebAssembly.instantiate(await readFile(join(web, "dist/engine/engine.wasm")), go.importObject);
  void go.run(instance);
  while (!globalThis.seccompile) await new Promise((resolve) => setTimeout(resolve, 1));
  return (question) => {
    const { answer, failure } = JSON.parse(globalThis.seccompile(JSON.stringify(question)));
    if (failure) throw new Error(`${question.op}: ${failure.message}`);
    return answer;
  };
}

/** The flags by which the command reads a source as the page does. */
export function flags(source, target) {
  const all = [
    ["-a", target.abis.join(",")], ["--cap", target.caps.join(",")], ["--compat", target.mode], ["--kernel", target.kernel],
    ["--enosys", target.enosys], ["--bad-arch", target.badArch], ["--language", source.language], ...source.settings.map((s) => ["--set", s]),
  ];
  return all.filter(([, value]) => value).flat();
}

/** Runs the command. Returns its exit status and output. */
export function run(...args) {
  return new Promise((resolve) => {
    execFile(command, args, { maxBuffer: 1 << 28, encoding: "buffer" }, (error, stdout, stderr) => {
      resolve({ status: error ? error.code : 0, bytes: stdout, out: stdout.toString(), err: stderr.toString() });
    });
  });
}

/** Calls f with a directory that exists until f is done. */
export async function inTemporary(f) {
  const dir = await mkdtemp(join(tmpdir(), "page-"));
  try {
    return await f(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Writes a source to a file of its name in a directory. */
export async function writeSource(dir, source) {
  const path = join(dir, source.name || "source");
  await writeFile(path, source.binary ? Buffer.from(source.text, "base64") : source.text);
  return path;
}
