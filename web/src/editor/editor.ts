// One text in an editor: its colours, findings, and the rules that are lit.

import { autocompletion } from "@codemirror/autocomplete";
import { indentUnit } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, StateEffect, StateField, Transaction } from "@codemirror/state";
import type { Extension, Text } from "@codemirror/state";
import { Decoration, EditorView } from "@codemirror/view";
import type { DecorationSet, ViewUpdate } from "@codemirror/view";
import { basicSetup } from "codemirror";
import type { Finding, Span } from "../protocol";
import type { Words } from "./complete";
import { diagnostics, fix, place } from "./findings";
import { colours, syntaxOf } from "./languages";
import type { Syntax } from "./languages";
import { highlighting, looks } from "./theme";

export interface Options {
  label: string;
  words: Words;
  /** The reader changed the text, or replaced all of it. */
  changed(replaced: boolean): void;
  /** The pointer or the cursor rests on a place of the text, or on none. */
  at(place: number | null): void;
}

const longLine = 500; // characters

const light = StateEffect.define<Span[]>();
const lit = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(light)) continue;
      const length = transaction.state.doc.length;
      const good = effect.value.filter((s) => s.from < s.to && s.to <= length);
      return Decoration.set(good.map((s) => Decoration.mark({ class: "cm-lit" }).range(s.from, s.to)), true);
    }
    return marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

export class Editor {
  readonly view: EditorView;
  #options: Options;
  #syntax = new Compartment();
  #wrap = new Compartment();
  #syntaxName: Syntax | null = null;
  #read: Text; // the text that the findings are of

  constructor(host: HTMLElement, options: Options) {
    this.#options = options;
    const root = host.attachShadow({ mode: "open" });
    const state = EditorState.create({ doc: "", extensions: this.#extensions() });
    this.view = new EditorView({ state, parent: root, root });
    this.#read = this.view.state.doc;
  }

  #extensions(): Extension {
    const { label, words, at, changed } = this.#options;
    return [
      basicSetup,
      lintGutter(),
      autocompletion({ override: [words.complete], activateOnTypingDelay: 50 }),
      indentUnit.of("  "),
      this.#syntax.of([]),
      this.#wrap.of([]),
      lit,
      looks,
      highlighting,
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocorrect: "off", autocapitalize: "off" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && !update.transactions.some((t) => t.annotation(Transaction.remote))) changed(replacesAll(update));
        else if (update.selectionSet && update.view.hasFocus) at(update.state.selection.main.head);
      }),
      EditorView.domEventHandlers({
        mousemove: (event, view) => at(view.posAtCoords({ x: event.clientX, y: event.clientY })),
        mouseleave: () => at(null),
        blur: () => at(null),
        beforeinput: replaceSelection,
      }),
    ];
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Replaces the text. Undo brings the old one back. */
  set(text: string): void {
    if (text === this.text) return;
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length, insert: text },
      annotations: Transaction.remote.of(true),
      selection: { anchor: 0 },
    });
    this.fit();
    this.view.scrollDOM.scrollTop = 0;
  }

  /** Wraps lines if one is too long to be read by scrolling, as in JSON without line ends. */
  fit(): void {
    const wrap = longestLine(this.text) > longLine;
    if (wrap !== this.view.lineWrapping) this.view.dispatch({ effects: this.#wrap.reconfigure(wrap ? EditorView.lineWrapping : []) });
  }

  /** Colours the text as one of a language, "" if it is not known. */
  colour(language: string): void {
    const syntax = syntaxOf(this.view.state.sliceDoc(0, 4096), language);
    if (syntax === this.#syntaxName) return;
    this.#syntaxName = syntax;
    this.recolour();
  }

  /** Colours the text again, with the words that are known by now. */
  recolour(): void {
    if (!this.#syntaxName) return;
    const extension = colours(this.#syntaxName, this.#options.words.has);
    this.view.dispatch({ effects: this.#syntax.reconfigure(extension) });
  }

  /** Shows the findings of the present text. */
  find(findings: Finding[]): void {
    this.#read = this.view.state.doc;
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics(this.#read, findings)));
  }

  /** Applies the fix of a finding. False: the text has changed since. */
  fix(finding: Finding): boolean {
    const done = fix(this.view, this.#read, finding);
    if (done) this.view.focus();
    return done;
  }

  /** Lights up parts of the text, and shows the first if none of it is in view and the reader is elsewhere. */
  light(spans: Span[]): void {
    const effects: StateEffect<unknown>[] = [light.of(spans)];
    const first = spans[0];
    if (first && !this.view.hasFocus && !this.#visible(first) && first.from <= this.view.state.doc.length) {
      effects.push(EditorView.scrollIntoView(this.view.state.doc.lineAt(first.from).from, { y: "center" }));
    }
    this.view.dispatch({ effects });
  }

  #visible(span: Span): boolean {
    const { scrollTop, clientHeight } = this.view.scrollDOM;
    if (span.from > this.view.state.doc.length) return true;
    const block = this.view.lineBlockAt(span.from);
    return block.bottom > scrollTop && block.top < scrollTop + clientHeight;
  }

  /** Puts the cursor on a part of the text. */
  go(span: Span): void {
    const { from: anchor, to: head } = place(this.view.state.doc, span);
    this.view.dispatch({ selection: { anchor, head }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    this.view.focus();
  }
}

// Typing over a selection: left to itself, Chromium gives the new text the looks of the old one by a style
// attribute, which the CSP forbids.
function replaceSelection(event: InputEvent, view: EditorView): boolean {
  const { main, ranges } = view.state.selection;
  const text = event.data;
  if (event.inputType !== "insertText" || text === null || main.empty || ranges.length > 1 || view.composing) return false;
  const insert = (): Transaction => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
  const handled = view.state.facet(EditorView.inputHandler).some((handle) => handle(view, main.from, main.to, text, insert));
  if (!handled) view.dispatch(insert());
  event.preventDefault();
  return true;
}

// Whether another text was put in place of the old one, of which it may share the first and last characters.
function replacesAll(update: ViewUpdate): boolean {
  const before = update.startState.doc.length;
  let deleted = 0;
  update.changes.iterChanges((from, to) => (deleted += to - from));
  return deleted >= 0.9 * before;
}

function longestLine(text: string): number {
  let longest = 0;
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\n", from);
    const to = end < 0 ? text.length : end;
    longest = Math.max(longest, to - from);
    from = to + 1;
  }
  return longest;
}
