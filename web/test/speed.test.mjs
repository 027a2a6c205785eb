// How fast the page is, which is printed, and what large profiles do to it, which is judged.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, patience, serve, Visit } from "./harness.mjs";

let browser, server;
before(async () => {
  browser = await launch();
  server = await serve();
}, { timeout: patience });
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("times for Docker's profile", { timeout: patience }, async () => {
  const firsts = [];
  for (let i = 0; i < 3; i++) {
    const v = await Visit.open(browser, `${server.address}#example=docker`);
    firsts.push(v.firstAnswer);
    if (i === 2) await keystrokes(v);
    await v.close();
  }
  console.log(`the first answer: ${firsts.map(Math.round).join(", ")} ms (goal: 1000)`);
});

/** Types into the profile and into the call box, and prints how long the answers take. */
async function keystrokes(v) {
  const { page } = v;
  const times = { profile: [], call: [] };
  await page.getByRole("textbox", { name: "Profile: its text" }).focus();
  for (let i = 0; i < 8; i++) {
    times.profile.push(await time(page, "#source .reading", () => page.keyboard.insertText(i % 2 ? "\n" : " ")));
  }
  const box = page.getByRole("combobox", { name: "Call to try" });
  for (let i = 0; i < 8; i++) times.call.push(await time(page, "#pane-call .facts", () => box.fill(`socket(${i}, 0, 0)`)));
  for (const [what, all] of Object.entries(times)) console.log(`an answer upon a keystroke in the ${what}: ${all.map(Math.round).join(", ")} ms (goal: 50)`);
}

/** Runs f, and returns how many ms later the engine's answer is on the page. */
async function time(page, selector, f) {
  const done = page.evaluate((s) => new Promise((resolve) => {
    const start = performance.now();
    const seen = new MutationObserver(() => document.querySelector(s) && (seen.disconnect(), resolve(performance.now() - start)));
    seen.observe(document.querySelector("main"), { childList: true, subtree: true, characterData: true });
    setTimeout(() => (seen.disconnect(), resolve(NaN)), 5000); // nothing to change on the page
  }), selector);
  await f();
  return done;
}

const calls = ["read", "write", "open", "close", "stat", "fstat", "lseek", "mmap", "ioctl", "access", "dup", "socket", "connect", "clone", "kill", "fcntl"];
const rules = (n) => Array.from({ length: n }, (_, i) => `{"names": ["${calls[i % calls.length]}"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": ${i >> 4}, "op": "SCMP_CMP_EQ"}]}`);

test("10,000 rules do not freeze the page", { timeout: 3 * patience }, async () => {
  const v = await Visit.open(browser, server.address);
  const { page } = v;
  await page.evaluate(() => {
    // The longest time in which the page could not have drawn.
    globalThis.gaps = [];
    let last = performance.now();
    (function beat() {
      const now = performance.now();
      globalThis.gaps.push(now - last);
      last = now;
      setTimeout(beat, 0);
    })();
  });
  await v.paste(`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [\n${rules(10_000).join(",\n")}]}`);
  const longest = async () => page.evaluate(() => Math.max(...globalThis.gaps.splice(0)));
  console.log(`pasting 10,000 rules holds the page up for ${Math.round(await longest())} ms`);
  // While the engine works, and whatever it says of a filter that is too long, the page answers.
  for (let i = 0; i < 5; i++) {
    await page.getByRole("tab", { name: i % 2 ? "Meaning" : "Expectations" }).click();
    await page.keyboard.press("Tab");
  }
  await page.getByRole("textbox", { name: "Profile: its text" }).focus();
  await page.keyboard.insertText(" ");
  const typing = await longest();
  console.log(`while the engine works on them, the page is held up for at most ${Math.round(typing)} ms`);
  assert.ok(typing < 5000, `${typing} ms`); // seconds even on a slow machine mean that the engine runs in the page
  await page.waitForFunction(() => !/19 rules/.test(document.querySelector("#source .reading").textContent));
  await v.example("Docker");
  await v.reads("#source .reading.good", "19 rules");
  await v.close();
});
