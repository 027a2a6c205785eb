// The looks of the editor. It lives in a shadow root, where the page's style sheet does not reach but its
// colours do, because CodeMirror's own styles are then adopted style sheets, which the CSP lets pass.

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const looks = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--bg)", fontSize: "13px" },
  "&.cm-focused": { outline: "2px solid var(--link)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--soft)", border: "none", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--panel) 60%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--line)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--link) 28%, transparent)",
  },
  ".cm-foldPlaceholder": { background: "var(--panel)", color: "var(--soft)", borderColor: "var(--line)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--log-bg)" },
  ".cm-panels": { backgroundColor: "var(--panel)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panel input, .cm-panel button, .cm-panel label": { font: "13px system-ui, sans-serif" },
  ".cm-textfield": { backgroundColor: "var(--bg)", color: "var(--ink)", border: "1px solid var(--soft)" },
  ".cm-button": { background: "var(--panel)", color: "var(--ink)", border: "1px solid var(--soft)", borderRadius: "4px" },
  ".cm-searchMatch": { backgroundColor: "var(--errno-bg)", outline: "1px solid var(--errno-bar)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--errno-bar)" },
  ".cm-selectionMatch": { backgroundColor: "var(--errno-bg)" },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--soft)", borderRadius: "6px", maxWidth: "34rem" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--link)", color: "var(--bg)" },
  ".cm-completionDetail": { color: "inherit", fontStyle: "normal", opacity: ".75" },
  ".cm-diagnostic": { fontFamily: "system-ui, sans-serif", padding: ".4rem .6rem", whiteSpace: "normal", borderLeftWidth: "4px" },
  ".cm-diagnostic p": { margin: "0 0 .3rem" },
  ".cm-diagnostic .why": { color: "var(--soft)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--kill-bar)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--errno-bar)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--log-bar)" },
  ".cm-diagnosticAction": { font: "inherit", backgroundColor: "var(--link)", color: "var(--bg)", borderRadius: "4px", padding: ".15rem .5rem", margin: ".3rem .4rem 0 0" },
  ".cm-lintRange": { backgroundImage: "none", textDecorationLine: "underline", textDecorationThickness: "2px", textUnderlineOffset: "3px" },
  ".cm-lintRange-error": { textDecorationStyle: "wavy", textDecorationColor: "var(--kill-bar)" },
  ".cm-lintRange-warning": { textDecorationStyle: "wavy", textDecorationColor: "var(--errno-bar)" },
  ".cm-lintRange-info": { textDecorationStyle: "dotted", textDecorationColor: "var(--log-bar)" },
  ".cm-lit": { backgroundColor: "color-mix(in srgb, var(--ask-bar) 22%, transparent)", boxShadow: "inset 3px 0 var(--ask-bar)" },
});

export const highlighting = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--link)" },
    { tag: tags.function(tags.variableName), color: "var(--allow)", fontWeight: "600" },
    { tag: tags.string, color: "var(--allow)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--errno)" },
    { tag: tags.constant(tags.variableName), color: "var(--args)" },
    { tag: tags.keyword, color: "var(--ask)", fontWeight: "600" },
    { tag: [tags.labelName, tags.typeName], color: "var(--log)" },
    { tag: tags.heading, color: "var(--ink)", fontWeight: "700" },
    { tag: tags.invalid, color: "var(--kill)" },
  ]),
);
