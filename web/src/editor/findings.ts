// Findings of the engine as marks of the editor, with their fixes.

import type { Action, Diagnostic } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import type { Finding, Span } from "../protocol";
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

/** The place of a finding, cut to its first line: one about a whole rule would underline all of it. */
export function place(text: Text, finding: Span): Span {
  const from = Math.min(Math.max(finding.from, 0), text.length);
  return { from, to: Math.max(from, Math.min(finding.to, text.lineAt(from).to)) };
}

/** The marks of findings in a text. */
export function diagnostics(text: Text, findings: Finding[]): Diagnostic[] {
  return findings
    .map((finding): Diagnostic => {
      const action: Action = { name: fixLabel(finding), apply: (view) => void fix(view, text, finding) };
      return {
        ...place(text, finding),
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
