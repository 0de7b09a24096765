import type { Page } from "playwright-core";

/**
 * What a screen reader would get wrong in the rows and lists that are shown, a line each; best none. An icon
 * is no word, every row says something, and nothing that only a program understands.
 */
export function misspoken(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const lists = ".quick-input-widget .monaco-list-row, .pane-body .monaco-list-row";
    const rows = [...document.querySelectorAll<HTMLElement>(lists)];
    return rows.flatMap((row) => {
      const label = row.getAttribute("aria-label") ?? "";
      const name = row.querySelector<HTMLElement>(".label-name")?.innerText.trim() ?? "";
      const icons = [...row.querySelectorAll(".codicon")].flatMap(({ classList }) =>
        [...classList].filter((each) => each.startsWith("codicon-")).map((each) => each.slice(8)),
      );
      const first = label.trim().split(/[\s,]/)[0] ?? "";
      return [
        label.trim() === "" ? `says nothing: ${name}` : "",
        /\$\(|\bundefined\b|\bnull\b|\bNaN\b|\[object/.test(label) ? `says code: ${label}` : "",
        icons.includes(first) && !name.startsWith(first) ? `speaks its icon: ${label}` : "",
      ].filter((line) => line !== "");
    });
  });
}
