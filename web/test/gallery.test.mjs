// Each example of the gallery, for each call: what the page's engine says is what the command says.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { flags, inTemporary, run, startEngine, writeSource } from "./engine.mjs";

let ask;
before(async () => {
  ask = await startEngine();
});

/** A call with each of the constants of each argument, the others being zero; and without any. */
function withConstants(words) {
  const texts = [words.name];
  words.args.forEach((arg, i) => {
    for (const c of arg.constants) texts.push(`${words.name}(${[...Array(i).fill("0"), c].join(", ")})`);
  });
  return texts;
}

/** Every call of an ABI, and those whose arguments decide with all their constants. */
function callsOf(meaning, abi) {
  const decided = new Set(meaning.filter((m) => m.abi === abi).flatMap((m) => m.sentences.filter((s) => s.conditional).flatMap((s) => s.calls.map((c) => c.name))));
  return ask({ op: "calls", abi }).flatMap((words) => (decided.has(words.name) ? withConstants(words) : [words.name]));
}

/** An action as expectations have it. */
function expectation(got) {
  const [action, errno] = got.split(" ");
  const [name, data] = /^(\w+)(?:\((\w+)\))?$/.exec(action).slice(1);
  const word = name.toLowerCase().replaceAll("_", "-");
  return data === undefined ? word : `${word}:${errno ?? data}`;
}

test("the gallery has what it promises", () => {
  const ids = ask({ op: "vocabulary" }).gallery.map((g) => g.id);
  for (const id of ["docker", "docker-af-alg", "podman", "containerd", "flatpak", "systemd", "minijail"]) assert.ok(ids.includes(id), id);
});

test("every example, every call", async (t) => {
  for (const { id, title } of ask({ op: "vocabulary" }).gallery) {
    await t.test(title, () => inTemporary((dir) => compare(dir, ask({ op: "gallery", id }))));
  }
});

async function compare(dir, { source, second, target, call, expectations }) {
  const subject = { source, target };
  const { good, abis } = ask({ op: "read", ...subject });
  assert.ok(good && abis.length > 0);
  const path = await writeSource(dir, source);
  const how = flags(source, target);

  const calls = abis.flatMap((abi) => callsOf(ask({ op: "meaning", ...subject }), abi).map((text) => ({ abi, call: text, expect: "allow" })));
  assert.ok(calls.length > 300, `${calls.length} calls`);
  let texts = "";
  for (let at = 0; at < calls.length; at += 500) { // the page's table has 1,000 lines
    const part = calls.slice(at, at + 500);
    const outcomes = ask({ op: "expect", ...subject, expectations: part });
    const expected = part.map((c, i) => {
      assert.equal(outcomes[i].failure, undefined, `${c.abi} ${c.call}: ${outcomes[i].failure?.message}`);
      return { ...c, expect: expectation(outcomes[i].got) };
    });
    const { text } = ask({ op: "write-expectations", expectations: expected });
    assert.deepEqual(ask({ op: "read-expectations", text }), expected);
    texts += text;
  }
  const list = join(dir, "expectations.txt");
  await writeFile(list, texts);
  const all = await run("eval", ...how, "--expect", list, path);
  assert.equal(all.status, 0, all.out.slice(-2000) + all.err);

  // The filter, and the documents of some calls, to the letter.
  const filter = join(dir, "filter.bpf");
  const made = ask({ op: "download", ...subject, format: "raw" });
  await writeFile(filter, Buffer.from(made.text, "base64"));
  const compiled = await run("compile", ...how, "-f", "raw", path);
  if (compiled.status === 0) assert.equal(made.text, compiled.bytes.toString("base64")); // assembly is a filter already
  const place = how.filter((_, i) => how[i] !== "-a" && how[i - 1] !== "-a"); // eval takes one
  const some = [...(call?.text ? [{ abi: call.abi || abis[0], call: call.text }] : []), ...(expectations ?? []), ...calls.filter((_, i) => i % Math.ceil(calls.length / 8) === 0)];
  for (const { abi, call: text } of some) {
    const { document } = ask({ op: "eval", ...subject, call: { abi, text }, stage: "diagram", drawn: "" });
    const { trace, ...verdict } = document;
    const [, name, args] = /^([^(]+)(?:\((.*)\))?$/.exec(text);
    const words = args ? args.split(",").map((a) => a.trim()) : [];
    const theirs = await run("eval", ...place, "-a", abi, "--json", path, name, ...words);
    assert.deepEqual(verdict, JSON.parse(theirs.out), `${abi} ${text}: ${theirs.err}`);
    const traced = await run("eval", "-a", abi, "--trace", "--json", filter, name, ...words);
    assert.deepEqual(trace, JSON.parse(traced.out).trace, `${abi} ${text}: ${traced.err}`);
  }
  if (second) {
    const { document } = ask({ op: "compare", ...subject, second });
    const { out, err } = await run("diff", ...how, "--json", path, await writeSource(dir, second));
    const theirs = JSON.parse(out);
    assert.deepEqual({ ...document, a: "", b: "" }, { ...theirs, a: "", b: "" }, err); // but for names
  }
}

test("a wrong expectation is noticed", () => inTemporary(async (dir) => {
  const { source, target } = ask({ op: "gallery", id: "docker" });
  const file = ask({ op: "write-expectations", expectations: [{ abi: "x86_64", call: "mount", expect: "allow" }] });
  await writeFile(join(dir, "list"), file.text);
  const { status, out } = await run("eval", ...flags(source, target), "--expect", join(dir, "list"), await writeSource(dir, source));
  assert.equal(status, 1, out);
}));
