import { readFileSync } from "node:fs";

interface MenuItem {
  readonly command: string;
  readonly when?: string;
}

const manifest = JSON.parse(
  readFileSync(new URL("../../../../extension/package.json", import.meta.url), "utf8"),
);
const items: readonly MenuItem[] = manifest.contributes.menus["view/item/context"];

/** The commands that a row with this `contextValue` offers. */
export function offersOf(contextValue: string): readonly string[] {
  return items
    .filter(({ when = "" }) => {
      const pattern = /^viewItem =~ \/(.*)\/( && !listMultiSelection)?$/.exec(when)?.[1];
      return pattern !== undefined && new RegExp(pattern).test(contextValue);
    })
    .map(({ command }) => command);
}
