// The page without a pointer.

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

/** What has the focus, in words. */
const focused = (page) => page.evaluate(() => {
  const e = document.activeElement;
  return `${e.tagName.toLowerCase()} ${e.getAttribute("aria-label") ?? e.labels?.[0]?.innerText ?? e.innerText?.slice(0, 40) ?? ""}`.trim();
});

/** Presses Tab until the focus is on something whose words fit. */
async function tabTo(page, words, most = 80) {
  const seen = [];
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (words.test(now)) return;
    seen.push(now);
  }
  assert.fail(`Tab does not reach ${words}: ${seen.join(" | ")}`);
}

test("everything is reached with Tab, and nothing holds the focus", { timeout: 4 * patience }, async () => {
  const v = await Visit.open(browser, `${server.address}#example=docker`);
  const { page } = v;
  // An example, and a call.
  await tabTo(page, /^button Examples/);
  await page.keyboard.press("Enter");
  await tabTo(page, /^button Podman/);
  await page.keyboard.press("Enter");
  await v.reads("#source .reading.good", "instruction");
  await page.locator("#source .file-name", { hasText: "podman" }).first().waitFor();
  // Out of the editor.
  await page.getByRole("textbox", { name: "Profile: its text" }).focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.ok(!(await page.evaluate(() => document.activeElement.classList.contains("cm-content"))), await focused(page));
  await tabTo(page, /Call to try/);
  await page.keyboard.press("Control+a");
  await page.keyboard.type("unshare(CLONE_NEWUSER)");
  await page.keyboard.press("Escape");
  await v.reads("#pane-call .facts", "CLONE_NEWUSER");
  // Tabs with arrows, a call in the meaning, the drawing, the program.
  await tabTo(page, /^button Meaning/);
  await page.keyboard.press("ArrowRight");
  await page.locator('[role=tab][aria-selected=true]', { hasText: "Difference" }).waitFor();
  await page.keyboard.press("Home");
  await page.locator('[role=tab][aria-selected=true]', { hasText: "Meaning" }).waitFor();
  await page.locator("#pane-meaning .call").first().waitFor();
  await page.locator('[role=tab][aria-selected=true]').focus();
  await tabTo(page, /^button (read|restart_syscall|write)$/);
  await page.keyboard.press("ArrowRight");
  await page.locator("#pane-program .line.lit").first().waitFor();
  const name = (await focused(page)).replace("button ", "");
  await page.keyboard.press("Enter");
  await v.reads("#pane-call .facts", name);
  await v.close();
});

test("arrow keys move in the menus", { timeout: 4 * patience }, async () => {
  const v = await Visit.open(browser, server.address);
  const { page } = v;
  for (const name of ["Examples", "Download"]) {
    const button = page.getByRole("button", { name, exact: true });
    const items = page.getByRole("dialog", { name }).locator("button.item");
    const has = async (i) => assert.equal(await focused(page), `button ${(await items.nth(i).innerText()).slice(0, 40)}`.trim(), `${name}: item ${i}`);
    await button.focus();
    await page.keyboard.press("ArrowDown");
    await has(0);
    const last = (await items.count()) - 1;
    for (const [key, i] of [["ArrowDown", 1], ["ArrowDown", 2], ["ArrowUp", 1], ["End", last], ["ArrowDown", last], ["Home", 0], ["ArrowUp", 0]]) {
      await page.keyboard.press(key);
      await has(i);
    }
    await page.keyboard.press("Escape");
    await items.first().waitFor({ state: "hidden" });
    assert.equal(await focused(page), `button ${name}`);
  }
  await v.close();
});

test("skip links lead to the three parts", { timeout: 4 * patience }, async () => {
  const v = await Visit.open(browser, server.address);
  const { page } = v;
  for (const [link, part] of [["profile", "source"], ["answers", "answers"], ["drawing", "machine"]]) {
    await page.evaluate(() => document.activeElement.blur());
    await page.getByRole("button", { name: new RegExp(`^Skip to the ${link}`) }).focus();
    await page.keyboard.press("Enter");
    assert.ok(await page.evaluate((id) => document.getElementById(id).contains(document.activeElement), part), link);
  }
  await v.close();
});

test("findings are reached with F8", { timeout: 4 * patience }, async () => {
  const v = await Visit.open(browser, server.address);
  const { page } = v;
  await v.paste('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["execve", "exit_group", "raed"], "action": "SCMP_ACT_ALLOW"}]}');
  await v.reads("#source .finding-list", "raed");
  await page.keyboard.press("F8");
  await page.locator(".cm-tooltip, .cm-panel-lint").first().waitFor();
  await v.close();
});

test("Tab returns to the box of the drawing that was left", { timeout: 4 * patience }, async () => {
  const v = await Visit.open(browser, `${server.address}#example=docker`);
  const { page } = v;
  await page.locator("#pane-drawing [data-node][tabindex='0']").focus();
  for (const key of ["+", "+", "+", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
  const inView = () => page.waitForFunction(() => {
    const [box, view] = [document.activeElement, document.querySelector("#pane-drawing .canvas")].map((e) => e.getBoundingClientRect());
    return document.activeElement.matches("[data-node]") && box.top >= view.top && box.bottom <= view.bottom && box.left >= view.left && box.right <= view.right;
  });
  await inView();
  await page.keyboard.press("Tab");
  await page.locator("#pane-drawing .canvas").evaluate((e) => e.scrollTo({ left: 0, top: 0, behavior: "instant" }));
  await page.keyboard.press("Shift+Tab");
  await inView();
  await v.close();
});
