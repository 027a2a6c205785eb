// Files that the reader opens or drops. They stay in the browser.

import { emptySource } from "../state";
import { base64, bytesOf } from "../fragment";
import type { Source } from "../protocol";

const mostBytes = 4 << 20; // the engine's own bound

/** The source that a file is: its text, or base64 if it is not text or a raw filter written as text. */
export async function sourceOf(file: File): Promise<Source> {
  if (file.size > mostBytes) throw new Error(`${file.name}: ${file.size} bytes: larger than a profile can be (4 MiB)`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    if (bytes.includes(0)) throw new TypeError("not a text");
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const raw = rawFilter(text);
    if (raw !== null) return { ...emptySource, text: raw, binary: true, name: file.name };
    return { ...emptySource, text: plainLines(text), name: file.name };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { ...emptySource, text: base64(bytes), binary: true, name: file.name };
  }
}

const instruction = 8; // bytes
const mostInstructions = 4096;

/** A raw filter in base64, of a text that is one in base64 or hexadecimal; null for any other text. */
export function rawFilter(text: string): string | null {
  if (text.length > 4 * instruction * mostInstructions) return null;
  const plain = text.replace(/\s/g, "");
  const bytes = /^(?:[0-9a-f]{2})+$/i.test(plain) ? Uint8Array.from(plain.match(/../g) ?? [], (x) => parseInt(x, 16)) : bytesOf(plain);
  if (!bytes || bytes.length === 0 || bytes.length % instruction !== 0) return null;
  // The kernel wants the last instruction to return; a word that happens to be base64 does not end so.
  const at = bytes.length - instruction;
  const code = [bytes[at], bytes[at + 1]].sort().join();
  return code === "0,22" || code === "0,6" ? base64(bytes) : null;
}

/** A text with the line ends of the editor, so that places in it are the same for the engine. */
export function plainLines(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

/** Asks the reader for a file. */
export function choose(chosen: (file: File) => void): void {
  const input = document.createElement("input");
  input.type = "file";
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) chosen(file);
  });
  input.click();
}

/** Takes files that are dropped on an element. */
export function dropZone(element: HTMLElement, dropped: (files: File[]) => void): void {
  const carries = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  element.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    element.classList.add("dropping");
  });
  element.addEventListener("dragleave", (event) => {
    if (!element.contains(event.relatedTarget as Node | null)) element.classList.remove("dropping");
  });
  // Capturing, or the editor would take the file for text.
  element.addEventListener(
    "drop",
    (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      event.stopPropagation();
      element.classList.remove("dropping");
      dropped([...(event.dataTransfer?.files ?? [])]);
    },
    { capture: true },
  );
}
