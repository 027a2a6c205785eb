// The menus of the page's head: examples, share, download, theme and what the page is.

import type { Download, Vocabulary } from "../protocol";
import type { Page } from "../page";
import { linkTo } from "../address";
import { h } from "../dom";
import { bytesOf } from "../fragment";
import { arrows } from "../panes/roving";
import { popover, type Popover } from "./popover";

/** Lets the arrow keys move in a menu, and the one down lead into it. */
function withArrows(menu: Popover): HTMLElement[] {
  const item = "button.item";
  arrows(menu.panel, item);
  menu.button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (!menu.panel.matches(":popover-open")) menu.panel.showPopover();
    menu.panel.querySelector<HTMLElement>(item)?.focus();
  });
  return [menu.button, menu.panel];
}

export function examples(vocabulary: Vocabulary, open: (id: string) => void): HTMLElement[] {
  const menu = popover("Examples", "Examples");
  const items = vocabulary.gallery.map((g) =>
    h("li", {}, h("button", { type: "button", class: "item", click: () => (menu.close(), open(g.id)) }, h("b", {}, g.title), h("small", {}, g.about))),
  );
  menu.panel.append(h("ul", { role: "list" }, ...items));
  return withArrows(menu);
}

/** Saves what the engine made. */
export function saveDownload(page: Page, file: Download): void {
  const content = file.binary ? bytesOf(file.text) : file.text;
  if (content !== null) page.save(file.name, file.type, content);
}

export function downloads(page: Page, vocabulary: Vocabulary): HTMLElement[] {
  const menu = popover("Download", "Download");
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const get = async (format: string): Promise<void> => {
    problem.hidden = true;
    const { source, second, target } = page.state;
    const subject = { source, target };
    const reply = format === "report" ? await page.ask("report", { ...subject, ...(second && { second }) }) : await page.ask("download", { ...subject, format });
    if (!reply) return;
    if (reply.answer) {
      menu.close();
      return saveDownload(page, reply.answer);
    }
    problem.hidden = false;
    problem.textContent = [reply.failure.message, reply.failure.hint].filter(Boolean).join(" – ");
  };
  const item = (format: string, title: string, about: string): HTMLElement =>
    h("li", {}, h("button", { type: "button", class: "item", click: () => void get(format) }, h("b", {}, title), h("small", {}, about)));
  menu.panel.append(
    problem,
    h("ul", { role: "list", class: "formats" }, ...vocabulary.formats.map((f) => item(f.name, f.title, f.name)), item("report", "Report", "a page to keep or send: HTML")),
  );
  return withArrows(menu);
}

const cutAt = 8000; // characters: some mail and chat programs cut links that are longer

export function share(page: Page): HTMLElement[] {
  const menu = popover("Share", "A link to this page as it is", (panel) => void fill(panel));
  const fill = async (panel: HTMLElement): Promise<void> => {
    panel.replaceChildren("Making the link…");
    const link = await linkTo(page.state);
    if (link === null) return panel.replaceChildren("This is too long for a link: send the file.");
    const field = h("input", { readonly: true, value: link, "aria-label": "Link", class: "link" });
    const copy = async (): Promise<void> => {
      field.select();
      try {
        await navigator.clipboard.writeText(link);
      } catch {
        return page.say("The browser does not let the page copy: press Ctrl+C");
      }
      button.textContent = "Copied";
      page.say("Link copied");
    };
    const button = h("button", { type: "button", class: "primary", click: () => void copy() }, "Copy link");
    panel.replaceChildren(
      h("p", {}, "The whole state is in the link, behind the #, which browsers do not send to servers."),
      field,
      button,
      link.length > cutAt ? h("p", { class: "warn" }, `${link.length.toLocaleString("en")} characters: some mail and chat programs cut such links.`) : "",
      location.protocol === "file:" ? h("p", {}, "This page is a file of this machine. What follows # works with every other copy of it, too.") : "",
    );
    field.select();
  };
  return [menu.button, menu.panel];
}

const themes = ["auto", "light", "dark"] as const;

export function theme(page: Page): HTMLElement {
  const stored = (): string | null => {
    try {
      return localStorage.getItem("seccompile-theme");
    } catch {
      return null; // some browsers refuse it to files
    }
  };
  let at = Math.max(0, themes.findIndex((t) => t === stored()));
  const button = h("button", { type: "button", click: () => set(at + 1) });
  const set = (next: number): void => {
    at = next % themes.length;
    const name = themes[at] ?? "auto";
    if (name === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", name);
    const text = { auto: "Auto", light: "Light", dark: "Dark" }[name];
    button.textContent = text;
    button.title = `${text}: ${name === "auto" ? "the colours that the system has" : "the colours of the page"}`;
    button.setAttribute("aria-label", button.title);
    try {
      localStorage.setItem("seccompile-theme", name);
    } catch {
      page.say("This browser will not remember the theme");
    }
  };
  set(at);
  return button;
}

export function about(version: string): HTMLElement[] {
  const menu = popover("About", "About this page");
  const licences = document.getElementById("licences")?.textContent;
  menu.panel.append(
    h("p", {}, h("b", {}, "seccompile"), ` ${version}`),
    h("p", {}, "Shows what a seccomp profile means, and proves that the filter made of it means the same. It is the command itself, compiled for the browser: nothing that you paste leaves this page."),
    h("p", {}, "Keys: Tab goes on, F8 goes to the next finding, Ctrl+Space completes, Ctrl+F searches in the text, Escape closes."),
    licences ? h("details", {}, h("summary", {}, "Licences"), h("pre", { tabindex: 0 }, licences)) : h("p", {}, h("a", { href: "LICENCES.txt", target: "_blank", rel: "noopener" }, "Licences")),
  );
  return [menu.button, menu.panel];
}
