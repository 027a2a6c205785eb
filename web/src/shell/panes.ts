// The panes, in the order of their tabs.

import type { Mount } from "../page";
import { h } from "../dom";
import { callBox, compare, drawing, expectations, grade, meaning, program, tools } from "../panes";

export interface Pane {
  id: "call" | "meaning" | "compare" | "expectations" | "grade" | "drawing" | "program";
  title: string;
  mount: Mount;
}

const toolsAndGrade: Mount = (host, page) => {
  const parts = [tools, grade].map((mount) => {
    const part = h("section");
    host.append(part);
    return () => mount(part, page);
  });
  host.classList.add("stack");
  host.setAttribute("aria-label", "Tools and grade");
  for (const mount of parts) mount();
};

export const panes: Pane[] = [
  { id: "call", title: "Call", mount: callBox },
  { id: "meaning", title: "Meaning", mount: meaning },
  { id: "compare", title: "Difference", mount: compare },
  { id: "expectations", title: "Expectations", mount: expectations },
  { id: "grade", title: "Grade, shrink", mount: toolsAndGrade },
  { id: "drawing", title: "Drawing", mount: drawing },
  { id: "program", title: "Program", mount: program },
];
