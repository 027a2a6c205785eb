// What the reader chose, at the start and as it comes out of a link.

import type { CallText, Expectation, Source, Target } from "./protocol";
import type { State } from "./page";

export const emptySource: Source = { text: "", name: "", language: "", settings: [] };
export const emptyTarget: Target = { abis: [], mode: "", caps: [], kernel: "", enosys: "", badArch: "", consumer: "" };

export const initial: State = {
  source: emptySource,
  second: null,
  target: emptyTarget,
  call: { abi: "", text: "" },
  expectations: [],
  view: { stage: "diagram", only: "", tab: "" },
};

/** The parts of the state that are not as they are initially. */
export function difference(state: State): Partial<State> {
  const changed = Object.entries(state).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(initial[name as keyof State]));
  return Object.fromEntries(changed);
}

/** The state that a link holds. What is missing is as it is initially; what has another type is an error. */
export function adopt(value: unknown): State {
  const from = record(value);
  return {
    source: source(from.source),
    second: from.second === undefined || from.second === null ? null : source(from.second),
    target: target(from.target),
    call: call(from.call),
    expectations: list(from.expectations, expectation),
    view: view(from.view),
  };
}

function source(value: unknown): Source {
  const from = record(value);
  const binary = from.binary === undefined ? false : from.binary;
  if (typeof binary !== "boolean") throw new TypeError("binary");
  return {
    text: text(from.text),
    ...(binary && { binary }),
    name: text(from.name),
    language: text(from.language),
    settings: list(from.settings, text),
  };
}

function target(value: unknown): Target {
  const from = record(value);
  return {
    abis: list(from.abis, text),
    mode: text(from.mode),
    caps: list(from.caps, text),
    kernel: text(from.kernel),
    enosys: text(from.enosys),
    badArch: text(from.badArch),
    consumer: text(from.consumer),
  };
}

function call(value: unknown): CallText {
  const from = record(value);
  return { abi: text(from.abi), text: text(from.text) };
}

function expectation(value: unknown): Expectation {
  const from = record(value);
  return { abi: text(from.abi), call: text(from.call), expect: text(from.expect) };
}

function view(value: unknown): State["view"] {
  const from = record(value);
  return { stage: from.stage === "tree" ? "tree" : "diagram", only: text(from.only), tab: text(from.tab) };
}

const longest = 10_000; // entries of a list of a link, which the page shows all

function record(value: unknown): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("record");
  return value as Record<string, unknown>;
}

function text(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value !== "string") throw new TypeError("text");
  return value;
}

function list<T>(value: unknown, item: (value: unknown) => T): T[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > longest) throw new TypeError("list");
  return value.map(item);
}
