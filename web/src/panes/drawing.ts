// The drawing: what the profile decides, or the tests of the filter, as boxes and arrows. It is
// panned by dragging or scrolling and zoomed by buttons, keys, wheel or two fingers.

import type { Light, Mount } from "../page";
import { button, count, frame, freshId, h } from "./dom";
import { completing } from "./complete";
import { bringIntoView, isOrigin, keysOf, linkSpots, mark } from "./link";
import { live, subject } from "./live";
import { boxNextTo, readDrawing } from "./svg";

const stages = [
  { stage: "diagram", text: "Decisions", title: "What the profile decides: by ABI, number and arguments" },
  { stage: "tree", text: "Tests", title: "The tests of the filter, each of them one or two instructions" },
] as const;

/** The smallest zoom at which boxes can be read: a drawing begins with it if the whole does not fit. */
const readable = 0.62;
const smallest = 0.05;
const largest = 4;

export const drawing: Mount = (host, page) => {
  const group = freshId("pane");
  const choices = stages.map((s) => {
    const radio = h("input", { type: "radio", name: group, value: s.stage, change: () => page.update({ view: { ...page.state.view, stage: s.stage } }) });
    return { radio, label: h("label", { title: s.title }, radio, h("span", {}, s.text)) };
  });
  const only = h("input", { type: "search", class: "only", placeholder: "all calls", "aria-label": "Draw only one call", spellcheck: "false", autocomplete: "off" });
  const size = h("output", { class: "count" });
  const zooms = h("div", { class: "zoom", role: "group", "aria-label": "Zoom" });
  const { body } = frame(host, "drawing", "Drawing",
    h("fieldset", { class: "segmented" }, h("legend", { class: "sr" }, "Stage"), ...choices.map((c) => c.label)),
    h("label", { class: "field" }, "Only ", completing(only, page, { abi: (s) => s.call.abi, namesOnly: true })), size);
  body.classList.add("fixed");
  const help = h("p", { class: "sr", id: freshId("pane") }, "Arrow keys go from box to box, plus and minus zoom, 0 fits.");
  const view = h("div", { class: "canvas tree", tabindex: -1, "aria-describedby": help.id });
  body.append(view, zooms, help);
  linkSpots(view, page);

  let svg: SVGSVGElement | null = null;
  let natural = { width: 1, height: 1 };
  let zoom = 0; // 0: as much as fits and can be read
  let light: Light | null = null;

  const fit = (): number => Math.min(1, (view.clientWidth - 2) / natural.width);
  const scaleOf = (): number => zoom || Math.max(readable, fit());
  const resize = (): void => {
    if (!svg) return;
    const scale = scaleOf();
    svg.style.width = `${natural.width * scale}px`;
    svg.style.height = `${natural.height * scale}px`;
  };
  /** Zooms and keeps what is at a place of the view where it is. */
  const zoomTo = (to: number, x = view.clientWidth / 2, y = view.clientHeight / 2): void => {
    const from = scaleOf();
    zoom = Math.min(largest, Math.max(smallest, to));
    const at = { x: (view.scrollLeft + x) / from, y: (view.scrollTop + y) / from };
    resize();
    view.scrollTo(at.x * zoom - x, at.y * zoom - y);
  };
  const zoomBy = (by: number): void => zoomTo(scaleOf() * by);
  const toFit = (): void => {
    zoom = Math.max(smallest, Math.min(fit(), (view.clientHeight - 2) / natural.height));
    resize();
  };
  zooms.append(
    button("−", () => zoomBy(1 / 1.3), { "aria-label": "Zoom out", title: "Zoom out (−)" }),
    button("+", () => zoomBy(1.3), { "aria-label": "Zoom in", title: "Zoom in (+)" }),
    button("Fit", toFit, { title: "Show all of it (0)" }),
    button("1:1", () => zoomTo(1), { title: "Natural size" }));
  new ResizeObserver(() => {
    if (zoom === 0) resize();
  }).observe(view);
  pan(view, scaleOf, zoomTo);

  const lightUp = (scroll: boolean): void => {
    if (!svg) return;
    const lit = mark(svg, light && keysOf(light.trail), light?.by ?? null);
    svg.classList.toggle("some-lit", lit.length > 0);
    for (const arrow of svg.querySelectorAll("[data-from]")) {
      arrow.classList.toggle("arrow-lit", light?.by === "call" && lit.some((e) => e.getAttribute("data-node") === arrow.getAttribute("data-from")) &&
        lit.some((e) => e.getAttribute("data-node") === arrow.getAttribute("data-to")));
    }
    if (!scroll || !light || isOrigin(host, light)) return;
    const last = lit[lit.length - 1]; // where it ends says more than where it begins
    if (last) bringIntoView(view, last);
  };
  page.onLight((l) => {
    light = l;
    lightUp(true);
  });

  view.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || !svg) return;
    const box = e.target instanceof Element ? e.target.closest<SVGGElement>("[data-node]") : null;
    if (e.key === "+" || e.key === "=") zoomBy(1.3);
    else if (e.key === "-") zoomBy(1 / 1.3);
    else if (e.key === "0") toFit();
    else if (box && e.key.startsWith("Arrow")) {
      const to = boxNextTo(svg, box, e.key.slice(5) as "Left" | "Right" | "Up" | "Down");
      if (!to) return;
      box.setAttribute("tabindex", "-1");
      to.setAttribute("tabindex", "0");
      to.focus({ preventScroll: true });
      bringIntoView(view, to);
    } else return;
    e.preventDefault();
  });

  const choose = (): void => {
    if (only.value !== page.state.view.only) page.update({ view: { ...page.state.view, only: only.value.trim() } });
  };
  only.addEventListener("change", choose);
  only.addEventListener("search", choose);
  page.onState((state) => {
    for (const c of choices) c.radio.checked = c.radio.value === state.view.stage;
    if (only.value !== state.view.only && document.activeElement !== only) only.value = state.view.only;
  });
  live(host, view, page, {
    op: "draw",
    key: "drawing",
    on: (s) => [s.source, s.target, s.view.stage, s.view.only],
    question: (s) => {
      const about = subject(s, "The decisions of the profile, or the tests of its filter, as a drawing.");
      return typeof about === "string" ? about : { ...about, stage: s.view.stage, call: s.view.only };
    },
    show: (answer) => {
      svg = readDrawing(answer.svg);
      if (!svg) {
        view.replaceChildren(h("p", { class: "pane-note" }, "This drawing is too large to show. Choose one call under “Only”."));
        return;
      }
      natural = { width: svg.viewBox.baseVal.width || 1, height: svg.viewBox.baseVal.height || 1 };
      svg.querySelector("[data-node]")?.setAttribute("tabindex", "0");
      view.replaceChildren(svg);
      size.value = count(answer.boxes, "box").replace("boxs", "boxes");
      resize();
      if (light) lightUp(true);
      else bringIntoView(view, svg.querySelector("[data-node]") ?? svg, "auto");
    },
    clear: () => {
      size.value = "";
    },
  });
};

/** Pans by dragging, zooms by the wheel with ctrl, as touch pads pinch, and by two fingers. */
function pan(view: HTMLElement, zoom: () => number, zoomTo: (to: number, x: number, y: number) => void): void {
  const fingers = new Map<number, { x: number; y: number }>();
  let spread = 0;
  const within = (x: number, y: number): [number, number] => {
    const box = view.getBoundingClientRect();
    return [x - box.left, y - box.top];
  };
  view.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    zoomTo(zoom() * Math.exp(-e.deltaY / 200), ...within(e.clientX, e.clientY));
  }, { passive: false });
  view.addEventListener("pointerdown", (e) => {
    if (e.pointerType === "mouse" && e.button !== 0) return;
    fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
    spread = 0;
  });
  view.addEventListener("pointermove", (e) => {
    const before = fingers.get(e.pointerId);
    if (!before) return;
    fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
    if (e.pointerType === "mouse") {
      if (!view.hasPointerCapture(e.pointerId)) view.setPointerCapture(e.pointerId);
      view.scrollBy(before.x - e.clientX, before.y - e.clientY);
      return;
    }
    const [a, b] = [...fingers.values()];
    if (!a || !b) return; // one finger scrolls by itself
    const now = Math.hypot(a.x - b.x, a.y - b.y);
    if (spread > 0) zoomTo((zoom() * now) / spread, ...within((a.x + b.x) / 2, (a.y + b.y) / 2));
    spread = now;
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
    view.addEventListener(end, (e) => fingers.delete(e.pointerId));
  }
}
