// The parts of the page around the panes that need no browser.

import assert from "node:assert/strict";
import { File } from "node:buffer";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { createDeflateRaw, createInflateRaw, deflateRawSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// Browsers have had deflate-raw for long, Node 18 has not.
try {
  new CompressionStream("deflate-raw");
} catch {
  const stream = (make) => class { constructor() { return Duplex.toWeb(make()); } };
  Object.assign(globalThis, { CompressionStream: stream(createDeflateRaw), DecompressionStream: stream(createInflateRaw) });
}

const src = fileURLToPath(new URL("../src/", import.meta.url));
const parts = ["fragment", "state", "client", "launch", "editor/languages", "editor/complete", "shell/files", "session"];
const { outputFiles } = await build({
  stdin: { contents: parts.map((f) => `export * from "./${f}";`).join("\n"), resolveDir: src },
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  write: false,
});
const code = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);

const state = {
  ...code.initial,
  source: { text: '{"defaultAction": "SCMP_ACT_ALLOW"} \u00e9\u{1f600}\n', name: "a.json", language: "systemd@257", settings: ["a=b"] },
  second: { text: "AAAA", binary: true, name: "", language: "", settings: [] },
  target: { ...code.initial.target, abis: ["x86_64"], caps: ["CAP_SYS_ADMIN"] },
  expectations: [{ abi: "", call: "mount", expect: "errno:EPERM" }],
  view: { stage: "tree", only: "socket", tab: "compare" },
};
const packed = (json) => `#1.${deflateRawSync(json).toString("base64url")}`;

test("a fragment holds the whole state", async () => {
  for (const s of [code.initial, state, { ...state, source: { ...state.source, text: "x".repeat(3e6) } }]) {
    const fragment = await code.encode(s);
    assert.match(fragment, /^1\.[\w-]*$/);
    assert.deepEqual(await code.decode(`#${fragment}`), { kind: "state", state: s });
  }
});

test("what is missing in a link is as it is initially, and what is unknown is left out", async () => {
  const link = await code.decode(packed('{"source":{"text":"a"},"later":1,"view":{"stage":"none"}}'));
  assert.deepEqual(link, { kind: "state", state: { ...code.initial, source: { ...code.emptySource, text: "a" } } });
});

test("broken links say why", async () => {
  const whole = await code.encode(state);
  for (const [hash, why] of [
    ["#hello", /not made by this page/],
    ["#2.AAAA", /version 2/],
    ["#1.%%%", /characters/],
    [`#${whole.slice(0, -9)}`, /missing|cut/],
    [`#${whole.slice(0, -2)}`, /missing|cut/],
    ["#1.", /missing/],
    [packed("null"), /missing/],
    [packed("[]"), /missing/],
    [packed('{"source":{"text":1}}'), /missing/],
    [packed('{"target":{"abis":"x86"}}'), /missing/],
    [packed('{"source":{"binary":"yes"}}'), /missing/],
    [packed(`{"expectations":[${"{},".repeat(10_000)}{}]}`), /missing/],
    [packed(Buffer.from([0x22, 0xff, 0x22])), /missing/], // not UTF-8
    [packed(" ".repeat(17 << 20)), /too long/],
  ]) {
    const link = await code.decode(hash);
    assert.equal(link.kind, "broken", hash.slice(0, 40));
    assert.match(link.why, why, hash.slice(0, 40));
  }
  assert.deepEqual(await code.decode(""), { kind: "none" });
  assert.deepEqual(await code.decode("#example=docker-af-alg"), { kind: "example", id: "docker-af-alg" });
});

test("files are texts with plain lines, or bytes", async () => {
  const file = (bytes, name = "f") => new File([bytes], name);
  assert.equal((await code.sourceOf(file("\ufeffa\r\nb\rc\n"))).text, "a\nb\nc\n");
  for (const bytes of [[6, 0, 0, 0, 0, 0, 255, 127], [0xff, 0xfe, 0xfd]]) {
    const source = await code.sourceOf(file(new Uint8Array(bytes)));
    assert.ok(source.binary);
    assert.deepEqual([...code.bytesOf(source.text)], bytes);
  }
  assert.deepEqual(await code.sourceOf(file("0006 00 00 7fff0000\n", "a.hex")), { ...code.emptySource, text: "AAYAAH//AAA=", binary: true, name: "a.hex" });
  await assert.rejects(code.sourceOf(file(new Uint8Array((4 << 20) + 1))), /larger than a profile/);
});

test("a raw filter is known by its base64 or hexadecimal", () => {
  const filter = Buffer.from("2000000000000000" + "060000000000ff7f", "hex");
  const big = Buffer.from("0020000000000000" + "000600007fff0000", "hex");
  for (const bytes of [filter, big]) {
    for (const text of [bytes.toString("base64"), bytes.toString("base64url"), bytes.toString("hex"), bytes.toString("hex").replace(/.{8}/g, "$& \n")])
      assert.equal(code.rawFilter(text), bytes.toString("base64"), text);
  }
  for (const text of ["", "read", "readwrit", "AAAAAAAAAAA=", filter.subarray(0, 12).toString("base64"), "{}", "read: 1", "00".repeat(8)]) assert.equal(code.rawFilter(text), null, text);
});

test("the syntax of a text", () => {
  for (const [text, language, syntax] of [
    ['{"defaultAction"', "", "json"], ["\n [ {", "", "json"], ["[Service]\nSystemCallFilter=", "", "lines"], ["[Service]", "systemd", "lines"],
    ["apiVersion: v1\n", "", "yaml"], ["x: 1", "beats", "yaml"], ["a: b", "kubernetes@27", "yaml"],
    ["ld nr\njeq #3", "", "assembly"], ["allow: ret ALLOW", "assembly", "assembly"], ["read: 1\n", "minijail-c", "lines"], ["", "", "lines"],
  ]) assert.equal(code.syntaxOf(text, language), syntax, text);
});

test("completion knows the arguments of the call before it", () => {
  const words = new code.Words();
  words.learn([{ name: "read", args: [] }]);
  words.learn([{ name: "socket", args: [{ name: "family", constants: ["AF_ALG"] }] }]);
  const at = (line, explicit = false) => {
    const doc = { lineAt: () => ({ from: 0 }) };
    const word = /\w+$/.exec(line)?.[0];
    const matchBefore = () => (word ? { from: line.length - word.length, text: word } : null);
    const state = { doc, sliceDoc: (from, to) => line.slice(from, to) };
    return words.complete({ pos: line.length, explicit, matchBefore, state })?.options.map((o) => o.label) ?? null;
  };
  assert.deepEqual(at("rea"), ["read", "socket"]);
  assert.deepEqual(at("socket: arg0 == AF"), ["AF_ALG", "read", "socket"]);
  assert.ok(at("SCMP_A").includes("SCMP_ACT_ERRNO"));
  assert.equal(at("12"), null);
  assert.equal(at(""), null);
  assert.deepEqual(at("", true), ["read", "socket"]);
});

// A client on workers that a test drives by hand.
function bench(launched = () => undefined) {
  const workers = [];
  const worker = () => {
    const w = { asked: [], dead: false, postMessage: (m) => w.asked.push(m), terminate: () => (w.dead = true) };
    w.say = (data) => w.onmessage({ data });
    w.answer = (answer) => w.say({ id: w.asked.at(-1).id, reply: JSON.stringify({ answer }) });
    workers.push(w);
    return w;
  };
  const statuses = [];
  const restarts = [];
  const client = new code.Client({ worker, engine: { url: "engine.wasm" }, launched: launched(worker) }, (s) => statuses.push(s.state), (why) => restarts.push(why));
  return { client, workers, statuses, restarts };
}

test("one question at a time, the most awaited first, the latest of a kind only", async () => {
  const { client, workers: [w], statuses } = bench();
  assert.deepEqual(w.asked, [{ start: { url: "engine.wasm" } }]);
  const old = client.ask("draw", { call: "a" });
  const draw = client.ask("draw", { call: "b" });
  const other = client.ask("draw", { call: "c" }, "other");
  const read = client.ask("read", { source: "s" });
  assert.equal(await old, null);
  w.say({ ready: "module" });
  assert.deepEqual(w.asked.at(-1).question, { op: "read", source: "s" });
  const again = client.ask("read", { source: "t" });
  assert.equal(await read, null, "its answer is of no use any more");
  w.answer("dropped");
  assert.deepEqual(w.asked.at(-1).question, { op: "read", source: "t" });
  w.answer("read");
  assert.deepEqual(await again, { answer: "read" });
  w.answer("b");
  w.answer("c");
  assert.deepEqual([await draw, await other], [{ answer: "b" }, { answer: "c" }]);
  assert.equal(statuses.at(-1), "idle");
});

test("what an engine said before the page's script was there is heard, whatever it was", async () => {
  for (const said of [null, { ready: "module" }, { died: "no memory" }]) {
    const { client, workers, statuses } = bench((worker) => {
      const launched = code.launch(worker(), { url: "engine.wasm" });
      if (said?.died) launched.worker.onerror({ message: said.died, preventDefault() {} });
      else if (said) launched.worker.say(said);
      return launched;
    });
    const [w] = workers;
    assert.equal(workers.length, 1, "the engine that is there is taken");
    assert.deepEqual(w.asked[0], { start: { url: "engine.wasm" } });
    const answer = client.ask("read", {});
    if (said?.died) {
      assert.equal(statuses.at(-1), "failed");
      assert.match((await answer).failure.message, /does not run: no memory/);
      client.retry(); // with a new one
      assert.deepEqual(workers[1].asked, [{ start: { url: "engine.wasm" } }]);
      continue;
    }
    if (!said) w.say({ ready: "module" });
    assert.equal(w.asked.filter((m) => m.start).length, 1);
    w.answer("well");
    assert.deepEqual(await answer, { answer: "well" });
  }
});

test("the same reply is the same object", async () => {
  const { client, workers: [w] } = bench();
  w.say({ ready: "module" });
  const answers = [];
  for (const [answer, key] of [["a", ""], ["a", ""], ["b", ""], ["b", "other"]]) {
    const asked = client.ask("read", {}, key);
    w.answer([answer]);
    answers.push((await asked).answer);
  }
  assert.equal(answers[0], answers[1]);
  assert.deepEqual(answers.slice(2), [["b"], ["b"]]);
  assert.notEqual(answers[2], answers[3]);
});

test("an engine that dies is started again from its compiled module", async () => {
  const { client, workers, restarts } = bench();
  workers[0].say({ ready: "module" });
  const lost = client.ask("read", {});
  const next = client.ask("draw", {});
  workers[0].say({ died: "out of memory" });
  assert.match((await lost).failure.message, /stopped working: out of memory/);
  assert.deepEqual(restarts, ["out of memory"]);
  assert.ok(workers[0].dead);
  assert.deepEqual(workers[1].asked, [{ start: { module: "module" } }]);
  workers[1].say({ ready: "module" });
  workers[1].answer("drawn");
  assert.deepEqual(await next, { answer: "drawn" });
});

test("an engine that keeps dying, or cannot start, fails until the reader tries again", async () => {
  for (const ready of [true, false]) {
    const { client, workers, statuses } = bench();
    for (let i = 0; i < (ready ? 3 : 1); i++) {
      if (ready) workers[i].say({ ready: "module" });
      const answer = client.ask("read", {});
      workers[i].say({ died: "why" });
      assert.match((await answer).failure.message, /why/);
    }
    assert.equal(statuses.at(-1), "failed");
    assert.match((await client.ask("read", {})).failure.message, /does not run/);
    const count = workers.length;
    client.retry();
    const answer = client.ask("read", {});
    workers[count].say({ ready: "module" });
    workers[count].answer("well");
    assert.deepEqual(await answer, { answer: "well" });
  }
});

test("an engine that a source killed too often lives again for another source", async () => {
  const { client, workers } = bench();
  const [bad, good] = [{ text: "bad" }, { text: "good" }];
  for (let i = 0; i < 3; i++) {
    workers[i].say({ ready: "module" });
    const asked = client.ask("read", { source: bad });
    workers[i].say({ died: "stack overflow" });
    workers[i].say({ died: "said twice" });
    await asked;
  }
  assert.equal(workers.length, 3);
  assert.match((await client.ask("draw", { source: bad })).failure.message, /does not run: stack overflow/);
  const asked = client.ask("read", { source: good });
  workers[3].say({ ready: "module" });
  workers[3].answer("well");
  assert.deepEqual(await asked, { answer: "well" });
});

test("stopping gives up all questions", async () => {
  const { client, workers } = bench();
  workers[0].say({ ready: "module" });
  const asked = [client.ask("read", {}), client.ask("draw", {})];
  client.stop();
  for (const reply of await Promise.all(asked)) assert.match(reply.failure.message, /stopped/);
  assert.ok(workers[0].dead);
  assert.equal(workers.length, 2);
});

test("a long question about a text that was changed since gives way", (t) => {
  const { client, workers } = bench();
  workers[0].say({ ready: "module" });
  const now = t.mock.method(performance, "now", () => 0);
  const [a, b] = [{ text: "a" }, { text: "b" }];
  void client.ask("read", { source: a });
  now.mock.mockImplementation(() => 5000);
  void client.ask("read", { source: a });
  assert.equal(workers.length, 1, "the same text: what is known of it is kept");
  void client.ask("read", { source: b });
  assert.equal(workers.length, 2);
  workers[1].say({ ready: "module" });
  assert.deepEqual(workers[1].asked.at(-1).question, { op: "read", source: b });
});

test("all listeners hear of all changes, each with the state that it saw before", () => {
  const page = new code.Session({ ask: async () => null }, {});
  const heard = [];
  page.onState((s, before) => {
    heard.push(["first", s.call.text, before?.call.text]);
    if (s.call.text === "a") page.update({ call: { abi: "", text: "b" } });
  });
  page.onState((s, before) => heard.push(["second", s.call.text, before?.call.text]));
  heard.length = 0;
  page.update({ call: { abi: "", text: "a" } });
  assert.deepEqual(heard, [["first", "a", ""], ["first", "b", "a"], ["second", "b", ""]]);
});
