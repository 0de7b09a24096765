import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ENGLISH } from "../../../webview-ui/src/words.ts";
import { ownTexts } from "../../support/ownTexts.ts";
import { ROOT } from "../../support/repository.ts";

const read = (name: string): Record<string, string> =>
  JSON.parse(readFileSync(join(ROOT, "extension", name), "utf8"));

const said = globSync("extension/src/**/*.ts", { cwd: ROOT }).flatMap(
  (file) => ownTexts(readFileSync(join(ROOT, file), "utf8")).keys,
);
const keys = [...new Set([...said, ...Object.values(ENGLISH)])].sort();
const bundle = read("l10n/bundle.l10n.de.json");
const [english, german] = [read("package.nls.json"), read("package.nls.de.json")];

/**
 * Values, links to commands, icons and code: what a translation has to have like the text itself. A key ends with what
 * translators are told, which may name a value once more.
 */
const partsOf = (text: string) =>
  [...new Set(text.match(/\{\w+\}|\(command:[^)]*\)|\$\([^)]*\)|`[^`]*`/g))].sort();

describe("German", () => {
  it("has everything that the extension and its install sheet say, and nothing else", () => {
    expect(Object.keys(bundle)).toEqual(keys);
  });

  it("has everything that the manifest says, and nothing else", () => {
    expect(Object.keys(german)).toEqual(Object.keys(english));
  });

  it("has the values, commands, icons and names of each text", () => {
    for (const [key, text] of Object.entries(bundle))
      expect(partsOf(text), key).toEqual(partsOf(key));
    for (const [key, text] of Object.entries(german)) {
      expect(partsOf(text), key).toEqual(partsOf(english[key] ?? ""));
    }
  });

  it("says nothing with nothing", () => {
    expect(
      Object.entries({ ...bundle, ...german }).filter(([, text]) => text.trim() === ""),
    ).toEqual([]);
  });
});
