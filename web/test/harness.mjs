// What the tests in a browser share: the page in both forms, and what must never happen on it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { command, web } from "./engine.mjs";

export const patience = Number(process.env.PATIENCE ?? 180_000); // ms: for machines that are slow or do something else
export const pictures = join(web, "test/out");

/** Starts a browser: CHROMIUM, or the one of Debian. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`${executablePath}: missing (Debian: apt-get install chromium; or CHROMIUM names another)`);
  mkdirSync(pictures, { recursive: true });
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    timeout: patience,
  });
}

/** Starts seccompile web with the page that is in it. Returns the page's address and a function that stops it. */
export async function serve() {
  const server = spawn(command, ["web", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const address = await new Promise((resolve, reject) => {
    server.stdout.once("data", (data) => resolve(data.toString().trim()));
    server.once("exit", (status) => reject(new Error(`seccompile web ended with ${status}`)));
  });
  const stop = async () => {
    server.kill("SIGINT");
    assert.equal(await ended, 0, "the status of an interrupted seccompile web");
  };
  return { address, stop };
}

/** Both forms of the page: a name and an address. */
export async function forms() {
  const { address, stop } = await serve();
  return { list: [["directory", address], ["file", pathToFileURL(join(web, "dist/seccompile.html")).href]], stop };
}

/** A window with the page. It notes what the page may not do: errors, refused content, requests. */
export class Visit {
  static async open(browser, address, { shows = "#source .reading.good, #source .reading.bad", ...options } = {}) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true, ...options });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    const visit = new Visit(context, page);
    const from = address.replace(/#.*/s, "");
    page.on("console", (m) => ["error", "warning"].includes(m.type()) && visit.wrong.push(`${m.type()}: ${m.text()}`));
    page.on("pageerror", (e) => visit.wrong.push(`uncaught: ${e.stack ?? e}`));
    page.on("request", (r) => {
      if (/^(data|blob):/.test(r.url())) return;
      if (visit.loaded || !(from.startsWith("file:") ? r.url() === from : r.url().startsWith(from))) visit.wrong.push(`request: ${r.url()}`);
    });
    await page.addInitScript(() => {
      globalThis.refused = [];
      addEventListener("securitypolicyviolation", (e) => globalThis.refused.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
    });
    visit.started = performance.now();
    await page.goto(address, { timeout: patience });
    await page.locator(shows).first().waitFor({ state: "attached" }); // on a phone it is behind a tab
    visit.firstAnswer = performance.now() - visit.started;
    await page.locator("button.item").first().waitFor({ state: "attached" }); // the examples, which the engine has
    visit.loaded = true;
    await context.setOffline(true); // what is loaded needs no network
    return visit;
  }

  constructor(context, page) {
    Object.assign(this, { context, page, wrong: [], loaded: false });
  }

  /** Fails if the page did what it may not. */
  async behaved() {
    const refused = await this.page.evaluate(() => globalThis.refused.splice(0));
    assert.deepEqual([...this.wrong.splice(0), ...refused.map((r) => `refused by the policy: ${r}`)], []);
  }

  async close() {
    await this.behaved();
    await this.context.close();
  }

  /** Waits until a place has a text. */
  async reads(selector, text) {
    await this.page.locator(selector).filter({ hasText: text }).first().waitFor();
  }

  /** Opens an example of the gallery. */
  async example(title) {
    await this.page.getByRole("button", { name: "Examples" }).click();
    const item = this.page.locator("button.item").filter({ hasText: title }).first();
    const whole = await item.locator("b").innerText();
    await this.page.evaluate(() => (document.querySelector("#live").replaceChildren()));
    await item.click();
    await this.page.locator("#live p").filter({ hasText: `Example: ${whole}` }).first().waitFor({ state: "attached" }); // until then, what is typed may be replaced
  }

  /** Replaces the text of an editor as a reader would: all selected, then pasted. */
  async paste(text, which = "Profile: its text") {
    await this.page.getByRole("textbox", { name: which }).focus();
    await this.page.keyboard.press("Control+a");
    await this.page.keyboard.insertText(text);
  }

  /** The text of an editor. */
  async text(which = "Profile: its text") {
    return this.page.getByRole("textbox", { name: which }).evaluate((e) => e.cmTile?.view?.state.doc.toString() ?? e.cmView?.view?.state.doc.toString() ?? e.innerText);
  }

  async tab(name) {
    await this.page.getByRole("tab", { name }).click();
  }

  /** Clicks, and returns the file that is saved upon it. */
  async saved(click) {
    const [download] = await Promise.all([this.page.waitForEvent("download"), click()]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    return { name: download.suggestedFilename(), bytes: Buffer.concat(chunks) };
  }
}
