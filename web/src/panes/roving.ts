// Arrow keys in a group of things, which can be one stop of the tab key.

/** Makes the elements that match one stop of the tab key, among which arrow keys, Home and End move. */
export function rove(group: HTMLElement, selector: string): void {
  arrows(group, selector);
  group.addEventListener("focusin", (event) => {
    if (!(event.target instanceof HTMLElement) || !event.target.matches(selector)) return;
    for (const item of group.querySelectorAll<HTMLElement>(selector)) item.tabIndex = item === event.target ? 0 : -1;
  });
}

/** Lets arrow keys, Home and End move among the elements that match. Left and right go to the
 * neighbour, up and down to the nearest in the line above or below. */
export function arrows(group: HTMLElement, selector: string): void {
  const items = (): HTMLElement[] => [...group.querySelectorAll<HTMLElement>(selector)].filter((e) => e.getClientRects().length > 0);
  group.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof HTMLElement) || !event.target.matches(selector)) return;
    const to = next(items(), event.target, event.key);
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
}

function next(items: HTMLElement[], from: HTMLElement, key: string): HTMLElement | undefined {
  const at = items.indexOf(from);
  switch (key) {
    case "ArrowLeft":
      return items[at - 1];
    case "ArrowRight":
      return items[at + 1];
    case "Home":
      return items[0];
    case "End":
      return items[items.length - 1];
    case "ArrowUp":
      return nearest(items.slice(0, at).reverse(), from);
    case "ArrowDown":
      return nearest(items.slice(at + 1), from);
  }
  return undefined;
}

/** The element of the first other line in items that is closest to from in its horizontal place. */
function nearest(items: HTMLElement[], from: HTMLElement): HTMLElement | undefined {
  const here = from.getBoundingClientRect();
  let line: number | undefined;
  let best: HTMLElement | undefined;
  let distance = Infinity;
  for (const item of items) {
    const there = item.getBoundingClientRect();
    if (Math.abs(there.top - here.top) < here.height / 2) continue;
    if (line !== undefined && Math.abs(there.top - line) > there.height / 2) break;
    line = there.top;
    if (Math.abs(there.left - here.left) < distance) {
      distance = Math.abs(there.left - here.left);
      best = item;
    }
  }
  return best;
}
