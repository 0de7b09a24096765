/** A child of an element: another element, or a text. */
export type Child = Node | string;

/**
 * Makes an element. Texts become text nodes, never HTML; attributes are set as given, so a name
 * that begins with `on` is refused.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) throw new Error(`${name} is not an attribute of this page`);
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** How a button looks, and the name by which it keeps the focus when the page is drawn again. */
export interface ButtonLook {
  readonly key: string;
  readonly label: string;
  readonly kind?: "primary" | "secondary" | "link" | undefined;
}

/** A push button that calls `press`. */
export function button(look: ButtonLook, press: () => void): HTMLButtonElement {
  const { key, label, kind = "secondary" } = look;
  const made = element("button", { type: "button", class: kind, "data-key": key }, label);
  made.addEventListener("click", press);
  return made;
}

/**
 * Draws a part of the page again and leaves the focus where it was, on the element of the same
 * `data-key`.
 */
export function redraw(part: HTMLElement, ...children: readonly Child[]): void {
  const focused = document.activeElement;
  const key =
    focused instanceof HTMLElement && part.contains(focused) ? focused.dataset.key : undefined;
  part.replaceChildren(...children);
  if (key === undefined) return;
  part.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
}
