// The panes in a browser, around a page that answers what a test wants: what they do with hostile
// drawings, long programs and many sentences, and how they are linked.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launch, patience } from "./harness.mjs";

const script = `
import * as panes from "./index";
import { readDrawing } from "./svg";
const state = {
  source: { text: "x", name: "", language: "", settings: [] }, second: null, expectations: [], call: { abi: "", text: "" },
  target: { abis: [], mode: "", caps: [], kernel: "", enosys: "", badArch: "", consumer: "" }, view: { stage: "diagram", only: "", tab: "" },
};
globalThis.readDrawing = readDrawing;
/** Mounts a pane alone. answers has a function for each question. */
globalThis.mount = (name, answers) => {
  const told = { points: [], follows: [], updates: [], saved: [], asked: [] };
  const lights = [], states = [];
  let now = state;
  const page = {
    get state() { return now; },
    update(change) { told.updates.push(change); const before = now; now = { ...now, ...change }; for (const f of states) f(now, before); },
    onState(f) { states.push(f); f(now, null); },
    ask: async (op, question) => { told.asked.push(op); return answers[op] ? answers[op](question) : { failure: { message: "test: no answer to " + op } }; },
    point: (spot) => told.points.push(spot), follow: (trail) => told.follows.push(trail),
    onLight(f) { lights.push(f); f(null); }, say() {}, save: (...file) => told.saved.push(file),
  };
  const host = document.createElement("section");
  host.style.height = "600px";
  document.body.replaceChildren(host);
  panes[name](host, page);
  return { told, page, light: (light) => { for (const f of lights) f(light); } };
};`;

let browser;
let styles;
let code;
before(async () => {
  const panes = fileURLToPath(new URL("../src/panes/", import.meta.url));
  const bundle = (input) => build({ ...input, bundle: true, write: false, format: "iife" }).then((r) => r.outputFiles[0].text);
  code = await bundle({ stdin: { contents: script, resolveDir: panes, loader: "ts" } });
  styles = await bundle({ entryPoints: [`${panes}panes.css`] });
  browser = await launch();
});
after(() => browser?.close());

/** Runs f in a new page that has the panes. */
async function inPage(f, argument) {
  const page = await browser.newPage({ viewport: { width: 800, height: 700 } });
  page.setDefaultTimeout(patience);
  try {
    await page.setContent("<!DOCTYPE html><title>panes</title><body></body>");
    await page.addStyleTag({ content: `[hidden] { display: none !important } ${styles}` });
    await page.addScriptTag({ content: code });
    return await f(page, argument);
  } finally {
    await page.close();
  }
}

test("of a drawing only shapes and texts are taken", () => inPage(async (page) => {
  const hostile = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" viewBox="0 0 9 9" onload="globalThis.hurt=1">
    <script>globalThis.hurt=1</script><style>* { display: none }</style><foreignObject><b xmlns="http://www.w3.org/1999/xhtml">b</b></foreignObject>
    <a href="https://example.org/"><text>link</text></a><image x:href="https://example.org/a.png" onerror="globalThis.hurt=1"/><use href="#g"/>
    <g data-node="3" onclick="globalThis.hurt=1" style="fill:red"><title>from /syscalls/1</title><rect class="allow" fill="url(https://example.org/)" width="3" height="2"/><text x="1">A &lt;b&gt;</text></g>
    <g data-from="3" data-to="4"><path d="M0 0" marker-end="url(https://example.org/#tip)"/><path d="M1 1" marker-end="url(#tip)"/></g></svg>`;
  const got = await page.evaluate((text) => {
    const svg = globalThis.readDrawing(text);
    document.body.append(svg);
    const box = svg.querySelector("[data-node]");
    return {
      names: [...new Set([...svg.querySelectorAll("*")].map((e) => e.localName))].sort(),
      attributes: [...new Set([svg, ...svg.querySelectorAll("*")].flatMap((e) => e.getAttributeNames()))].sort(),
      markers: [...svg.querySelectorAll("path")].map((e) => e.getAttribute("marker-end")),
      label: box.getAttribute("aria-label"), spot: box.getAttribute("data-spot"), hurt: globalThis.hurt,
    };
  }, hostile);
  assert.deepEqual(got.names, ["g", "path", "rect", "text", "title"]);
  assert.deepEqual(got.attributes, ["aria-label", "class", "d", "data-from", "data-node", "data-spot", "data-to", "height", "marker-end", "role", "tabindex", "viewBox", "width", "x"]);
  assert.deepEqual(got.markers, [null, "url(#tip)"]);
  assert.deepEqual([got.label, got.spot, got.hurt], ["A <b> (from /syscalls/1)", "node 3", undefined]);
  for (const broken of ["", "<svg>", "<svg xmlns='http://www.w3.org/2000/svg'><g></svg>", "<p xmlns='http://www.w3.org/1999/xhtml'/>", " ".repeat(7 << 20)]) {
    assert.equal(await page.evaluate((text) => globalThis.readDrawing(text), broken), null, broken.slice(0, 40));
  }
}));

test("the longest program has only the lines that are seen, and the keyboard reaches all", () => inPage(async (page) => {
  await page.evaluate(() => {
    const all = Array.from({ length: 4096 }, (_, pc) => (pc % 8 === 7 ? { pc, text: "ret ALLOW", comment: "", origins: [], look: "allow" }
      : { pc, text: `jeq #${pc} jt ${Math.min(pc + 9, 4095)} jf ${pc + 1}`, comment: `number ${pc}`, origins: [], targets: [Math.min(pc + 9, 4095), pc + 1] }));
    globalThis.pane = globalThis.mount("program", { program: () => ({ answer: all }) });
  });
  const focused = () => page.evaluate(() => Number(document.activeElement.dataset.pc));
  await page.focus(".line[tabindex='0']");
  for (const [key, pc] of [["ArrowDown", 1], ["Enter", 10], ["Shift+Enter", 11], ["Backspace", 10], ["Backspace", 1], ["End", 4095], ["Home", 0], ["ArrowUp", 0]]) {
    await page.keyboard.press(key);
    assert.equal(await focused(), pc, key);
  }
  assert.equal(await page.locator(".line[tabindex='0']").count(), 1);
  await page.fill("input[type=search]", "number 3001");
  await page.waitForSelector(".line.found[data-pc='3001']");
  assert.ok((await page.locator(".line").count()) < 100);
  await page.evaluate(() => globalThis.pane.light({ by: "call", trail: { calls: [], nodes: [], pcs: [0, 2, 2000, 4095], pointers: [] } }));
  await page.waitForSelector(".line.lit.path[data-pc='2000']"); // the last test of the path, scrolled to
  assert.equal(await page.locator(".line[tabindex='0']").count(), 1);
}));

test("ten thousand sentences are listed in steps and searched as a whole", () => inPage(async (page) => {
  await page.evaluate(() => {
    const sentences = [{ calls: Array.from({ length: 300 }, (_, number) => ({ name: `call${number}`, number })), text: "ALLOW", look: "allow", conditional: false }];
    for (let i = 0; i < 10_000; i++) sentences.push({ calls: [{ name: `special${i}`, number: 1000 + i }], text: `ERRNO(1) EPERM if flags == ${i}; else ALLOW`, look: "allow", conditional: true });
    globalThis.pane = globalThis.mount("meaning", { meaning: () => ({ answer: [{ abi: "x86_64", title: "x86_64", sentences }] }) });
  });
  await page.waitForSelector(".sentence");
  assert.ok((await page.locator(".call").count()) < 1000);
  assert.equal(await page.locator(".call[tabindex='0']").count(), 1, "one stop of the tab key");
  await page.evaluate(() => globalThis.pane.light({ by: "call", trail: { calls: [{ abi: "x86_64", number: 299 }], nodes: [], pcs: [], pointers: [] } }));
  assert.equal(await page.textContent(".call.lit"), "call299", "what is lit comes out of the fold");
  await page.fill("input[type=search]", "special9999");
  await page.waitForFunction(() => document.querySelectorAll(".call").length === 1);
  await page.click(".call");
  assert.deepEqual(await page.evaluate(() => globalThis.pane.told.updates), [{ call: { abi: "x86_64", text: "special9999" } }]);
}));

test("the pointer and the keyboard light up spots, and a click on a line keeps its light", () => inPage(async (page) => {
  await page.evaluate(() => {
    const line = (pc) => ({ pc, text: "ld nr", comment: "", origins: [] });
    globalThis.pane = globalThis.mount("program", { program: () => ({ answer: [line(0), line(1), line(2)] }) });
  });
  const last = () => page.evaluate(() => globalThis.pane.told.points.at(-1));
  await page.hover(".line[data-pc='2'] .pc");
  assert.deepEqual(await last(), { pc: 2 });
  await page.mouse.click(...(await page.locator(".line[data-pc='1'] .pc").boundingBox().then((b) => [b.x + 3, b.y + 3])));
  await page.mouse.move(799, 699);
  await page.mouse.move(799, 5);
  assert.deepEqual(await last(), { pc: 1 }, "what was clicked");
  await page.keyboard.press("Escape");
  assert.equal(await last(), null);
}));

test("a broken source keeps what was known, and says so", () => inPage(async (page) => {
  await page.evaluate(() => {
    const failure = { message: "oci: /syscalls/0: no", hint: "say yes" };
    const answer = ({ source }) => (source.text === "x" ? { answer: { letter: "B", points: 70, rows: [], badge: "<svg xmlns='http://www.w3.org/2000/svg'/>" } } : { failure });
    globalThis.pane = globalThis.mount("grade", { grade: answer, meaning: () => ({ failure }) });
  });
  await page.waitForSelector(".letter");
  await page.evaluate(() => globalThis.pane.page.update({ source: { ...globalThis.pane.page.state.source, text: "y" } }));
  await page.waitForSelector(".stale .letter");
  assert.match(await page.textContent(".pane-note"), /^The source is refused; .* Below is what it was before\.$/);
  await page.evaluate(() => globalThis.pane.page.update({ source: { ...globalThis.pane.page.state.source, text: "" } }));
  await page.waitForFunction(() => !document.querySelector(".letter") || document.querySelector(".grade").hidden);
  assert.match(await page.textContent(".pane-note"), /letter from A to F/);
}));

test("expectations change the state as they are typed, and a file that is broken changes nothing", () => inPage(async (page) => {
  await page.evaluate(() => {
    globalThis.pane = globalThis.mount("expectations", {
      vocabulary: () => ({ answer: { abis: ["x86_64", "arm"] } }), calls: () => ({ answer: [] }),
      expect: ({ expectations }) => ({ answer: expectations.map((e) => ({ pass: e.expect === "allow", got: "ALLOW", look: "allow" })) }),
      "read-expectations": ({ text }) => (text === "good" ? { answer: [{ abi: "arm", call: "read", expect: "allow" }] } : { failure: { message: "expect: line 1: not a call" } }),
    });
  });
  await page.click("text=Add a call");
  await page.keyboard.type("write");
  await page.waitForSelector("tr.fail");
  await page.fill(".expect", "allow");
  await page.waitForSelector("tr.pass");
  const file = (text) => ({ name: "e.txt", mimeType: "text/plain", buffer: Buffer.from(text) });
  await page.setInputFiles("input[type=file]", file("bad"));
  await page.waitForSelector("[role=alert]:has-text('e.txt: expect: line 1: not a call.')");
  assert.equal(await page.inputValue(".wide input"), "write");
  await page.setInputFiles("input[type=file]", file("good"));
  await page.waitForFunction(() => document.querySelector(".wide input").value === "read");
  await page.click("[aria-label='Remove call 1']");
  assert.deepEqual(await page.evaluate(() => globalThis.pane.page.state.expectations), []);
}));

test("a call is completed by the keyboard, answered as far as it goes, and said to the others", () => inPage(async (page) => {
  await page.evaluate(() => {
    const calls = [{ name: "socket", args: [{ name: "domain", constants: ["AF_ALG", "AF_INET"] }] }, { name: "socketpair", args: [] }];
    const document_ = { version: 1, abi: "x86_64", syscall: "socket", number: 41, args: ["0x26"], verdict: "ERRNO(1) EPERM", action: "ERRNO", data: 1, errno: "EPERM" };
    const path = { calls: [], nodes: [], pcs: [7], pointers: ["/syscalls/3"] };
    globalThis.texts = [];
    globalThis.pane = globalThis.mount("callBox", {
      vocabulary: () => ({ answer: { abis: ["x86_64"] } }), calls: () => ({ answer: calls }), meaning: () => ({ answer: [] }),
      eval: ({ call }) => {
        globalThis.texts.push(call.text);
        return call.text === "socket(AF_ALG)" ? { answer: { document: document_, look: "errno", call: call.text, text: "", because: "by the rule at /syscalls/3", bitmap: false, bitmapWhy: "", path, steps: 3 } } : { failure: { message: "no" } };
      },
    });
  });
  await page.focus(".call-text");
  await page.keyboard.type("sock");
  await page.waitForSelector("[role=option]:has-text('socketpair')");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-activedescendant")).textContent), "socket");
  await page.keyboard.press("Enter");
  await page.keyboard.type("al");
  await page.waitForSelector("[role=option]:has-text('AF_ALG')");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".big .chip:has-text('ERRNO(1) EPERM')");
  assert.equal(await page.inputValue(".call-text"), "socket(AF_ALG");
  assert.equal(await page.evaluate(() => globalThis.texts.at(-1)), "socket(AF_ALG)");
  assert.deepEqual(await page.evaluate(() => globalThis.pane.told.follows.at(-1).pcs), [7]);
  await page.waitForSelector("[role=listbox]", { state: "hidden" });
  await page.click("text=Add to expectations");
  assert.deepEqual(await page.evaluate(() => globalThis.pane.told.updates.at(-1).expectations), [{ abi: "x86_64", call: "socket(AF_ALG)", expect: "errno:EPERM" }]);
  await page.click(".because button");
  assert.deepEqual(await page.evaluate(() => globalThis.pane.told.points.at(-1)), { pointer: "/syscalls/3" });
  await page.fill(".call-text", "nothing");
  await page.waitForFunction(() => globalThis.pane.told.follows.at(-1) === null);
}));
