import { describe, expect, it } from "vitest";
import manifest from "../../../extension/package.json" with { type: "json" };
import texts from "../../../extension/package.nls.json" with { type: "json" };
import { TRIED_COMMANDS } from "../../support/vscode/keyboardCommands.ts";
import { LOCAL_REST_COMMANDS, REST_COMMANDS } from "../../support/vscode/keyboardRest.ts";

const { commands, menus } = manifest.contributes;
const { commandPalette: _, ...others } = menus;
const inMenus = new Set(
  Object.values(others)
    .flat()
    .map(({ command }) => command),
);

function titles(all: readonly { readonly title: string }[]): readonly string[] {
  return all.map(({ title }) => texts[title.replaceAll("%", "") as keyof typeof texts]).sort();
}

function sorted(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].sort();
}

describe("the tables of commands that are tried by keyboard", () => {
  it("have every command of the manifest from the palette, and no other", () => {
    const tried = TRIED_COMMANDS.map(({ title }) => title);
    expect(sorted(tried, REST_COMMANDS.palette, LOCAL_REST_COMMANDS)).toEqual(titles(commands));
  });

  it("have every command that is in a menu from there, too", () => {
    const tried = TRIED_COMMANDS.flatMap(({ title, place }) => (place === undefined ? [] : title));
    const meant = titles(commands.filter(({ command }) => inMenus.has(command)));
    expect(sorted(tried, REST_COMMANDS.menu, LOCAL_REST_COMMANDS)).toEqual(meant);
  });
});
