// Completion: names of calls anywhere a word may be one, and the constants of a call's arguments behind
// its name in the same line.

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { CallWords } from "../protocol";

const actions = ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"];
const operators = ["SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"];

/** The words of the calls, as far as the engine has told them. */
export class Words {
  #calls = new Map<string, CallWords>();
  #names: Completion[] = [];

  learn(calls: CallWords[]): void {
    for (const call of calls) this.#calls.set(call.name, call);
    this.#names = [...this.#calls.values()].map((c) => ({ label: c.name, type: "function", detail: `(${c.args.map((a) => a.name).join(", ")})` }));
  }

  has = (word: string): boolean => this.#calls.has(word);

  complete = (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/\w+/);
    if (!word && !context.explicit) return null;
    const from = word?.from ?? context.pos;
    if (word && /^\d/.test(word.text)) return null;
    if (word && /^SCMP_/.test(word.text)) return { from, options: [...actions, ...operators].map((label) => ({ label, type: "constant" })) };
    const line = context.state.doc.lineAt(from);
    const before = context.state.sliceDoc(Math.max(line.from, from - 400), from);
    return { from, options: [...this.#constants(before), ...this.#names], validFor: /^\w*$/ };
  };

  #constants(before: string): Completion[] {
    const names = before.match(/\w+/g) ?? [];
    const call = names.findLast((n) => this.#calls.has(n));
    const args = call ? (this.#calls.get(call)?.args ?? []) : [];
    return args.flatMap((a) => a.constants.map((label) => ({ label, type: "constant", detail: a.name, boost: 1 })));
  }
}
