// Arrows beside the program, from the line that is pointed at to where it jumps.

import type { Instruction } from "../protocol";

const space = "http://www.w3.org/2000/svg";
const width = 22;

export interface Jumps {
  svg: SVGSVGElement;
  show(i: Instruction): void;
}

/** An empty drawing on the left of lines of a height. */
export function jumps(lineHeight: number): Jumps {
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "jumps");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("width", String(width));
  const middle = (pc: number): number => (pc + 0.5) * lineHeight;
  return {
    svg,
    show(i) {
      const targets = i.targets ?? [];
      svg.setAttribute("height", String(Math.max(0, ...targets.map((t) => middle(t) + lineHeight), middle(i.pc))));
      svg.replaceChildren(...targets.map((target, k) => {
        const path = document.createElementNS(space, "path");
        const [y, to, x] = [middle(i.pc), middle(target), k === 0 ? 3 : 9];
        path.setAttribute("class", targets.length === 1 || k === 0 ? "yes" : "no");
        path.setAttribute("d", `M${width} ${y}H${x + 4}Q${x} ${y} ${x} ${y + Math.sign(to - y) * 4}V${to - Math.sign(to - y) * 4}Q${x} ${to} ${x + 4} ${to}H${width - 1}m-5 -4l5 4l-5 4`);
        return path;
      }));
    },
  };
}
