// Colours of the policy languages: JSON and YAML have parsers of their own, all others are read by lines,
// for which it is enough to know comments, names of calls, constants, numbers and verdicts.

import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { StreamLanguage } from "@codemirror/language";
import type { StreamParser, StringStream } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { tags } from "@lezer/highlight";

export type Syntax = "json" | "yaml" | "lines" | "assembly";

const yamlLanguages = new Set(["spo", "kubernetes", "beats"]);

/** How a text is coloured: by its first characters, as a broken text has no language yet. */
export function syntaxOf(text: string, language: string): Syntax {
  const start = text.slice(0, 4096);
  if (/^\s*(\{|\[(?!\w+\]))/.test(start)) return "json"; // "[Service]" is the heading of a unit
  if (yamlLanguages.has(language.replace(/@.*/, "")) || /^(apiVersion|kind|seccomp|syscalls):/m.test(start)) return "yaml";
  return language === "assembly" || /^\s*(\w+:\s*)?(ld|ldx|jeq|ret)\s/m.test(start) ? "assembly" : "lines";
}

const verdict = /^(allow|deny|kill|kill-process|kill-thread|killprocess|trap|trace|log|errno|return|notify|user_notif|use|default|policy|denylist|whitelist|blacklist|allowlist)$/i;
const mnemonic = /^(ld|ldi|ldx|ldxi|st|stx|jmp|ja|jeq|jneq|jne|jlt|jle|jgt|jge|jset|add|sub|mul|div|mod|neg|and|or|xor|lsh|rsh|tax|txa|ret)$/;

interface Lines {
  block: boolean; // within /* */
}

/** The parser of line-based languages. isCall tells the names of calls, which are known only later. */
function lines(isCall: (word: string) => boolean, assembly: boolean): StreamParser<Lines> {
  const comment = (stream: StringStream): boolean => {
    if (assembly) return Boolean(stream.match(";"));
    return Boolean(stream.match(/^(#|\/\/)/) || (stream.sol() && stream.match(/^\s*;/)));
  };
  const word = (text: string, stream: StringStream): string | null => {
    if (assembly && mnemonic.test(text)) return "keyword";
    if (isCall(text)) return "callName";
    if (/^[A-Z][A-Z0-9_]*$/.test(text) && text.includes("_")) return "constantName";
    if (verdict.test(text)) return "keyword";
    if (/^E[A-Z0-9]{2,}$/.test(text)) return "constantName";
    return stream.match(/^\s*[:=](?!=)/, false) ? "propertyName" : null;
  };
  return {
    name: "policy",
    startState: () => ({ block: false }),
    languageData: { commentTokens: { line: assembly ? ";" : "#" } },
    tokenTable: { callName: tags.function(tags.variableName), constantName: tags.constant(tags.variableName) },
    token(stream, state) {
      if (state.block || stream.match("/*")) {
        state.block = !stream.match(/^.*?\*\//);
        if (state.block) stream.skipToEnd();
        return "comment";
      }
      if (comment(stream)) {
        stream.skipToEnd();
        return "comment";
      }
      if (stream.eatSpace()) return null;
      if (stream.sol() && stream.match(/^\[[^\]]*\]/)) return "heading";
      if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'[^']*'?/)) return "string";
      if (stream.match(/^#?(0x[0-9a-f]+|\d+)\b/i)) return "number";
      if (stream.match(/^@[\w-]+/)) return "labelName";
      const name = stream.match(/^[A-Za-z_][\w-]*/) as RegExpMatchArray | null;
      if (name) return word(name[0], stream);
      if (stream.match(/^[=!<>&|~^+]+/)) return "operator";
      stream.next();
      return null;
    },
  };
}

/** The extension that colours a syntax. */
export function colours(syntax: Syntax, isCall: (word: string) => boolean): Extension {
  if (syntax === "json") return json();
  if (syntax === "yaml") return yaml();
  return StreamLanguage.define(lines(isCall, syntax === "assembly"));
}
