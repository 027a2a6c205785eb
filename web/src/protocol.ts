// The questions that the page asks its engine and the answers that it gets. The engine is
// internal/playground, compiled for wasm: protocol.go there has the same types, and a test compares
// the names of their fields. Every question carries all that its answer depends on, so answers may
// come in any order, and an old one is dropped.
//
// Positions in texts count UTF-16 units from 0, as the editor does. Numbers of 64 bits are
// hexadecimal strings. What the command has a JSON document for is that document, unchanged.

/** A profile, policy or filter as it was pasted or opened. */
export interface Source {
  /** The text, or the bytes of a filter in base64 if binary is set. */
  text: string;
  binary?: boolean;
  /** The file's name: some languages are known by it. "" if it has none. */
  name: string;
  /** As --language has it, "minijail-c" or "systemd@257"; "" to detect it. */
  language: string;
  /** As --set has them: "default-action=trap". */
  settings: string[];
}

/** Where the filter will run, and how the profile is read. Empty means the command's default. */
export interface Target {
  /** "x86_64", "x86" ...; none: those that the profile names, or x86_64. */
  abis: string[];
  /** --compat: runc, crun, youki, youki@0.6 or strict. */
  mode: string;
  /** --cap: names of capabilities, default, all or none. */
  caps: string[];
  /** --kernel: "6.6". */
  kernel: string;
  /** --enosys: profile, kernel:6.6 or off. */
  enosys: string;
  /** --bad-arch: an action. */
  badArch: string;
  /** check --for: docker, podman, kubernetes ... */
  consumer: string;
}

/** A question. The engine answers an unknown op with a failure. */
export type Question = { [Op in keyof Questions]: { op: Op } & Questions[Op]["question"] }[keyof Questions];

/** Why there is no answer: the command's own message, with its cure. */
export interface Failure {
  message: string;
  hint?: string;
  /** Those that the source may be in, if the reader has to say which. */
  languages?: string[];
}

/** What comes back over the wire: one of the two. */
export type Reply<A> = { answer: A; failure?: undefined } | { answer?: undefined; failure: Failure };

/** A part of the text of a source. */
export interface Span {
  from: number;
  to: number;
}

/** One replacement of a fix. Those of a fix do not overlap. */
export interface Edit extends Span {
  insert: string;
}

/** A finding of check, or an error or warning of the reader, at its place. */
export interface Finding extends Span {
  id: string; // of check --explain, "" for errors and warnings of reading
  severity: "error" | "warning" | "note";
  pointer: string;
  reason: string;
  fix: string; // in words
  why: string; // the catalog's explanation, "" if it has none
  edits?: Edit[]; // the fix by one click, if there is one
}

/** A rule, and where the text has it. */
export interface Rule extends Span {
  pointer: string;
}

/** What the source is. All else depends on it: while it is broken, the other questions fail. */
export interface Reading {
  kind: "profile" | "filter" | "assembly" | "artifact" | "snap" | "empty";
  /** The language that was named or detected: "oci", "docker", "systemd" ... */
  language: string;
  detected: boolean;
  findings: Finding[];
  /** Whether there is a meaning: false if the source is refused. */
  good: boolean;
  abis: string[]; // of the filter
  rules: Rule[];
  instructions: number;
  /** Instructions of the plain list of comparisons that other compilers write, 0 if it does not fit. */
  plain: number;
  /** The proof in one sentence. */
  proof: string;
}

/** A system call by number. An abi of "" is every ABI that the profile does not know. */
export interface CallRef {
  abi: string;
  number: number;
}

/** What happens to some calls, in words. */
export interface Sentence {
  calls: { name: string; number: number; last?: number }[]; // last: a run of numbers without a name
  /** "ALLOW if domain is none of AF_ALG, AF_VSOCK; else ERRNO(1) EPERM". */
  text: string;
  /** The look of the only or most permissive verdict. */
  look: Look;
  conditional: boolean;
}

/** A group of verdicts with one colour. */
export type Look = "allow" | "log" | "ask" | "errno" | "kill";

export interface ABIMeaning {
  abi: string; // "" for all other ABIs
  title: string;
  sentences: Sentence[]; // the most permissive first, those with conditions last
}

/** Instructions are those of compile -f json. */
export interface Instruction {
  pc: number;
  text: string;
  comment: string;
  origins: string[]; // JSON pointers of rules
  look?: Look; // of a return
  targets?: number[]; // of a jump: yes, no
}

/** What belongs together: the marks that one thing under the pointer lights up. */
export interface Trail {
  calls: CallRef[];
  nodes: number[]; // of the drawing, data-node
  pcs: number[];
  pointers: string[]; // of rules
}

/** The thing under the pointer. */
export type Spot = { call: CallRef } | { node: number } | { pc: number } | { pointer: string };

/** One call with its arguments, as it was typed: "socket(AF_ALG, SOCK_SEQPACKET, 0)". */
export interface CallText {
  abi: string; // "": the first of the filter
  text: string;
}

/** The document of eval --trace --json, and what only the page shows. */
export interface Verdict {
  document: EvalDocument;
  look: Look;
  call: string; // as it was typed, without what strace prints around it: an expectation's
  text: string; // "x86_64 socket(domain=AF_ALG, ...)": what was understood
  because: string; // "by the rule at /syscalls/12"
  /** Whether Linux 5.11 and later answer it from the bitmap, without running the filter, and why. */
  bitmap: boolean;
  bitmapWhy: string;
  path: Trail; // what this call passes, not every call of its number
  steps: number; // executed instructions
}

export interface EvalDocument {
  version: number;
  abi: string;
  syscall?: string;
  number: number;
  args: string[];
  unknown?: string[]; // names of the arguments whose value is not known: args has 0
  verdict: string;
  action: string;
  data: number;
  errno?: string;
  depends?: string[]; // those of them that may change the verdict
  reason?: string;
  pointer?: string;
  trace?: { pc: number; instruction: string; a: number; x: number; meaning?: string }[];
}

export interface Decision {
  verdict: string;
  action: string;
  data: number;
  errno?: string;
  reason?: string;
  pointer?: string;
}

export interface Condition {
  arg: number;
  name?: string;
  text: string;
  width: number;
  not?: boolean;
}

/** The document of diff --json, of which the page reads these. */
export interface DiffDocument {
  version: number;
  same: boolean;
  a: string;
  b: string;
  changes: {
    abis: { abi?: string; arch: string[]; numbers: { first: number; last: number }[]; when?: Condition[][]; more?: boolean }[];
    calls?: string[];
    change: "weaker" | "stricter" | "other";
    a: Decision;
    b: Decision;
    witness: { abi?: string; arch: string; syscall?: string; number: number; args: string[]; a: Decision; b: Decision };
  }[];
}

export interface Comparison {
  document: DiffDocument;
  /** The report's first words: "B allows 23 calls that A denies: mount, setns, ... first". */
  headline: string;
  weaker: boolean;
  /** For each change of the document, in words: the conditions and the witness as C has it. */
  words: { when: string; witness: string; lookA: Look; lookB: Look }[];
}

/** A line of a test file: what a call is expected to get. */
export interface Expectation {
  abi: string;
  call: string;
  expect: string; // an action as --expect takes it: allow, errno:EPERM ...
}

export interface Outcome {
  pass: boolean;
  got: string; // "ERRNO(1) EPERM"
  look?: Look;
  failure?: Failure; // the line cannot be understood
}

export interface Grade {
  letter: string;
  points: number;
  rows: { name: string; text: string; points: number; of: number }[];
  badge: string; // an SVG image
}

/** A file to save. */
export interface Download {
  name: string;
  type: string; // MIME
  text: string; // or bytes in base64
  binary?: boolean;
}

/** A smaller way to say the same, proved to mean the same. */
export interface Shrunk {
  source: Source;
  before: number; // instructions of a filter, bytes of a profile's text
  after: number;
  unit: "instructions" | "bytes";
  note: string;
}

/** Everything there is to choose from. */
export interface Vocabulary {
  version: string;
  languages: { name: string; title: string; versions: number[]; settings: { key: string; words: string[] }[] }[];
  abis: string[];
  modes: string[];
  caps: string[];
  consumers: string[];
  actions: string[];
  formats: { name: string; title: string }[];
  gallery: { id: string; title: string; about: string }[];
}

/** A call's name with its arguments, to complete what is typed. */
export interface CallWords {
  name: string;
  args: { name: string; constants: string[] }[];
}

/** An example: one source, or two to compare. */
export interface Example {
  source: Source;
  second?: Source;
  target: Target;
  call?: CallText;
  expectations?: Expectation[];
}

type Subject = { source: Source; target: Target };

/** All questions with their answers. */
export interface Questions {
  vocabulary: { question: object; answer: Vocabulary };
  gallery: { question: { id: string }; answer: Example };
  calls: { question: { abi: string }; answer: CallWords[] };
  read: { question: Subject; answer: Reading };
  meaning: { question: Subject; answer: ABIMeaning[] };
  /** stage: what the profile decides, or the tests of the filter. call "" draws everything. An SVG element. */
  draw: { question: Subject & { stage: "diagram" | "tree"; call: string }; answer: { svg: string; boxes: number } };
  program: { question: Subject; answer: Instruction[] };
  trail: { question: Subject & { stage: "diagram" | "tree"; call: string; spot: Spot }; answer: Trail };
  eval: { question: Subject & { call: CallText; stage: "diagram" | "tree"; drawn: string }; answer: Verdict };
  expect: { question: Subject & { expectations: Expectation[] }; answer: Outcome[] };
  /** The expectations as a file for seccompile eval --expect, and back. */
  "write-expectations": { question: { expectations: Expectation[] }; answer: Download };
  "read-expectations": { question: { text: string }; answer: Expectation[] };
  compare: { question: Subject & { second: Source }; answer: Comparison };
  /** exact: it is what was asked for; else note names the calls that differ. */
  combine: { question: Subject & { second: Source; how: "intersect" | "union" }; answer: Download & { exact: boolean; note: string } };
  grade: { question: Subject; answer: Grade };
  shrink: { question: Subject; answer: Shrunk };
  download: { question: Subject & { format: string }; answer: Download };
  /** The page of report, of one source or the comparison of two. */
  report: { question: Subject & { second?: Source }; answer: Download };
}
