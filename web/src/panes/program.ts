// The program: the filter's instructions with comments. Only the lines on the screen exist, so that
// the longest filter, 4,096 instructions, scrolls as well as a short one.

import type { Light, Mount, Page } from "../page";
import type { Instruction } from "../protocol";
import { button, chip, count, frame, freshId, h } from "./dom";
import { jumps } from "./jumps";
import { gently, halt, isOrigin, keysOf, linkSpots, spotKey } from "./link";
import { live, subject } from "./live";

/** The height of a line in pixels; panes.css has it too. */
const lineHeight = 24;
/** How many lines exist above and below those on the screen. */
const spare = 12;

export const program: Mount = (host, page) => {
  const find = h("input", { type: "search", placeholder: "Find in the program", "aria-label": "Find in the program; Enter goes to the next match", spellcheck: "false", autocomplete: "off" });
  const size = h("output", { class: "count" });
  const { body } = frame(host, "program", "Program", find, size);
  body.classList.add("fixed");
  const listing = new Listing(host, page, body);
  find.addEventListener("input", () => (size.value = listing.find(find.value, 0)));
  find.addEventListener("keydown", (e) => {
    if (e.key === "Enter") size.value = listing.find(find.value, e.shiftKey ? -1 : 1);
  });
  page.onLight((light) => listing.light(light));
  live(host, listing.view, page, {
    op: "program",
    key: "program",
    on: (s) => [s.source, s.target],
    question: (s) => subject(s, "The filter that the kernel runs, instruction by instruction, with comments."),
    show: (answer) => {
      size.value = count(answer.length, "instruction");
      listing.show(answer);
    },
    clear: () => {
      size.value = "";
      listing.foot.textContent = "";
    },
  });
};

/** The lines, of which those exist that can be seen. */
class Listing {
  readonly view: HTMLElement;
  readonly foot = h("p", { class: "pane-foot" });
  #lines = h("div", { class: "lines", role: "rowgroup" });
  #arrows = jumps(lineHeight);
  #all: readonly Instruction[] = [];
  #current = 0; // the line that the tab key reaches
  #drawn = { from: -1, to: -1 };
  #light: Light | null = null;
  #lit: ReadonlySet<string> = new Set();
  #back: number[] = []; // where jumps were followed from

  constructor(
    private readonly host: HTMLElement,
    page: Page,
    body: HTMLElement,
  ) {
    const help = h("p", { class: "sr", id: freshId("pane") }, "Arrow keys go from line to line, Enter to where a jump goes if its test is true, shift with Enter if not, Backspace goes back.");
    this.view = h("div", { class: "listing", role: "grid", "aria-label": "Instructions", "aria-describedby": help.id, "aria-colcount": 3 }, this.#lines);
    body.append(this.view, help, this.foot);
    linkSpots(this.view, page);
    this.view.addEventListener("scroll", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(this.view);
    this.view.addEventListener("keydown", (e) => this.#key(e));
    for (const event of ["focusin", "pointerover"] as const) this.view.addEventListener(event, (e) => this.#attend(e));
  }

  show(all: readonly Instruction[]): void {
    this.#all = all;
    this.#current = Math.min(this.#current, Math.max(0, all.length - 1));
    this.#back = [];
    this.#drawn = { from: -1, to: -1 };
    this.#lines.replaceChildren(this.#arrows.svg);
    this.#lines.style.height = `${all.length * lineHeight}px`;
    this.view.setAttribute("aria-rowcount", String(all.length));
    this.#draw();
    this.#reveal();
  }

  light(light: Light | null): void {
    this.#light = light;
    this.#lit = light ? keysOf(light.trail) : new Set();
    for (const line of this.#rows()) this.#paint(line);
    this.#reveal();
  }

  /** Shows the next line that has a text, from the current one on. Returns how many lines have it. */
  find(text: string, step: -1 | 0 | 1): string {
    const words = text.trim().toLowerCase();
    this.#lines.querySelector(".found")?.classList.remove("found");
    const n = this.#all.length;
    if (words === "" || n === 0) return count(n, "instruction");
    const has = (i: Instruction): boolean => `${i.pc}: ${i.text} ${i.comment} ${i.origins.join(" ")}`.toLowerCase().includes(words);
    const found = this.#all.filter(has);
    if (found.length === 0) return "not found";
    const from = this.#current + step;
    const pc = step < 0 ? (found.findLast((i) => i.pc <= from) ?? found[found.length - 1])!.pc : (found.find((i) => i.pc >= from) ?? found[0])!.pc;
    this.#current = pc;
    this.#scrollTo(pc, "auto");
    this.#row(pc)?.classList.add("found");
    this.#tell(pc);
    return count(found.length, "line");
  }

  #rows(): NodeListOf<HTMLElement> {
    return this.#lines.querySelectorAll<HTMLElement>(".line");
  }

  #row(pc: number): HTMLElement | null {
    return this.#lines.querySelector<HTMLElement>(`[data-pc="${pc}"]`);
  }

  /** Makes the lines that can be seen, keeps those that exist, and drops the others. */
  #draw(): void {
    const { scrollTop, clientHeight } = this.view;
    const from = Math.max(0, Math.floor(scrollTop / lineHeight) - spare);
    const to = Math.min(this.#all.length, Math.ceil((scrollTop + clientHeight) / lineHeight) + spare);
    if (from === this.#drawn.from && to === this.#drawn.to) return;
    this.#drawn = { from, to };
    for (const line of this.#rows()) {
      const pc = Number(line.dataset.pc);
      if ((pc < from || pc >= to) && line !== document.activeElement) line.remove();
    }
    let before: Node | null = this.#arrows.svg.nextSibling;
    for (const i of this.#all.slice(from, to)) {
      const line = this.#row(i.pc);
      if (line) before = line.nextSibling;
      else this.#lines.insertBefore(this.#make(i), before);
    }
    this.#reachable();
  }

  #make(i: Instruction): HTMLElement {
    const line = h("div", { class: `line ${i.look ?? ""}`, role: "row", "aria-rowindex": i.pc + 1, tabindex: -1, "data-spot": spotKey({ pc: i.pc }), "data-pc": i.pc },
      h("span", { role: "rowheader", class: "pc" }, String(i.pc)),
      h("span", { role: "gridcell", class: "text" }, ...instruction(i, (pc) => this.#follow(pc, i.pc))),
      h("span", { role: "gridcell", class: "comment" }, i.comment));
    line.style.top = `${i.pc * lineHeight}px`;
    this.#paint(line);
    return line;
  }

  #paint(line: HTMLElement): void {
    const on = this.#lit.has(line.dataset.spot ?? "");
    line.classList.toggle("lit", on);
    line.classList.toggle("path", on && this.#light?.by === "call");
  }

  /** The tab key reaches a line that is there: the current one, or the first on the screen. */
  #reachable(): void {
    if (!this.#row(this.#current)) this.#current = Math.min(this.#all.length - 1, Math.ceil(this.view.scrollTop / lineHeight));
    for (const line of this.#rows()) line.tabIndex = Number(line.dataset.pc) === this.#current ? 0 : -1;
  }

  #scrollTo(pc: number, behavior: ScrollBehavior): void {
    const { scrollTop, clientHeight } = this.view;
    const top = pc * lineHeight;
    if (top >= scrollTop && top + lineHeight <= scrollTop + clientHeight) return halt(this.view);
    this.view.scrollTo({ top: top - clientHeight * 0.4, behavior });
    if (behavior === "auto") this.#draw();
  }

  /** Scrolls to what is lit, unless it was pointed at here. */
  #reveal(): void {
    if (!this.#light || isOrigin(this.host, this.#light)) return;
    const pc = telling(this.#light.trail.pcs, this.#all);
    if (pc !== undefined) this.#scrollTo(pc, gently());
  }

  #focus(pc: number): void {
    this.#current = Math.min(Math.max(pc, 0), this.#all.length - 1);
    this.#scrollTo(this.#current, "auto");
    this.#reachable();
    this.#row(this.#current)?.focus({ preventScroll: true });
  }

  #follow(pc: number | undefined, from: number): void {
    if (pc === undefined) return;
    this.#back.push(from);
    this.#focus(pc);
  }

  #key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey || e.altKey || !(e.target instanceof HTMLElement) || !e.target.matches(".line")) return;
    const here = this.#current;
    const screen = Math.max(1, Math.floor(this.view.clientHeight / lineHeight) - 1);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + screen, PageUp: here - screen, Home: 0, End: this.#all.length - 1 }[e.key];
    if (to !== undefined) this.#focus(to);
    else if (e.key === "Enter") this.#follow(this.#all[here]?.targets?.[e.shiftKey ? 1 : 0], here);
    else if (e.key === "Backspace") this.#focus(this.#back.pop() ?? here);
    else return;
    e.preventDefault();
  }

  /** Notes the line that has the focus or the pointer. */
  #attend(e: Event): void {
    const line = e.target instanceof Element ? e.target.closest<HTMLElement>(".line") : null;
    if (!line) return;
    const pc = Number(line.dataset.pc);
    if (e.type === "focusin") this.#current = pc;
    this.#tell(pc);
  }

  /** Says all about a line below the lines, where a long comment has room. */
  #tell(pc: number): void {
    const i = this.#all[pc];
    if (!i) return;
    const rules = i.origins.length > 0 ? ` From ${i.origins.slice(0, 4).join(", ")}${i.origins.length > 4 ? ` and ${i.origins.length - 4} more` : ""}.` : "";
    this.foot.textContent = `${i.pc}: ${i.comment || i.text}.${rules}`;
    this.#arrows.show(i);
  }
}

/** The line that says most: the last test, because all paths have the first, and returns are shared. */
export function telling(pcs: readonly number[], all: readonly Instruction[]): number | undefined {
  const tests = pcs.filter((pc) => all[pc]?.targets && all[pc]!.targets!.length > 0);
  return tests[tests.length - 1] ?? pcs[pcs.length - 1];
}

/** The text of an instruction, where a jump's targets are links and a verdict has its colour. */
function instruction(i: Instruction, goTo: (pc: number) => void): HTMLElement[] {
  const words = i.text.replace(/\s+jt\s+\d+\s+jf\s+\d+$|(?<=^(?:ja|jmp))\s+\d+$/, "");
  const returned = /^ret\s+(.*)$/.exec(words)?.[1];
  if (i.look && returned) return [h("code", {}, "ret "), chip(i.look, returned)];
  const names = i.targets?.length === 1 ? ["to"] : ["yes", "no"];
  const links = (i.targets ?? []).map((pc, k) => button(`${names[k]} ${pc}`, () => goTo(pc), { class: `link jump ${names[k]}`, tabindex: -1, title: `Go to ${pc}` }));
  return [h("code", {}, words), ...links];
}
