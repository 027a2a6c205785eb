// What the tests in a browser share: the page in both forms, and what must never happen on it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, firefox } from "playwright-core";
import { command, web } from "./engine.mjs";

export const patience = Number(process.env.PATIENCE ?? 180_000); // ms: for machines that are slow or do something else
export const pictures = join(web, "test/out");

const inFirefox = process.env.BROWSER === "firefox";
const downloads = inFirefox ? mkdtempSync(join(tmpdir(), "seccompile-downloads-")) : undefined;
process.on("exit", () => downloads && rmSync(downloads, { recursive: true, force: true }));

/** Starts a browser: Debian's Chromium, or its Firefox where BROWSER=firefox; CHROMIUM and FIREFOX name others. */
export function launch(colorScheme = "light") {
  const [debian, variable] = inFirefox ? ["firefox-esr", "FIREFOX"] : ["chromium", "CHROMIUM"];
  const executablePath = process.env[variable] ?? `/usr/bin/${debian}`;
  if (!existsSync(executablePath)) throw new Error(`${executablePath}: missing (Debian: apt-get install ${debian}; or ${variable} names another)`);
  mkdirSync(pictures, { recursive: true });
  const common = { executablePath, timeout: patience };
  if (inFirefox) return launchFirefox(common, colorScheme);
  return chromium.launch({
    ...common,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** Starts a Firefox as it is released, over WebDriver BiDi: what that cannot do yet is done here, or by Visit. */
function launchFirefox(common, colorScheme) {
  const firefoxUserPrefs = { "layout.css.prefers-color-scheme.content-override": colorScheme === "dark" ? 0 : 1 };
  return firefox.launch({ ...common, channel: "moz-firefox", downloadsPath: downloads, firefoxUserPrefs });
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
    await context.setOffline(true); // what is loaded needs no network; Firefox stays online, and each request is an error
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
    if (!inFirefox || text.length < 10_000) return this.page.keyboard.insertText(text);
    // Here playwright presses a key for each character, which takes minutes for a long text.
    await this.page.getByRole("textbox", { name: which }).evaluate((editor, text) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", text);
      editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, text);
  }

  /** The text of an editor. */
  async text(which = "Profile: its text") {
    return this.page.getByRole("textbox", { name: which }).evaluate((e) => e.cmTile?.view?.state.doc.toString() ?? e.cmView?.view?.state.doc.toString() ?? e.innerText);
  }

  async tab(name) {
    await this.page.getByRole("tab", { name }).click();
  }

  /** Takes a picture. In Firefox, playwright adds a style sheet for it, which the page's policy refuses. */
  async picture(name) {
    await this.behaved();
    await this.page.screenshot({ path: join(pictures, inFirefox ? `firefox-${name}` : name) });
    if (!inFirefox) return;
    const own = /blocked an inline style \(style-src-elem\)/;
    await this.page.evaluate(() => globalThis.refused.splice(0));
    this.wrong = this.wrong.filter((w) => !own.test(w));
  }

  /** Clicks, and returns the file that is saved upon it. */
  async saved(click) {
    if (inFirefox) return savedByFirefox(click);
    const [download] = await Promise.all([this.page.waitForEvent("download"), click()]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    return { name: download.suggestedFilename(), bytes: Buffer.concat(chunks) };
  }
}

/** Clicks, and returns the file that Firefox saves: playwright hears nothing of a download that is no navigation. */
async function savedByFirefox(click) {
  await click();
  for (const end = performance.now() + patience; performance.now() < end;) {
    const names = readdirSync(downloads); // while it is written, an empty file and one that ends in .part
    const bytes = names.length === 1 && !names[0].endsWith(".part") ? readFileSync(join(downloads, names[0])) : "";
    if (bytes.length > 0) {
      rmSync(join(downloads, names[0]));
      return { name: names[0], bytes };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no file was saved: ${readdirSync(downloads)}`);
}
