// The findings below an editor: what the marks in its margin say, as a list for the keyboard and the ear.

import type { Finding } from "../protocol";
import { h } from "../dom";
import { fixLabel } from "../editor/findings";

const most = 100; // in the list; the margin has all

export interface Deeds {
  go(finding: Finding): void;
  fix(finding: Finding): void;
}

/** "2 errors, 1 warning". */
export function count(findings: Finding[]): string {
  const parts = (["error", "warning", "note"] as const).map((severity) => {
    const n = findings.filter((f) => f.severity === severity).length;
    return n === 0 ? "" : `${n} ${severity}${n === 1 ? "" : "s"}`;
  });
  return parts.filter((p) => p !== "").join(", ");
}

/** Fills the element with findings, the worst first. */
export function listFindings(host: HTMLElement, findings: Finding[], deeds: Deeds): void {
  host.hidden = findings.length === 0;
  if (host.hidden) return host.replaceChildren();
  const rank = { error: 0, warning: 1, note: 2 };
  const sorted = findings.toSorted((a, b) => rank[a.severity] - rank[b.severity] || a.from - b.from);
  const open = host.querySelector("details")?.open ?? true;
  const more = findings.length - most;
  host.replaceChildren(
    h(
      "details",
      { open },
      h("summary", {}, count(findings)),
      h("ul", { role: "list" }, ...sorted.slice(0, most).map((f) => item(f, deeds)), more > 0 && h("li", {}, `and ${more} more: see the margin`)),
    ),
  );
}

function item(finding: Finding, deeds: Deeds): HTMLElement {
  return h(
    "li",
    {},
    h("span", { class: `tag ${finding.severity}` }, finding.severity),
    h("div", {}, 
      h("button", { type: "button", class: "plain", title: "Show it in the text", click: () => deeds.go(finding) }, finding.reason),
      !finding.edits && finding.fix !== "" && h("p", {}, finding.fix),
      finding.why !== "" && h("details", { class: "why" }, h("summary", {}, "Why"), h("p", {}, finding.why)),
      finding.edits && h("button", { type: "button", class: "fix", click: () => deeds.fix(finding) }, fixLabel(finding)),
    ),
  );
}
