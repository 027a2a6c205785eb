// Stands in for the engine while the page alone is worked on: it knows one language and decides nothing.
// build.mjs --stub puts it into test/out/site; no page that is shipped has it.

import type { FromWorker, ToWorker } from "../src/worker";
import type { Finding, Question, Reading, Target, Vocabulary } from "../src/protocol";

const target: Target = { abis: [], mode: "", caps: [], kernel: "", enosys: "", badArch: "", consumer: "" };
const example = '{\n  "defaultAction": "SCMP_ACT_ERRNO",\n  "syscalls": [\n    { "names": ["read", "wriite"], "action": "SCMP_ACT_ALLOW" }\n  ]\n}\n';

const vocabulary: Vocabulary = {
  version: "stub",
  languages: [
    { name: "oci", title: "OCI runtime-spec", versions: [], settings: [] },
    { name: "systemd", title: "systemd unit", versions: [252, 257], settings: [{ key: "word", words: ["yes", "no"] }, { key: "free", words: [] }] },
  ],
  abis: ["x86_64", "x86", "x32", "aarch64"],
  modes: ["runc", "crun"],
  caps: ["CAP_SYS_ADMIN", "CAP_NET_RAW"],
  consumers: ["docker"],
  actions: ["allow", "errno:EPERM"],
  formats: [{ name: "json", title: "Profile" }],
  gallery: [
    { id: "small", title: "A small profile", about: "with a spelling mistake" },
    { id: "unit", title: "A unit", about: "of systemd" },
  ],
};

function read(text: string): Reading {
  const at = text.indexOf("wriite");
  const finding: Finding = { id: "unknown-call", severity: "warning", pointer: "/syscalls/0/names/1", reason: "no kernel has a call wriite", fix: "write", why: "A rule for it does nothing.", from: at, to: at + 6, edits: [{ from: at, to: at + 6, insert: "write" }] };
  const from = text.indexOf('{ "names"');
  return {
    kind: "profile", language: "oci", detected: true, findings: at < 0 ? [] : [finding], good: true, abis: ["x86_64"], instructions: 9, plain: 12, proof: "The stub proves nothing.",
    rules: from < 0 ? [] : [{ pointer: "/syscalls/0", from, to: text.indexOf("}", from) + 1 }],
  };
}

function answer(question: Question): unknown {
  switch (question.op) {
    case "vocabulary":
      return { answer: vocabulary };
    case "gallery":
      if (question.id === "unit") return { answer: { source: { text: "[Service]\n# what it may call\nSystemCallFilter=@system-service ~mount:EPERM\n", name: "a.service", language: "", settings: [] }, target } };
      return { answer: { source: { text: example, name: "small.json", language: "", settings: [] }, target } };
    case "calls":
      return { answer: [{ name: "read", args: [] }, { name: "socket", args: [{ name: "domain", constants: ["AF_ALG", "AF_UNIX"] }] }] };
    case "read":
      if (question.source.text.includes("!die")) throw new Error("stub: told to die");
      return { answer: read(question.source.text) };
    case "trail":
      return { answer: { calls: [], nodes: [], pcs: [], pointers: "pointer" in question.spot ? [question.spot.pointer] : [] } };
    default:
      return { failure: { message: `the stub does not answer ${question.op}` } };
  }
}

const post = self.postMessage as (message: FromWorker) => void;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  try {
    if ("start" in data) post({ ready: new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) });
    else post({ id: data.id, reply: JSON.stringify(answer(data.question as Question)) });
  } catch (error) {
    post({ died: String(error) });
  }
};
