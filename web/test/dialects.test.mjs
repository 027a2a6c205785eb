// A text that may be in one of several languages: the page asks which.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { forms, launch, patience, Visit } from "./harness.mjs";

let browser, served;
before(async () => {
  browser = await launch();
  served = await forms();
}, { timeout: patience });
after(async () => {
  await browser?.close();
  await served?.stop();
});

test("one click chooses the dialect of a minijail policy", { timeout: 2 * patience }, async () => {
  const v = await Visit.open(browser, served.list[1][1]);
  await v.page.getByRole("button", { name: "Reset" }).click(); // the ABIs of the first example, which a policy is not for
  const chooser = v.page.waitForEvent("filechooser");
  await v.page.getByRole("button", { name: "Open…", exact: true }).first().click();
  await (await chooser).setFiles({ name: "a.policy", mimeType: "text/plain", buffer: Buffer.from("read: 1\nexit_group: 1\nexecve: 1\n") });
  await v.reads("#source .reading.bad", "two dialects");
  assert.ok(!(await v.page.locator("#source .reading.bad").innerText()).includes("--language"));
  await v.page.locator("#source .reading.bad").getByRole("button", { name: "minijail (minijail0 -S)" }).click();
  await v.reads("#source .reading.good", "3 rules");
  assert.equal(await v.page.getByRole("combobox", { name: "Language" }).first().inputValue(), "minijail-c");
  await v.behaved();
  await v.close();
});
