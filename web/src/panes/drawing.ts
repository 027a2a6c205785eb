// The drawing: what the profile decides, or the tests of the filter, as boxes and arrows.

import type { Mount } from "../page";
import { Canvas } from "./canvas";
import { completing } from "./complete";
import { count, frame, freshId, h } from "./dom";
import { live, subject } from "./live";
import { readDrawing } from "./svg";

const stages = [
  { stage: "diagram", text: "Decisions", title: "What the profile decides: by ABI, number and arguments" },
  { stage: "tree", text: "Tests", title: "The tests of the filter, each of them one or two instructions" },
] as const;

export const drawing: Mount = (host, page) => {
  const group = freshId("stage");
  const choices = stages.map(({ stage, text, title }) => {
    const radio = h("input", { type: "radio", name: group, value: stage, change: () => page.update({ view: { ...page.state.view, stage } }) });
    return { radio, label: h("label", { title }, radio, h("span", {}, text)) };
  });
  const only = h("input", { type: "search", class: "only", placeholder: "all calls", "aria-label": "Draw only one call", spellcheck: "false", autocomplete: "off" });
  for (const event of ["change", "search"]) {
    only.addEventListener(event, () => {
      if (only.value.trim() !== page.state.view.only) page.update({ view: { ...page.state.view, only: only.value.trim() } });
    });
  }
  const size = h("output", { class: "count" });
  const { body } = frame(host, "drawing", "Drawing",
    h("fieldset", { class: "segmented" }, h("legend", { class: "sr" }, "Stage"), ...choices.map((c) => c.label)),
    h("label", { class: "field" }, "Only ", completing(only, page, { abi: (s) => s.call.abi, namesOnly: true })), size);
  body.classList.add("fixed");
  const canvas = new Canvas(host, page, body);
  page.onLight((light) => canvas.light(light));
  page.onState((state) => {
    for (const c of choices) c.radio.checked = c.radio.value === state.view.stage;
    if (document.activeElement !== only) only.value = state.view.only;
  });
  live(host, canvas.view, page, {
    op: "draw",
    key: "drawing",
    on: (s) => [s.source, s.target, s.view.stage, s.view.only],
    question: (s) => {
      const about = subject(s, "The decisions of the profile, or the tests of its filter, as a drawing.");
      return typeof about === "string" ? about : { ...about, stage: s.view.stage, call: s.view.only };
    },
    show: (answer) => {
      const svg = readDrawing(answer.svg);
      size.value = count(answer.boxes, "box").replace("boxs", "boxes");
      if (svg) canvas.show(svg);
      else canvas.view.replaceChildren(h("p", { class: "pane-note" }, "This drawing is too large to show. Choose one call under “Only”."));
    },
    clear: () => {
      size.value = "";
    },
  });
};
