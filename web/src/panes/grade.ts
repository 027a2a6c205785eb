// The grade: how much of the kernel a profile leaves open, as a letter with its reasons, and as a badge.

import type { Mount, Page } from "../page";
import type { Grade } from "../protocol";
import { button, frame, h } from "./dom";
import { live, subject } from "./live";

const badgeName = "seccomp-badge.svg";

export const grade: Mount = (host, page) => {
  const { body } = frame(host, "grade", "Grade");
  const out = h("div", { class: "grade" });
  body.append(out);
  live(host, out, page, {
    op: "grade",
    key: "grade",
    pause: 500,
    on: (s) => [s.source, s.target],
    question: (s) => subject(s, "How much of the kernel the profile leaves open, as a letter from A to F, with its reasons."),
    show: (g) => out.replaceChildren(...gradeOf(page, g)),
  });
};

/** The badge as Markdown, for a README beside the saved file. */
export function markdown(g: Pick<Grade, "letter" | "points">): string {
  return `![seccomp grade ${g.letter}: ${g.points} of 100 points](${badgeName})`;
}

function gradeOf(page: Page, g: Grade): HTMLElement[] {
  const text = h("input", { type: "text", readonly: true, class: "markdown", "aria-label": "The badge as Markdown", value: markdown(g), focus: () => text.select() });
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text.value);
      page.say("The Markdown is in the clipboard.");
    } catch {
      text.focus(); // without the permission it is selected, to be copied by hand
      page.say("Copy the selected text.");
    }
  };
  const worstFirst = [...g.rows].sort((a, b) => b.of - b.points - (a.of - a.points));
  const rows = worstFirst.map((r) => h("tr", { class: r.points < r.of ? "loses" : "" },
    h("th", { scope: "row" }, r.name), h("td", { class: "wide" }, r.text),
    h("td", { class: "n" }, h("meter", { min: 0, max: r.of, value: r.points, "aria-label": `${r.points} of ${r.of}` }), ` ${r.points}/${r.of}`)));
  return [
    h("p", { class: "big" }, h("span", { class: `letter letter-${g.letter.charAt(0)}` }, g.letter), ` ${g.points} of 100 points`),
    h("table", {}, h("caption", { class: "sr" }, "What the points are for"),
      h("thead", {}, h("tr", {}, ...["About", "Found", "Points"].map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, ...rows)),
    h("div", { class: "badge" },
      h("img", { src: `data:image/svg+xml,${encodeURIComponent(g.badge)}`, alt: `Badge: seccomp grade ${g.letter}, ${g.points} points`, height: 20 }),
      button("Save the badge", () => page.save(badgeName, "image/svg+xml", g.badge)), text, button("Copy", () => void copy())),
  ];
}
