// Findings of the engine as marks of the editor, with their fixes.

import type { Action, Diagnostic } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import type { Finding } from "../protocol";
import { h } from "../dom";

const severities = { error: "error", warning: "warning", note: "info" } as const;

/** Applies a fix, unless the text is not the one that it was found in any more. */
export function fix(view: EditorView, text: Text, finding: Finding): boolean {
  if (!finding.edits || !view.state.doc.eq(text)) return false;
  view.dispatch({ changes: [...finding.edits], userEvent: "input.fix", scrollIntoView: true });
  return true;
}

/** What a fix's button says. */
export function fixLabel(finding: Finding): string {
  return finding.fix === "" ? "Fix it" : `Fix: ${finding.fix}`;
}

/** The marks of findings in a text. */
export function diagnostics(text: Text, findings: Finding[]): Diagnostic[] {
  const within = (at: number): number => Math.min(Math.max(at, 0), text.length);
  return findings
    .map((finding): Diagnostic => {
      const action: Action = { name: fixLabel(finding), apply: (view) => void fix(view, text, finding) };
      return {
        from: within(finding.from),
        to: within(Math.max(finding.from, finding.to)),
        severity: severities[finding.severity],
        source: finding.id,
        message: finding.reason,
        renderMessage: () => explanation(finding),
        ...(finding.edits && { actions: [action] }),
      };
    })
    .sort((a, b) => a.from - b.from || a.to - b.to);
}

/** A finding in words: the reason, the cure if no button has it, and why it matters. */
export function explanation(finding: Finding): HTMLElement {
  return h(
    "div",
    {},
    h("p", {}, finding.reason),
    !finding.edits && finding.fix !== "" && h("p", {}, finding.fix),
    finding.why !== "" && h("p", { class: "why" }, finding.why),
  );
}
