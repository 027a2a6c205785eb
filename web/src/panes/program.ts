// The program: the filter's instructions with comments. Only the lines on the screen exist, so that
// the longest filter, 4,096 instructions, scrolls as well as a short one.

import type { Light, Mount } from "../page";
import type { Instruction } from "../protocol";
import { button, chip, count, frame, freshId, h } from "./dom";
import { gently, halt, isOrigin, keysOf, linkSpots, spotKey } from "./link";
import { live, subject } from "./live";
import { jumps } from "./jumps";

/** The height of a line in pixels; panes.css has it too. */
export const lineHeight = 24;
/** How many lines exist above and below those on the screen. */
const spare = 12;

export const program: Mount = (host, page) => {
  const find = h("input", { type: "search", placeholder: "Find in the program", "aria-label": "Find in the program; Enter goes to the next match", spellcheck: "false", autocomplete: "off" });
  const size = h("output", { class: "count" });
  const { body } = frame(host, "program", "Program", find, size);
  body.classList.add("fixed");
  const help = h("p", { class: "sr", id: freshId("pane") }, "Arrow keys go from line to line, Enter to where a jump goes if its test is true, shift with Enter if not, Backspace goes back.");
  const lines = h("div", { class: "lines", role: "rowgroup" });
  const arrows = jumps(lineHeight);
  const view = h("div", { class: "listing", role: "grid", "aria-label": "Instructions", "aria-describedby": help.id, "aria-colcount": 3 }, lines);
  const foot = h("p", { class: "pane-foot" });
  body.append(view, help, foot);
  linkSpots(view, page);

  let all: Instruction[] = [];
  let current = 0; // the line that has the focus or would get it
  let light: Light | null = null;
  let keys: Set<string> = new Set();
  let from = -1;
  let to = -1;
  const back: number[] = [];

  const row = (i: Instruction): HTMLElement => {
    const { text, links } = instruction(i, goTo);
    const line = h("div", {
      class: `line ${i.look ?? ""}`, role: "row", "aria-rowindex": i.pc + 1, tabindex: -1, "data-spot": spotKey({ pc: i.pc }), "data-pc": i.pc,
    }, h("span", { role: "rowheader", class: "pc" }, String(i.pc)), h("span", { role: "gridcell", class: "text" }, text, ...links), h("span", { role: "gridcell", class: "comment" }, i.comment));
    line.style.top = `${i.pc * lineHeight}px`;
    return line;
  };
  const light1 = (line: HTMLElement): void => {
    const on = keys.has(line.dataset.spot!);
    line.classList.toggle("lit", on);
    line.classList.toggle("path", on && light?.by === "call");
  };
  /** Makes the lines that can be seen, keeps those that exist, and drops the others. */
  const draw = (): void => {
    const first = Math.max(0, Math.floor(view.scrollTop / lineHeight) - spare);
    const last = Math.min(all.length, Math.ceil((view.scrollTop + view.clientHeight) / lineHeight) + spare);
    if (first === from && last === to) return;
    [from, to] = [first, last];
    const there = new Map<number, HTMLElement>();
    for (const line of lines.querySelectorAll<HTMLElement>(".line")) {
      const pc = Number(line.dataset.pc);
      if ((pc >= first && pc < last) || line === document.activeElement) there.set(pc, line);
      else line.remove();
    }
    let before: Node | null = arrows.svg.nextSibling;
    for (const i of all.slice(first, last)) {
      const old = there.get(i.pc);
      if (old) {
        before = old.nextSibling;
        continue;
      }
      const line = row(i);
      light1(line);
      lines.insertBefore(line, before);
    }
    reachable();
  };
  /** The tab key reaches a line that is there: the current one, or the first on the screen. */
  const reachable = (): void => {
    if (!lines.querySelector(`[data-pc="${current}"]`)) current = Math.min(all.length - 1, Math.ceil(view.scrollTop / lineHeight));
    for (const line of lines.querySelectorAll<HTMLElement>(".line")) line.tabIndex = Number(line.dataset.pc) === current ? 0 : -1;
  };
  const redraw = (): void => {
    from = to = -1;
    lines.replaceChildren(arrows.svg);
    lines.style.height = `${all.length * lineHeight}px`;
    view.setAttribute("aria-rowcount", String(all.length));
    draw();
  };
  const show = (pc: number, smooth = true): void => {
    const top = pc * lineHeight;
    const room = view.clientHeight;
    if (top >= view.scrollTop && top + lineHeight <= view.scrollTop + room) return halt(view);
    view.scrollTo({ top: top - room * 0.4, behavior: smooth ? gently() : "auto" });
    if (!smooth) draw();
  };
  const focus = (pc: number): void => {
    current = Math.min(Math.max(pc, 0), all.length - 1);
    show(current, false);
    reachable();
    lines.querySelector<HTMLElement>(`[data-pc="${current}"]`)?.focus({ preventScroll: true });
  };
  function goTo(pc: number, by: number): void {
    back.push(by);
    focus(pc);
  }

  view.addEventListener("scroll", draw);
  new ResizeObserver(draw).observe(view);
  view.addEventListener("focusin", (e) => {
    const line = e.target instanceof Element ? e.target.closest<HTMLElement>(".line") : null;
    if (line) current = Number(line.dataset.pc);
    tell(line && all[Number(line.dataset.pc)]);
  });
  view.addEventListener("pointerover", (e) => {
    const line = e.target instanceof Element ? e.target.closest<HTMLElement>(".line") : null;
    if (line) tell(all[Number(line.dataset.pc)]);
  });
  const tell = (i: Instruction | null | undefined): void => {
    if (!i) return;
    const rules = i.origins.length > 0 ? ` From ${i.origins.slice(0, 4).join(", ")}${i.origins.length > 4 ? ` and ${i.origins.length - 4} more` : ""}.` : "";
    foot.textContent = `${i.pc}: ${i.comment || i.text}.${rules}`;
    arrows.show(i);
  };
  view.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || !(e.target instanceof HTMLElement) || !e.target.matches(".line")) return;
    const page_ = Math.max(1, Math.floor(view.clientHeight / lineHeight) - 1);
    const targets = all[current]?.targets ?? [];
    switch (e.key) {
      case "ArrowDown": focus(current + 1); break;
      case "ArrowUp": focus(current - 1); break;
      case "PageDown": focus(current + page_); break;
      case "PageUp": focus(current - page_); break;
      case "Home": focus(0); break;
      case "End": focus(all.length - 1); break;
      case "Enter": {
        const target = e.shiftKey ? targets[1] : targets[0];
        if (target !== undefined) goTo(target, current);
        break;
      }
      case "Backspace": {
        const last = back.pop();
        if (last !== undefined) focus(last);
        break;
      }
      default: return;
    }
    e.preventDefault();
  });
  find.addEventListener("keydown", (e) => {
    if (e.key === "Enter") next(find.value, e.shiftKey ? -1 : 1);
  });
  find.addEventListener("input", () => next(find.value, 0));
  /** Shows the next line that has a text, from the current one on. */
  const next = (text: string, step: number): void => {
    const words = text.trim().toLowerCase();
    lines.querySelector(".found")?.classList.remove("found");
    if (words === "" || all.length === 0) {
      size.value = count(all.length, "instruction");
      return;
    }
    const has = (i: Instruction): boolean => `${i.pc}: ${i.text} ${i.comment} ${i.origins.join(" ")}`.toLowerCase().includes(words);
    const n = all.filter(has).length;
    size.value = n === 0 ? "not found" : count(n, "line");
    for (let k = 0; k < all.length && n > 0; k++) {
      const pc = (current + step + (step < 0 ? -k : k) + 2 * all.length) % all.length;
      if (!has(all[pc]!)) continue;
      current = pc;
      show(pc, false);
      lines.querySelector(`[data-pc="${pc}"]`)?.classList.add("found");
      tell(all[pc]);
      return;
    }
  };

  const reveal = (): void => {
    if (!light || isOrigin(host, light)) return;
    const pc = telling(light.trail.pcs, all);
    if (pc !== undefined) show(pc);
  };
  page.onLight((l) => {
    light = l;
    keys = l ? keysOf(l.trail) : new Set();
    for (const line of lines.querySelectorAll<HTMLElement>(".line")) light1(line);
    reveal();
  });
  live(host, view, page, {
    op: "program",
    key: "program",
    on: (s) => [s.source, s.target],
    question: (s) => subject(s, "The filter that the kernel runs, instruction by instruction, with comments."),
    show: (answer) => {
      all = answer;
      current = Math.min(current, Math.max(0, all.length - 1));
      back.length = 0;
      size.value = count(all.length, "instruction");
      redraw();
      reveal();
    },
    clear: () => {
      size.value = "";
      foot.textContent = "";
    },
  });
};

/** The line that says most: the last test, because all paths have the first, and returns are shared. */
export function telling(pcs: readonly number[], all: readonly Instruction[]): number | undefined {
  const tests = pcs.filter((pc) => all[pc]?.targets && all[pc]!.targets!.length > 0);
  return tests[tests.length - 1] ?? pcs[pcs.length - 1];
}

/** The text of an instruction, where a jump's targets are links. */
function instruction(i: Instruction, goTo: (pc: number, by: number) => void): { text: HTMLElement; links: HTMLElement[] } {
  const words = i.text.replace(/\s+jt\s+\d+\s+jf\s+\d+$|(?<=^(?:ja|jmp))\s+\d+$/, "");
  const returned = /^ret\s+(.*)$/.exec(words);
  if (i.look && returned) return { text: h("code", {}, "ret "), links: [chip(i.look, returned[1]!)] };
  const names = i.targets?.length === 1 ? ["to"] : ["yes", "no"];
  const links = (i.targets ?? []).map((pc, k) => button(`${names[k]} ${pc}`, () => goTo(pc, i.pc), { class: `link jump ${names[k]}`, tabindex: -1, title: `Go to ${pc}` }));
  return { text: h("code", {}, words), links };
}
