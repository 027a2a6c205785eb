// What the page can do, in both of its forms, as a reader would do it.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { inTemporary, run } from "./engine.mjs";
import { forms, launch, patience, Visit } from "./harness.mjs";

const broken = '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["execve", "exit_group", "read", "read"], "action": "SCMP_ACT_ALLOW"}]}';
const call = "#pane-call .verdict .big";
const editor = '#source .cm-content[aria-label^="Profile"]';

let browser, served;
before(async () => {
  browser = await launch();
  served = await forms();
}, { timeout: patience });
after(async () => {
  await browser?.close();
  await served?.stop();
});

for (const at of [0, 1]) {
  describe(["the directory that seccompile web serves", "the one file"][at], () => {
    let v, page;
    before(async () => {
      v = await Visit.open(browser, served.list[at][1]);
      page = v.page;
      console.log(`${served.list[at][0]}: the first answer after ${Math.round(v.firstAnswer)} ms (goal: 1000)`);
    }, { timeout: patience });
    after(() => v?.close());
    const step = (name, f) => test(name, { timeout: 4 * patience }, async () => {
      await f();
      await v.behaved();
    });

    step("why is my socket call denied", async () => {
      await v.example("Docker");
      await page.getByRole("combobox", { name: "Call to try" }).fill("socket(AF_ALG, SOCK_SEQPACKET, 0)");
      await v.reads(call, "ERRNO(1) EPERM");
      await v.reads("#pane-call .because", "/defaultAction");
      await v.reads("#pane-call .facts", "x86_64 socket(family=AF_ALG, type=SOCK_SEQPACKET, protocol=0)");
      await v.reads("#pane-call .facts", "Not in the kernel's bitmap");
      await page.locator("#pane-program .line.path").first().waitFor();
      await page.locator("#pane-drawing [data-node].path").first().waitFor();
      await page.getByRole("combobox", { name: "Call to try" }).fill("getpid");
      await v.reads(call, "ALLOW");
      await v.reads("#pane-call .facts", "In the kernel's bitmap");
      await page.getByRole("combobox", { name: "ABI of the call" }).selectOption("x86");
      await v.reads("#pane-call .facts", "x86 getpid");
      await page.getByRole("combobox", { name: "Call to try" }).fill("opne");
      await v.reads("#pane-call", "unknown system call");
    });

    step("a line of strace is a call", async () => {
      await v.example("Docker");
      const box = page.getByRole("combobox", { name: "Call to try" });
      await box.fill("12:00:01.123 socket(AF_ALG, SOCK_SEQPACKET|SOCK_CLOEXEC, 0) = -1 EPERM (Operation not permitted)");
      await v.reads("#pane-call .facts", "x86_64 socket(family=AF_ALG, type=SOCK_SEQPACKET|SOCK_CLOEXEC, protocol=0)");
      await v.reads(call, "ERRNO(1) EPERM");
      assert.equal(await page.locator("#pane-call .unsure").count(), 0);
      await box.fill("7 <... clone resumed>, 0) = 8");
      await v.reads("#pane-call .unsure", "it depends on flags");
      await box.fill('[pid 123] openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3');
      await v.reads("#pane-call .facts", "openat(dirfd=AT_FDCWD, pathname=?, flags=O_RDONLY|O_CLOEXEC)");
      await v.reads(call, "ALLOW");
      await page.getByRole("button", { name: "Add to expectations" }).click();
      await v.tab("Expectations");
      await v.reads("#pane-expectations .count", "all 4 pass");
      assert.equal(await page.getByRole("combobox", { name: /^Call 4/ }).inputValue(), "openat(AT_FDCWD, ?, O_RDONLY|O_CLOEXEC)");
      await v.tab("Meaning");
    });

    step("a rule, a call, a box and an instruction light up each other", async () => {
      await v.example("Docker");
      await page.getByRole("combobox", { name: "Call to try" }).fill("");
      const clone = page.locator("#pane-meaning .conditional .call", { hasText: /^clone$/ }).first();
      await clone.hover();
      for (const pane of ["#pane-program .line.lit", "#pane-drawing [data-node].lit"]) await page.locator(pane).first().waitFor();
      await page.getByRole("searchbox", { name: /^Find in the program/ }).fill("clone flags");
      await page.getByRole("searchbox", { name: /^Find in the program/ }).press("Enter");
      await page.locator("#pane-program .line", { hasText: "clone flags" }).first().hover();
      await page.locator("#pane-meaning .call.lit", { hasText: /^clone$/ }).first().waitFor();
      await page.locator("#source .cm-lit").first().waitFor({ state: "attached" });
      await page.locator("#pane-drawing [data-node]", { hasText: "CLONE_NEWNS" }).first().hover({ position: { x: 9, y: 9 } }); // its corner: the middle can be under the zoom's buttons
      await page.locator("#pane-meaning .call.lit", { hasText: /^clone$/ }).first().waitFor();
      await page.locator("h1").hover();
    });

    step("the meaning is searched and folded", async () => {
      const search = page.getByRole("searchbox", { name: "Search the meaning" });
      await search.fill("unshare");
      await v.reads("#pane-meaning .count", / of /);
      assert.deepEqual(new Set(await page.locator("#pane-meaning .call").allTextContents()), new Set(["unshare"]));
      await search.fill("");
      const first = page.locator("#pane-meaning details.abi").first();
      await first.locator("summary").first().click();
      await first.locator(".call").first().waitFor({ state: "hidden" });
      await first.locator("summary").first().click();
    });

    step("languages and formats are detected and coloured", async () => {
      for (const [example, language] of [["A systemd unit", "systemd unit"], ["A minijail policy", null], ["cBPF assembly", "assembly"], ["flatpak", "Docker"], ["Podman", "Podman"]]) {
        await v.example(example);
        await v.reads("#source .reading", "instruction");
        if (language) await page.waitForFunction((l) => document.querySelector("#source .bar select").selectedOptions[0].text.includes(l), language);
        const colours = await page.locator(`${editor} span`).evaluateAll((all) => new Set(all.map((e) => getComputedStyle(e).color)).size);
        assert.ok(colours > 2, `${example}: ${colours} colours`);
      }
    });

    step("a broken profile says where, and a click mends it", async () => {
      await v.paste(broken.replace("ERRNO", "ERNO"));
      await v.reads("#source .reading.bad", "Refused");
      await page.locator("#source .cm-lint-marker-error").first().waitFor();
      await v.reads("#source .finding-list", "unknown action");
      await v.paste(broken);
      await v.reads("#source .finding-list", "read already has the same rule");
      await page.locator("#source .finding-list li", { hasText: "read already" }).getByRole("button", { name: /^Fix/ }).click();
      await page.locator("#source .finding-list", { hasText: "read already" }).waitFor({ state: "hidden" }).catch(() => {});
      await page.waitForFunction(() => !document.querySelector("#source .finding-list").textContent.includes("read already"));
      const text = await page.locator(editor).innerText();
      assert.equal(text.match(/"read"/g).length, 1, text);
      await page.keyboard.press("Control+z");
    });

    step("is the new profile weaker", async () => {
      await v.example("AF_ALG");
      await v.tab("Difference");
      await page.locator("#pane-compare .answer").waitFor();
      assert.equal(await page.locator("#pane-compare .answer.weaker").count(), 0);
      assert.match(await page.locator("#pane-compare .change.stricter").first().innerText(), /socket/);
      await page.locator("#pane-compare .witness").first().click();
      await v.reads("#pane-call .verdict .big", /./);
      await page.getByRole("button", { name: "Intersection" }).click();
      await page.getByRole("button", { name: "Take it as the source" }).click();
      await v.reads("#source .reading.good", "instruction");
    });

    step("the switches change the meaning", async () => {
      await v.example("Docker");
      const box = page.getByRole("combobox", { name: "Call to try" });
      await box.fill("mount");
      await v.reads(call, "ERRNO(1) EPERM");
      await page.getByRole("button", { name: /^Capabilities/ }).click();
      await page.getByRole("checkbox", { name: "CAP_SYS_ADMIN" }).check();
      await page.keyboard.press("Escape");
      await v.reads(call, "ALLOW");
      await page.getByRole("button", { name: /^ABIs/ }).click();
      await page.getByRole("checkbox", { name: "x86", exact: true }).uncheck();
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => /x86_64, x32/.test(document.querySelector("#source .reading").textContent) && !/x32, x86/.test(document.querySelector("#source .reading").textContent));
      await box.fill("5000");
      await v.reads(call, "ENOSYS");
      await page.getByRole("combobox", { name: /^ENOSYS/ }).selectOption("off");
      await v.reads(call, "EPERM");
      const linux = page.getByRole("combobox", { name: /^Linux/ });
      await box.fill("ptrace");
      await v.reads(call, "ALLOW");
      await page.getByRole("button", { name: "Reset" }).click();
      await linux.fill("4.4");
      await linux.press("Enter");
      await v.reads(call, "ERRNO(1) EPERM"); // Docker allows it from Linux 4.8 on
      await page.getByRole("button", { name: "Reset" }).click();
      await page.getByRole("combobox", { name: /^Runtime/ }).selectOption("youki");
      await v.reads("#source .reading.good", "instruction");
      await page.getByRole("button", { name: "Reset" }).click();
      await v.example("A systemd unit");
      const version = page.getByRole("combobox", { name: "Version" });
      await version.waitFor();
      assert.ok((await version.locator("option").count()) > 2);
      await version.selectOption({ index: 1 });
      await v.reads("#source .reading.good", "instruction");
    });

    step("expectations turn red as the profile changes, and are a test for the command", async () => {
      await v.example("Docker");
      await v.tab("Expectations");
      await v.reads("#pane-expectations .count", "all 3 pass");
      await page.getByRole("button", { name: "Add a call" }).click();
      await page.getByRole("combobox", { name: /^Call 4/ }).or(page.getByRole("textbox", { name: /^Call 4/ })).first().fill("socket(AF_VSOCK, SOCK_STREAM, 0)");
      const wanted = page.getByLabel("Expected verdict of call 4");
      await wanted.fill("allow");
      await v.reads("#pane-expectations .count", "1 of 4 fail");
      await wanted.fill("errno:EPERM");
      await v.reads("#pane-expectations .count", "all 4 pass");
      const file = await v.saved(() => page.getByRole("button", { name: "Save as a file" }).click());
      await inTemporary(async (dir) => {
        const path = join(dir, file.name);
        await writeFile(path, file.bytes);
        const good = await run("eval", "--expect", path, "docker-default");
        assert.equal(good.status, 0, good.out + good.err);
        await writeFile(path, file.bytes.toString().replace(/(clone3.*)ENOSYS/, "$1EPERM"));
        const bad = await run("eval", "--expect", path, "docker-default");
        assert.equal(bad.status, 1, bad.out + bad.err);
      });
      await page.getByRole("button", { name: "Remove call 4" }).click();
      await page.locator("#pane-expectations input[type=file]").setInputFiles({ name: file.name, mimeType: "text/plain", buffer: file.bytes });
      await v.reads("#pane-expectations .count", "all 4 pass");
      await v.tab("Meaning");
      // Allow everything: what was expected to be denied turns red.
      await v.paste('{"defaultAction": "SCMP_ACT_ALLOW"}');
      await v.tab("Expectations");
      await v.reads("#pane-expectations .count", "3 of 4 fail");
    });

    step("what came with an example goes with it, and what the reader chose stays", async () => {
      const box = page.getByRole("combobox", { name: "Call to try" });
      const own = '{"defaultAction": "SCMP_ACT_LOG"}';
      await v.example("A minijail policy");
      await v.reads("#pane-call .facts", "x86_64 mmap");
      await v.paste(own); // in another language than the example
      await v.reads("#source .reading.good", "instruction");
      await page.waitForFunction(() => document.querySelector('[aria-label="Call to try"]').value === "");
      await v.example("Docker");
      await v.tab("Expectations");
      await v.reads("#pane-expectations .count", "all 3 pass");
      await v.reads("section.target", "x86_64, x86, x32");
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Open…" }).first().click()]);
      await chooser.setFiles({ name: "own.json", mimeType: "application/json", buffer: Buffer.from(own) });
      await page.locator("#source .file-name", { hasText: "own.json" }).first().waitFor();
      await page.locator("#pane-expectations table").waitFor({ state: "hidden" });
      assert.equal(await box.inputValue(), "");
      assert.doesNotMatch(await page.locator("section.target").innerText(), /x86_64, x86, x32/);
      // The reader's own.
      await v.example("Docker");
      await page.getByRole("button", { name: "Remove call 3" }).click();
      await v.reads("#pane-expectations .count", "all 2 pass");
      await box.fill("read");
      await v.paste(own);
      await v.reads("#pane-expectations .count", "2 of 2 fail");
      assert.equal(await box.inputValue(), "read");
      await v.reads(call, "LOG");
      await v.tab("Meaning");
    });

    step("downloads are what the command writes", async () => {
      await v.example("Podman");
      await v.reads("#source .reading.good", "instruction");
      const source = { name: "podman.json", flags: ["-a", "x86_64,x86,x32"] };
      for (const [title, format] of [["raw", "raw"], ["C", "c"], ["Go", "go"], ["JSON", "json"]]) {
        await page.getByRole("button", { name: "Download" }).click();
        const item = page.locator("button.item").filter({ has: page.locator("small", { hasText: new RegExp(`^${format}$`) }) }).first();
        const file = await v.saved(() => item.click());
        const made = await run("compile", ...source.flags, "-f", format, "preset:podman");
        assert.equal(made.status, 0, made.err);
        if (format === "raw") assert.deepEqual(file.bytes, made.bytes, title);
        else assert.ok(file.bytes.length > 1000, `${title}: ${file.name}`);
      }
      await page.getByRole("button", { name: "Download" }).click();
      const report = await v.saved(() => page.locator("button.item", { hasText: "Report" }).click());
      assert.match(report.bytes.toString(), /^<!doctype html>/i);
    });

    step("the grade has reasons and a badge", async () => {
      await v.tab("Grade");
      await page.locator("#pane-grade .letter").waitFor();
      const badge = await v.saved(() => page.getByRole("button", { name: "Save the badge" }).click());
      assert.match(badge.bytes.toString(), /^<svg/);
    });

    step("shrink this", async () => {
      await v.paste('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", "write", "execve", "exit_group", "read"], "action": "SCMP_ACT_ALLOW"}, {"names": ["write"], "action": "SCMP_ACT_ALLOW"}]}');
      await v.tab("Grade");
      await page.getByRole("button", { name: "Shrink" }).click();
      await v.reads("#pane-grade .outcome", "% smaller");
      await page.getByRole("button", { name: "Take it as the source" }).click();
      await v.reads("#source .reading.good", "instruction");
      assert.equal((await page.locator(editor).innerText()).match(/"?write"?/g).length, 1);
      await v.example("A systemd unit");
      await v.reads("#source .reading.good", "instruction");
      await page.getByRole("button", { name: "Shrink" }).click();
      await v.reads("#pane-grade .outcome", /The filter is already as small as we can make it: .*only profiles of OCI/);
    });

    step("a raw filter is opened", async () => {
      const made = await run("compile", "-a", "x86_64", "-f", "raw", "docker-default");
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Open…" }).first().click()]);
      await chooser.setFiles({ name: "filter.bpf", mimeType: "application/octet-stream", buffer: made.bytes });
      await v.reads("#source .reading.good", `${made.bytes.length / 8} instructions`);
    });

    step("a link is the state", async () => {
      await v.example("A minijail policy");
      await page.getByRole("combobox", { name: "Call to try" }).fill("mmap(0, 4096, PROT_WRITE|PROT_EXEC)");
      await v.tab("Grade");
      await page.getByRole("button", { name: "Share" }).click();
      const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
      await page.keyboard.press("Escape");
      assert.match(link, /#1\.[\w-]+$/);
      const other = await Visit.open(browser, link);
      await other.reads("#source .reading.good", "instruction");
      assert.equal(await other.page.locator(editor).innerText(), await page.locator(editor).innerText());
      assert.equal(await other.page.getByRole("combobox", { name: "Call to try" }).inputValue(), "mmap(0, 4096, PROT_WRITE|PROT_EXEC)");
      assert.equal(await other.page.getByRole("tab", { name: "Grade" }).getAttribute("aria-selected"), "true");
      await other.close();
    });

    step("Back returns to what an example replaced", async () => {
      const moved = (from) => page.waitForFunction((from) => location.href !== from, from);
      const address = () => page.evaluate(() => location.href); // page.url() may be late
      const before = await address();
      await v.paste('{"defaultAction": "SCMP_ACT_LOG"}');
      await moved(before);
      const own = await address();
      await v.example("Podman");
      await moved(own);
      await page.goBack();
      await page.waitForFunction((own) => location.href === own, own);
      await page.locator(editor).filter({ hasText: "SCMP_ACT_LOG" }).waitFor();
      await page.goForward();
      await page.locator(editor).filter({ hasText: "SCMP_ACT_LOG" }).waitFor({ state: "detached" });
    });

    step("what was shown of another text goes when the new one is refused", async () => {
      await v.example("Docker");
      await page.getByRole("combobox", { name: "Call to try" }).fill("getpid");
      await v.reads(call, "ALLOW");
      await v.paste('{"defaultAction": 1}');
      await page.locator(call).first().waitFor({ state: "hidden" });
      await v.reads("#pane-call", "refused");
    });

    step("a new engine needs no network", async () => {
      const said = await page.evaluate(() => new Promise((resolve) => {
        const worker = engineSource.worker();
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (e) => resolve(e.message || "it cannot be loaded");
        worker.postMessage({ start: { base64: "?" } });
      }));
      assert.ok(said.died, `the worker does not say what is wrong with its engine: ${said}`);
    });

    step("links that are broken say so", async () => {
      for (const fragment of ["#1.AAAA", "#1.%%", "#2.abc", "#nonsense", "#example=missing", "#1."]) {
        const other = await Visit.open(browser, served.list[at][1] + fragment, { shows: "#notice p" });
        await other.reads("#notice", "link");
        await other.close();
      }
    });

    step("the theme is chosen and kept", async () => {
      const button = page.locator("header button", { hasText: /Auto|Light|Dark|Theme/ });
      await button.click();
      await button.click();
      const dark = await page.evaluate(() => document.documentElement.dataset.theme);
      assert.equal(dark, "dark");
      await button.click();
    });
  });
}
