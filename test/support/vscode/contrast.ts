import type { Frame } from "playwright-core";

/** What WCAG asks for body text (AA). */
export const READABLE_CONTRAST = 4.5;

/** A text of a page that is hard to read. */
export interface PaleText {
  readonly text: string;
  /** From 1 (the same colour) to 21. */
  readonly contrast: number;
}

/**
 * The texts of a page with less contrast than `least`; disabled controls and stale parts may have.
 */
export function paleTexts(frame: Frame, least = READABLE_CONTRAST): Promise<PaleText[]> {
  return frame.evaluate((limit) => {
    type Colour = readonly [red: number, green: number, blue: number, alpha: number];
    const parse = (text: string): Colour => {
      const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
      // what is mixed from colours is told in shares of one
      const scale = text.startsWith("color(srgb ") ? 255 : 1;
      return [red * scale, green * scale, blue * scale, alpha];
    };
    const over = (top: Colour, below: Colour): Colour => {
      const mix = (at: 0 | 1 | 2) => top[at] * top[3] + below[at] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const backgroundOf = (element: Element | null): Colour => {
      if (element === null) return [255, 255, 255, 1];
      const own = parse(getComputedStyle(element).backgroundColor);
      return own[3] === 1 ? own : over(own, backgroundOf(element.parentElement));
    };
    const luminance = (colour: Colour): number => {
      const [red = 0, green = 0, blue = 0] = colour.slice(0, 3).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const contrastOf = (element: Element): number => {
      const below = backgroundOf(element);
      const one = luminance(over(parse(getComputedStyle(element).color), below)) + 0.05;
      const other = luminance(below) + 0.05;
      return Math.max(one, other) / Math.min(one, other);
    };
    const isExempt = (element: Element) => element.closest(":disabled, .stale, .sr-only") !== null;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found: { text: string; contrast: number }[] = [];
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const { parentElement, textContent } = node;
      if (parentElement === null || !textContent?.trim() || isExempt(parentElement)) continue;
      if (!parentElement.checkVisibility()) continue;
      const contrast = contrastOf(parentElement);
      if (contrast < limit) found.push({ text: textContent, contrast });
    }
    return found;
  }, least);
}
