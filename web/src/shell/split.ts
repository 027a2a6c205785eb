// The edges between the columns, which the reader moves with the pointer or the arrow keys.

import { h } from "../dom";

const least = 15; // percent of the width, of each column
const step = 2;

interface Edge {
  name: string;
  handle: HTMLElement;
  at: number; // percent of the width, from the left
  start: number;
}

/** Lets the columns of main be resized. The style sheet has their widths from --source and --answers. */
export function splitColumns(main: HTMLElement): void {
  const edge = (name: string, label: string, at: number): Edge => {
    const handle = h("div", { class: `edge edge-${name}`, role: "separator", tabindex: 0, "aria-orientation": "vertical", "aria-label": label, title: "Drag, or use the arrow keys; Home sets it back" });
    main.append(handle);
    return { name, handle, at, start: at };
  };
  const edges = [edge("source", "Width of the profile", 30), edge("answers", "Width of the answers", 63)];
  const [left, right] = edges as [Edge, Edge];
  const move = (e: Edge, to: number): void => {
    const others = e === left ? [0, getComputedStyle(right.handle).display === "none" ? 100 : right.at] : [left.at, 100];
    e.at = Math.min(Math.max(to, (others[0] ?? 0) + least), (others[1] ?? 100) - least);
    main.style.setProperty("--source", `${left.at}%`);
    main.style.setProperty("--answers", `${right.at - left.at}%`);
    for (const { handle, at } of edges) {
      handle.style.left = `${at}%`;
      handle.setAttribute("aria-valuenow", String(Math.round(at)));
    }
  };
  for (const e of edges) {
    move(e, e.at);
    e.handle.addEventListener("pointerdown", (event) => {
      e.handle.setPointerCapture(event.pointerId);
      event.preventDefault(); // or the texts under way are selected
    });
    e.handle.addEventListener("pointermove", (event) => {
      if (!e.handle.hasPointerCapture(event.pointerId)) return;
      const { left: from, width } = main.getBoundingClientRect();
      move(e, (100 * (event.clientX - from)) / width);
    });
    e.handle.addEventListener("dblclick", () => move(e, e.start));
    e.handle.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: e.at - step, ArrowRight: e.at + step, Home: e.start }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      move(e, to);
    });
  }
}
