// How the page looks and sounds: axe-core in each colour scheme and width, and pictures to look at, in test/out.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { launch, patience, serve, Visit } from "./harness.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let server;
before(async () => {
  server = await serve();
}, { timeout: patience });
after(() => server?.stop());

const looks = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  laptop: { colorScheme: "light", viewport: { width: 1280, height: 720 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, hasTouch: true },
  "phone-dark": { colorScheme: "dark", viewport: { width: 390, height: 844 }, hasTouch: true },
};

for (const [name, options] of Object.entries(looks)) {
  test(name, { timeout: 4 * patience }, async (t) => {
    const browser = await launch(options.colorScheme);
    t.after(() => browser.close());
    const v = await Visit.open(browser, `${server.address}#example=docker-af-alg`, options);
    const { page } = v;
    await page.evaluate(axe); // through the debugger: the policy of the page stays
    for (const tab of await page.getByRole("tab").allInnerTexts()) {
      await page.getByRole("tab", { name: tab, exact: true }).click();
      await settled(page);
      await v.picture(`${name}-${tab.replace(/\W+/g, "-").toLowerCase()}.png`);
      const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      const serious = found.violations.filter((x) => ["serious", "critical"].includes(x.impact));
      assert.deepEqual(serious.map((x) => `${x.id}: ${x.help}: ${x.nodes.map((n) => n.html.slice(0, 200)).join("\n  ")}`), [], `${name}, ${tab}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${name}, ${tab}: ${wide} pixels are cut or scroll sideways`);
      assert.deepEqual(await page.evaluate(brokenWords), [], `${name}, ${tab}: words on two lines`);
      assert.deepEqual(await page.evaluate(spilled), [], `${name}, ${tab}: what runs out of its part of the page`);
    }
    assert.equal(...(await page.evaluate(heights)), "the head grows when the engine works");
    await v.close();
  });
}

/** The height of the head while the engine is idle, and while it works. It runs in the page. */
function heights() {
  const status = document.querySelector("#top .status");
  return [["idle", ""], ["working", "Working\u2026"], ["idle", ""]].map(([state, text]) => {
    status.dataset.state = state;
    status.textContent = text;
    return document.querySelector("#top").offsetHeight;
  }).slice(0, 2);
}

/** The words of the grade that are broken. It runs in the page. */
function brokenWords() {
  const broken = [];
  for (const cell of document.querySelectorAll(".grade td, .grade th")) {
    if (!cell.firstChild || !cell.checkVisibility()) continue;
    for (const text of [...cell.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE)) {
      for (const word of text.data.matchAll(/\S+/g)) {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size > 1) broken.push(word[0]);
      }
    }
  }
  return broken;
}

/** The parts of the page whose content covers what is below, or is beyond the right edge. It runs in the page. */
function spilled() {
  const below = [...document.querySelectorAll(".source-room")]
    .filter((room) => room.scrollHeight > room.clientHeight + 1 && getComputedStyle(room).overflowY === "visible");
  const beside = "call meaning compare expectations grade".split(" ").flatMap((name) => [...document.querySelectorAll(`.pane-${name} .pane-body`)])
    .filter((body) => body.scrollWidth > body.clientWidth + 1);
  return [...below, ...beside].filter((e) => e.checkVisibility()).map((e) => e.getAttribute("aria-label") ?? e.parentElement.className);
}

/** Waits until nothing on the page is asked or moves any more. */
async function settled(page) {
  await page.waitForFunction(async () => {
    const look = () => document.querySelector("main").innerText;
    const before = look();
    await new Promise((resolve) => setTimeout(resolve, 700));
    return !document.querySelector("main [aria-busy=true]") && look() === before;
  });
}
