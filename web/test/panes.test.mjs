// The parts of the panes that need no browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const panes = fileURLToPath(new URL("../src/panes/", import.meta.url));
const { outputFiles } = await build({
  stdin: { contents: ["complete", "meaning", "meanings", "link", "live", "dom", "callbox", "program", "grade"].map((f) => `export * from "./${f}";`).join("\n"), resolveDir: panes },
  bundle: true,
  format: "esm",
  write: false,
});
const code = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);

const calls = [
  { name: "socket", args: [{ name: "domain", constants: ["AF_UNIX", "AF_ALG"] }, { name: "type", constants: ["SOCK_STREAM", "SOCK_SEQPACKET", "SOCK_CLOEXEC"] }, { name: "protocol", constants: [] }] },
  { name: "socketpair", args: [] },
  { name: "getsockname", args: [] },
];

test("completions", () => {
  for (const [text, words, arg] of [
    ["", ["socket", "socketpair", "getsockname"]],
    ["sock", ["socket", "socketpair", "getsockname"]], // those that begin so come first
    ["  socketp", ["socketpair"]],
    ["socket(", ["AF_UNIX", "AF_ALG"], 0],
    ["socket(af_a", ["AF_ALG"], 0],
    ["socket AF_A", ["AF_ALG"], 0], // as on a command line
    ["socket(AF_ALG, SEQ", ["SOCK_SEQPACKET"], 1],
    ["socket(AF_ALG, SOCK_STREAM|SOCK_C", ["SOCK_CLOEXEC"], 1],
    ["socket(AF_ALG, SOCK_STREAM, ", [], 2],
    ["socket(type=SOCK_STR", ["SOCK_STREAM"], 1],
    ["socket(1, 2, 3, 4, 5, 6, 7", []], // more than any call has
    ["socket(AF_ALG)", []],
    ["nothing(AF_", []],
    ["(((", []],
  ]) {
    const found = code.complete(calls, text, text.length);
    assert.deepEqual(found.words, words, text);
    if (arg !== undefined) assert.equal(found.arg, arg, text);
  }
  const inside = code.complete(calls, "socket(AF_XX, 0)", 10);
  assert.deepEqual([inside.from, inside.to], [7, 12], "the whole word at the cursor is replaced");
  assert.deepEqual(code.complete(calls, "a sock", 6, true).words, ["socket", "socketpair", "getsockname"], "names alone");
});

test("a call that is being typed ends here", () => {
  for (const [text, want] of [["socket(", "socket()"], ["socket(AF_INET, ", "socket(AF_INET)"], ["a(1|", "a(1)"], [" read ", "read"], ["a(1)", "a(1)"], ["a(1) x", "a(1) x"], ["", ""]]) {
    assert.equal(code.ended(text), want);
  }
});

test("spots as text and back", () => {
  for (const spot of [
    { call: { abi: "x86_64", number: 41 } }, { call: { abi: "", number: 0xffffffff } }, { node: 0 }, { pc: 4095 },
    { pointer: "" }, { pointer: "/syscalls/3/a b\nc" },
  ]) assert.deepEqual(code.spotOf(code.spotKey(spot)), spot);
  const keys = code.keysOf({ calls: [{ abi: "arm", number: 3 }], nodes: [1], pcs: [2], pointers: ["/x"] });
  assert.deepEqual([...keys], ["call 3 arm", "node 1", "pc 2", "pointer /x"]);
});

const sentences = [
  { calls: [{ name: "read", number: 0 }, { name: "write", number: 1 }, { name: "", number: 500, last: 900 }], text: "ALLOW", look: "allow", conditional: false },
  { calls: [{ name: "socket", number: 41 }], text: "ALLOW if domain is AF_UNIX; else ERRNO(1) EPERM", look: "allow", conditional: true },
];

test("search", () => {
  const found = (query) => code.search(sentences, query).map((s) => s.calls.map((c) => c.name || c.number));
  assert.deepEqual(found(" "), [["read", "write", 500], ["socket"]]);
  assert.deepEqual(found("RE"), [["read"]], "a call's name, and nothing of the other sentences");
  assert.deepEqual(found("777"), [[500]], "a number within a run");
  assert.deepEqual(found("0x29"), [["socket"]]);
  assert.deepEqual(found("eperm"), [["socket"]], "a word of the sentence");
  assert.deepEqual(found("nowhere"), []);
});

test("the sentence of a call", () => {
  const meaning = [{ abi: "x86_64", title: "", sentences }];
  assert.equal(code.sentenceOf(meaning, "x86_64", 41), sentences[1]);
  assert.equal(code.sentenceOf(meaning, "x86_64", 600), sentences[0]);
  assert.equal(code.sentenceOf(meaning, "x86_64", 901), undefined);
  assert.equal(code.sentenceOf(meaning, "arm", 41), undefined);
});

test("verdicts as expectations", () => {
  for (const [document, want] of [
    [{ action: "ALLOW", data: 0 }, "allow"], [{ action: "ERRNO", data: 1, errno: "EPERM" }, "errno:EPERM"], [{ action: "ERRNO", data: 4000 }, "errno:4000"],
    [{ action: "TRACE", data: 7 }, "trace:7"], [{ action: "TRAP", data: 7 }, "trap"], [{ action: "KILL_PROCESS", data: 0 }, "kill-process"], [{ action: "USER_NOTIF", data: 0 }, "user-notif"],
  ]) assert.equal(code.expected(document), want);
});

test("looks", () => {
  for (const [verdict, look] of [["ALLOW", "allow"], ["LOG", "log"], ["ERRNO(1) EPERM", "errno"], ["TRACE(3)", "ask"], ["USER_NOTIF", "ask"], ["TRAP", "kill"], ["KILL_PROCESS", "kill"]]) {
    assert.equal(code.lookOf(verdict), look);
  }
});

test("the line that says most", () => {
  const all = [{}, { targets: [2, 3] }, { targets: [3, 4] }, {}, {}];
  assert.equal(code.telling([0, 1, 2, 4], all), 2);
  assert.equal(code.telling([0, 4], all), 4);
  assert.equal(code.telling([], all), undefined);
});

test("failures in one paragraph", () => {
  assert.equal(code.words({ message: "oci: no" }), "oci: no.");
  assert.equal(code.words({ message: "oci: no", hint: "try yes" }, true), "oci: no. try yes. Below is what it was before.");
  assert.equal(code.words({ message: "really?" }), "really?");
});

test("the badge's Markdown", () => {
  assert.equal(code.markdown({ letter: "B", points: 78 }), "![seccomp grade B: 78 of 100 points](seccomp-badge.svg)");
});
