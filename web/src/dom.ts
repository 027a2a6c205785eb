// Building elements without a framework.

export type Value = string | number | boolean | null | undefined | ((event: never) => void);
export type Child = Node | string | null | false | undefined;

/** Creates an element. An attribute that is true is set without a value, one that is false, null or
 * undefined is left out, and a function listens to the event of that name. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, Value> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((c): c is Node | string => c !== null && c !== false && c !== undefined));
  return element;
}

/** The element of an id that index.html has. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`BUG: index.html has no #${id}`);
  return element;
}

let serial = 0;

/** An id that no other element has. */
export function freshId(stem: string): string {
  return `${stem}-${++serial}`;
}
