// The meaning is asked for once and shared: by its pane, and by the call box for the rule of one call.

import type { Page } from "../page";
import type { ABIMeaning, Failure, Questions, Reply, Sentence } from "../protocol";

type Question = Questions["meaning"]["question"];
type Answer = Promise<Reply<ABIMeaning[]> | null>;

const newest = new WeakMap<Page, { question: Question; answer: Answer }>();

/** Asks for the meaning, unless it is the same question as before. */
export function askMeaning(page: Page, question: Question): Answer {
  const last = newest.get(page);
  if (last && last.question.source === question.source && last.question.target === question.target) return last.answer;
  const mine = { question, answer: page.ask("meaning", question, "meaning") };
  newest.set(page, mine);
  const forget = (): void => {
    if (newest.get(page) === mine) newest.delete(page);
  };
  mine.answer.then((reply) => reply === null && forget(), forget);
  return mine.answer;
}

/** Whether a failure is the source's own, which every question about it has. */
export async function isOfSource(page: Page, failure: Failure): Promise<boolean> {
  const { source, target } = page.state;
  const reply = await askMeaning(page, { source, target }).catch(() => null);
  return reply?.failure?.message === failure.message;
}

/** The sentence that a call is in. */
export function sentenceOf(meaning: readonly ABIMeaning[], abi: string, number: number): Sentence | undefined {
  return meaning.find((m) => m.abi === abi)?.sentences.find((s) => s.calls.some((c) => number >= c.number && number <= (c.last ?? c.number)));
}
