// The state as the fragment of a URL, which browsers do not send to servers: a version, a dot, and the
// JSON of what differs from the initial state, deflated, in base64url.

import { adopt, difference } from "./state";
import type { State } from "./page";

const version = "1";
const mostBytes = 16 << 20; // of the JSON, so that a small link cannot fill the memory

/** What a fragment says. */
export type Link = { kind: "none" } | { kind: "state"; state: State } | { kind: "example"; id: string } | { kind: "broken"; why: string };

export async function encode(state: State): Promise<string> {
  const packed = await new Response(streamOf(JSON.stringify(difference(state))).pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer();
  return `${version}.${await base64url(packed)}`;
}

/** Reads location.hash. It never rejects. */
export async function decode(hash: string): Promise<Link> {
  const text = hash.replace(/^#/, "");
  if (text === "") return { kind: "none" };
  const example = /^example=([\w.@-]+)$/.exec(text);
  if (example?.[1]) return { kind: "example", id: example[1] };
  const [, ofVersion, data] = /^(\d+)\.(.*)$/s.exec(text) ?? [];
  if (ofVersion === undefined || data === undefined) return { kind: "broken", why: "it was not made by this page" };
  if (ofVersion !== version) return { kind: "broken", why: `it is of version ${ofVersion}, and this page reads version ${version}: open it with a newer page` };
  try {
    const bytes = bytesOf(data);
    if (!bytes) return { kind: "broken", why: "it was cut, or has characters that no link has" };
    return { kind: "state", state: adopt(JSON.parse(await inflate(bytes))) };
  } catch (error) {
    if (error instanceof TooLong) return { kind: "broken", why: "what it holds is too long" };
    return { kind: "broken", why: "a part of it is missing or was changed" };
  }
}

/** A stream of what a page has. A blob has one too, which WebKit cannot read in a page from file://. */
function streamOf(content: string | Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Response(content).body as ReadableStream<Uint8Array<ArrayBuffer>>;
}

class TooLong extends Error {}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const reader = streamOf(bytes).pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const text = new TextDecoder("utf-8", { fatal: true });
  let json = "";
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return json + text.decode();
    length += value.length;
    if (length > mostBytes) {
      await reader.cancel();
      throw new TooLong();
    }
    json += text.decode(value, { stream: true });
  }
}

/** Bytes in base64, in pieces, as the argument list of a call is bounded. */
export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

async function base64url(buffer: ArrayBuffer): Promise<string> {
  return base64(new Uint8Array(buffer)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of base64 or base64url text, or null if it is something else. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/").replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) return null;
  try {
    return Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
  } catch {
    return null;
  }
}
