// A button that opens a panel below it: the browser's own popover, which Escape and a click elsewhere close.

import { freshId, h } from "../dom";

export interface Popover {
  button: HTMLButtonElement;
  panel: HTMLElement;
  close(): void;
}

/** Creates a button and its panel. filled is called whenever the panel opens. */
export function popover(label: string, title: string, filled?: (panel: HTMLElement) => void): Popover {
  const id = freshId("panel");
  const button = h("button", { type: "button", class: "opens", popovertarget: id, "aria-haspopup": "dialog", "aria-expanded": "false" }, label);
  const panel = h("div", { id, popover: "auto", class: "panel", role: "dialog", "aria-label": title });
  panel.addEventListener("beforetoggle", (event) => {
    if ((event as ToggleEvent).newState === "open") filled?.(panel);
  });
  const grown = new ResizeObserver(() => place(button, panel));
  panel.addEventListener("toggle", (event) => {
    const open = (event as ToggleEvent).newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (open) grown.observe(panel);
    else grown.disconnect();
  });
  return { button, panel, close: () => panel.hidePopover() };
}

const margin = 8; // px, to the edges of the window

function place(button: HTMLElement, panel: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const left = Math.max(margin, Math.min(at.left, innerWidth - panel.offsetWidth - margin));
  const below = innerHeight - at.bottom - margin;
  const up = below < Math.min(panel.offsetHeight, 240) && at.top > below;
  panel.style.left = `${left}px`;
  panel.style.top = up ? "auto" : `${at.bottom + 4}px`;
  panel.style.bottom = up ? `${innerHeight - at.top + 4}px` : "auto";
  panel.style.maxHeight = `${(up ? at.top : below) - 4}px`;
}
